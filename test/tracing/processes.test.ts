/**
 * Traces through processes and threads: what the package does when `node --import` has started an SDK in each of them.
 */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Collector, type Exported, KINDS } from '../support/collector.ts';
import { hasPostgres, Postgres } from '../support/postgres.ts';
import { accepting, freePort, Program } from '../support/program.ts';
import { telemetryEnv } from '../support/telemetry.ts';

const TELEMETRY = new URL('fixtures/telemetry.mjs', import.meta.url).href;
const SERVER = fileURLToPath(new URL('fixtures/server.mjs', import.meta.url));

/** Starts a server that exports to a collector. @returns Its origin. */
async function start(collector: Collector, env: Readonly<Record<string, string>> = {}): Promise<string> {
  return (await startProgram(collector, env)).origin;
}

async function startProgram(
  collector: Collector,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly origin: string; readonly program: Program }> {
  const port = await freePort();
  const args = ['--import', TELEMETRY, SERVER];
  const program = new Program(process.execPath, args, { ...telemetryEnv(collector), PORT: String(port), ...env });
  await accepting(port);
  return { origin: `http://127.0.0.1:${port}`, program };
}

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CLIENT = 'b7ad6b7169203331';

/** The spans from a client's span down, each the child of the one before. */
function chainOf(spans: readonly Exported[]): Exported[] {
  const chain: Exported[] = [];
  for (let id = CLIENT; ; ) {
    const next = spans.find(({ parent, traceId }) => parent === id && traceId === TRACE);
    if (!next) return chain;
    chain.push(next);
    id = next.spanId;
  }
}

describe.runIf(hasPostgres)('a request through a proxy to a handler thread that asks a database', () => {
  let postgres: Postgres;
  beforeAll(async () => {
    postgres = await Postgres.start();
  });
  afterAll(() => postgres.remove());

  it.each([
    ['without other instrumentations of HTTP', 'pg', 'filrouge'],
    ['beside the instrumentation of undici, which then has the client span', 'pg,undici,http', '@opentelemetry/instrumentation-undici'],
  ])('is one trace with right parents, %s', async (_, instrument, clientScope) => {
    const collector = await Collector.start();
    const behind = await start(collector, { ...postgres.env, INSTRUMENT: instrument });
    const front = await start(collector, { BEHIND: behind, INSTRUMENT: instrument });
    const answer = await fetch(`${front}/people/7`, { headers: { traceparent: `00-${TRACE}-${CLIENT}-01` } });
    expect(await answer.json()).toBe(7);
    await collector.one(({ name, scope, traceId }) => traceId === TRACE && name.includes('query') && scope.endsWith('-pg'));
    await collector.has(2, ({ traceId, scope, kind }) => traceId === TRACE && scope === 'filrouge' && kind === KINDS.server);
    await collector.one(({ traceId, kind, scope }) => traceId === TRACE && kind === KINDS.client && scope === clientScope);
    const chain = chainOf(collector.spans);
    expect(chain.slice(0, 4).map(({ name, kind, scope }) => [name, kind, scope])).toEqual([
      ['GET', KINDS.server, 'filrouge'],
      ['GET', KINDS.client, clientScope],
      ['GET /people/{id:uint}', KINDS.server, 'filrouge'],
      ['database.person', KINDS.internal, 'filrouge'],
    ]);
    expect(chain[4]?.scope).toBe('@opentelemetry/instrumentation-pg');
    expect(collector.spans.filter(({ traceId, scope }) => traceId === TRACE && scope.endsWith('-http'))).toEqual([]);
  });

  it('is sent from all threads when the server stops', async () => {
    const collector = await Collector.start();
    const env = { ...postgres.env, INSTRUMENT: 'pg', OTEL_BSP_SCHEDULE_DELAY: '60000' };
    const { origin, program } = await startProgram(collector, env);
    await fetch(`${origin}/people/7`);
    expect(collector.spans).toEqual([]);
    program.child.kill('SIGTERM');
    await program.ended;
    await collector.one(({ name }) => name === 'GET /people/{id:uint}');
    await collector.one(({ name }) => name === 'database.person');
    await collector.one(({ scope, name }) => scope.endsWith('-pg') && name.includes('query'));
  });
});
