/**
 * Handlers that never return, of every kind, beside 200 requests a second that do: who notices? And does the status page, which is open all the while, name the
 * lines at which they stand?
 *
 *     npm run trial -- stuck
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bounds } from './bounds.mjs';
import { askAtRate, Line, largest, quantile, tellFailures } from './client.mjs';
import { isSecure } from './over.mjs';
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
  const page = openPage(port, end.signal);
  const running = ping(end.signal);
  /** @type {{ handler: string, 'not 503': number, 'slowest 503, ms': number, 'all threads again after, ms': number, 'processes replaced': number, 'the page names': string, native: boolean }[]} */
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
      'the page names': '',
      native: NATIVE.has(kind),
    });
  }
  await pause(2000); // the page is told once a second
  for (const row of rows) row['the page names'] = page.get(row.handler) ?? '';
  end.abort();
  const during = await running;
  await server.stop();
  rmSync(folder, { recursive: true });
  console.table(rows);
  console.table([baseRow('alone', base), baseRow('beside them', during)]);
  tellFailures([...base.failures, ...during.failures]);
  const replaced = rows.filter(({ native }) => !native).some((row) => row['processes replaced'] > 0);
  if (replaced) {
    console.log(
      server.log
        .split('\n')
        .filter((line) => /\bworker\b/.test(line))
        .join('\n'),
    );
  }

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
  bounds.atMost(
    'stuck lines that the status page did not name',
    stoppable.filter((row) => !/threads\.mjs:\d+/.test(row['the page names'])).length,
    0,
  );
  bounds.end();
}

/**
 * Opens the status page, again and again: the thread that serves it may be replaced.
 *
 * @param {number} port
 * @param {AbortSignal} signal
 * @returns {Map<string, string>} Where each path stood, as far as it was told so far.
 */
function openPage(port, signal) {
  /** @type {Map<string, string>} */
  const places = new Map();
  const open = () => {
    if (signal.aborted) return;
    const options = { host: '127.0.0.1', port, path: '/status?events', agent: false, signal, rejectUnauthorized: false };
    const again = () => void setTimeout(open, 100).unref();
    const asked = (isSecure ? https : http).get(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece) => {
        const lines = (text + piece).split('\n');
        text = lines.pop() ?? '';
        for (const line of lines) if (line.startsWith('data:')) notePlaces(places, JSON.parse(line.slice(5)));
      });
      response.on('error', () => {}).on('close', again);
    });
    asked.on('error', again);
  };
  open();
  return places;
}

/**
 * What the page shows of requests that stand still: in the threads now, and among the slowest.
 *
 * @param {Map<string, string>} places
 * @param {{ workers: { threads: { place?: string, requests: { path: string }[] }[] }[], slowest: { path: string, place?: string }[] }} news
 */
function notePlaces(places, { workers, slowest }) {
  const running = workers.flatMap(({ threads }) => threads).map(({ place, requests }) => ({ place, path: requests[0]?.path }));
  for (const { path, place } of [...running, ...slowest]) if (path !== undefined && place !== undefined) places.set(path, place);
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
