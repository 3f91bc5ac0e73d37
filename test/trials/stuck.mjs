/**
 * Handlers that never return, of every kind, beside 200 requests a second that do: who notices?
 *
 *     npm run trial -- stuck
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bounds } from './bounds.mjs';
import { askAtRate, Line, largest, quantile, tellFailures } from './client.mjs';
import { pause, Server } from './server.mjs';

const KINDS = ['/loop', '/regex', '/wait', '/json', '/exec', '/fifo'];
const NATIVE = new Set(['/exec', '/fifo']);
const TIMES = 10;
const BASELINE = 15_000;

export async function run() {
  const folder = mkdtempSync(join(tmpdir(), 'filrouge-trial-'));
  const fifo = join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const server = new Server('test/cluster/fixtures/threads.mjs', { workers: 2, threads: 8, handlerTimeout: 1000 }, { FIFO: fifo });
  const port = await server.port;
  const ping = (/** @type {AbortSignal} */ until) => askAtRate({ port, path: () => '/ping', rate: 200, lines: 20, until });
  await ping(AbortSignal.timeout(3000)); // warm
  const base = await ping(AbortSignal.timeout(BASELINE));

  const end = new AbortController();
  const running = ping(end.signal);
  /** @type {{ handler: string, 'not 503': number, 'slowest 503, ms': number, 'all threads again after, ms': number, 'processes replaced': number, native: boolean }[]} */
  const rows = [];
  for (const kind of KINDS) {
    const before = await server.ask('status');
    /** @type {number[]} */
    const waits = [];
    /** @type {number[]} */
    const recoveries = [];
    let wrong = 0;
    for (let i = 0; i < TIMES; i++) {
      const line = new Line(port);
      const { status, ms } = await line.ask(kind).catch(() => ({ status: 0, ms: Number.POSITIVE_INFINITY }));
      line.close();
      if (status !== 503) wrong++;
      waits.push(ms);
      recoveries.push(await fullStrength(server));
    }
    const { restarts } = await server.ask('status');
    rows.push({
      handler: kind,
      'not 503': wrong,
      'slowest 503, ms': Math.round(Math.max(...waits)),
      'all threads again after, ms': Math.round(Math.max(...recoveries)),
      'processes replaced': restarts - before.restarts,
      native: NATIVE.has(kind),
    });
  }
  end.abort();
  const during = await running;
  await server.stop();
  rmSync(folder, { recursive: true });
  console.table(rows);
  console.table([baseRow('alone', base), baseRow('beside them', during)]);
  tellFailures([...base.failures, ...during.failures]);

  const bounds = new Bounds();
  const stoppable = rows.filter(({ native }) => !native);
  const sum = (/** @type {number[]} */ values) => values.reduce((total, value) => total + value, 0);
  bounds.atMost('answers to a stuck handler that were not 503', sum(rows.map((row) => row['not 503'])), 0);
  bounds.atMost('slowest 503, ms', largest(rows.map((row) => row['slowest 503, ms'])), 1100);
  bounds.atMost('other requests that failed', base.failures.length + during.failures.length, 0);
  bounds.atMost('p99 of /ping beside them, of its baseline', quantile(during.times, 0.99) / quantile(base.times, 0.99), 2);
  bounds.atMost('all threads again, ms', largest(stoppable.map((row) => row['all threads again after, ms'])), 200);
  bounds.atMost('all threads again after a native call, ms', largest(rows.map((row) => row['all threads again after, ms'])), 1000);
  bounds.atMost('processes replaced for what can be stopped', sum(stoppable.map((row) => row['processes replaced'])), 0);
  bounds.end();
}

/** @param {Server} server */
async function fullStrength(server) {
  const began = performance.now();
  for (;;) {
    const { workers } = await server.ask('status');
    const threads = workers.reduce((sum, worker) => sum + worker.threads, 0);
    if (threads >= 16) return performance.now() - began;
    await pause(5);
  }
}

/** @param {string} name @param {{ times: number[], failures: string[] }} result */
function baseRow(name, { times, failures }) {
  return {
    '/ping': name,
    requests: times.length,
    failures: failures.length,
    'p50 ms': quantile(times, 0.5).toFixed(2),
    'p99 ms': quantile(times, 0.99).toFixed(2),
    'max ms': largest(times).toFixed(1),
  };
}
