import { describe, expect, it } from 'vitest';
import { Collector, KINDS } from '../support/collector.ts';
import { accepting, freePort, Program } from '../support/program.ts';
import { telemetryEnv } from '../support/telemetry.ts';

describe('examples/traces', () => {
  it('has one trace for a request that asks another, the id of each in X-Request-ID, and the error of one that fails', {
    timeout: 60_000,
  }, async () => {
    const collector = await Collector.start();
    const port = await freePort();
    const origin = `http://localhost:${port}`;
    const args = ['--import', './.build/examples/traces/telemetry.js', '.build/examples/traces.js'];
    const program = new Program(process.execPath, args, { ...telemetryEnv(collector), PORT: String(port) });
    await accepting(port);

    const relayed = await fetch(`${origin}/relay/ada`);
    expect(await relayed.text()).toBe('hello, ada\n');
    const [outer, client, inner] = await Promise.all([
      collector.one(({ name }) => name === 'GET /relay/{name}'),
      collector.one(({ kind }) => kind === KINDS.client),
      collector.one(({ name }) => name === 'GET /greetings/{name}'),
    ]);
    expect([client.parent, inner.parent, inner.traceId]).toEqual([outer.spanId, client.spanId, outer.traceId]);
    expect(outer.attributes['filrouge.request.id']).toBe(relayed.headers.get('x-request-id'));

    expect((await fetch(`${origin}/broken`)).status).toBe(500);
    const broken = await collector.one(({ name }) => name === 'GET /broken');
    expect([broken.status, broken.attributes['error.type'], broken.events]).toEqual([2, 'Error', ['exception']]);
    await program.prints(/This is what the span shows/);
  });

  it('sends what has not been sent when the server stops', async () => {
    const collector = await Collector.start();
    const port = await freePort();
    const args = ['--import', './.build/examples/traces/telemetry.js', '.build/examples/traces.js'];
    const env = { ...telemetryEnv(collector), OTEL_BSP_SCHEDULE_DELAY: '60000', PORT: String(port) };
    const program = new Program(process.execPath, args, env);
    await accepting(port);
    await fetch(`http://localhost:${port}/greetings/last`);
    expect(collector.spans).toEqual([]);
    program.child.kill('SIGTERM');
    await program.ended;
    await collector.one(({ name }) => name === 'GET /greetings/{name}');
  });
});
