/**
 * `kill -9` of a random worker twice a second, under clients that stay and clients that come: what is lost, and for how long?
 *
 *     npm run trial -- kills
 */
import { Bounds } from './bounds.mjs';
import { Line, largest, quantile, tellFailures } from './client.mjs';
import { pause, Server, until } from './server.mjs';

const WORKERS = 2;
const LINES = 64;
/** Requests a second over the connections that stay, and connections a second that come for one request. */
const RATE = 2000;
const NEW_RATE = 50;
const INTERVAL = 500;
/** How long the connections of a process that was killed may live on, ms: what is written into one meanwhile is in flight in that process as well. */
const DYING = 50;

/** @typedef {{ began: number, ended: number, pid: number, isNew: boolean, failure: string }} Request `pid` is 0 where nothing was answered before. */

/** @param {{ seconds: number }} how */
export async function run({ seconds }) {
  const server = new Server('test/cluster/fixtures/server.mjs', { workers: WORKERS, log: 'json' });
  const port = await server.port;
  /** @type {Request[]} */
  const requests = [];
  const end = new AbortController();
  const clients = [
    ...Array.from({ length: LINES }, (_, index) => stay(port, index, requests, end.signal)),
    comeAndGo(port, requests, end.signal),
  ];

  /** @type {{ pid: number, at: number, clock: number }[]} */
  const kills = [];
  const began = performance.now();
  for (let n = 1; n <= (seconds * 1000) / INTERVAL; n++) {
    await pause(began + n * INTERVAL - performance.now());
    const gone = new Set(kills.map(({ pid }) => pid));
    const ready = readyIn(server).filter(({ worker }) => !gone.has(worker));
    const pid = ready[Math.floor(Math.random() * ready.length)]?.worker;
    if (pid === undefined) continue; // none is there: what follows from it is counted as time without full strength
    kills.push({ pid, at: performance.now(), clock: Date.now() });
    process.kill(pid, 'SIGKILL');
  }
  await until(() => (readyIn(server).length >= WORKERS + kills.length ? true : undefined), 5000);
  end.abort();
  await Promise.all(clients);
  const ready = readyIn(server);
  await server.stop();

  // The n-th death is made good when the n-th worker after the first ones is ready.
  const recoveries = kills.map(({ clock }, n) => (ready[WORKERS + n]?.at ?? Number.POSITIVE_INFINITY) - clock);
  const failed = requests.filter(({ failure }) => failure !== '');
  const unexplained = failed.filter((request) => !kills.some((kill) => isVictim(request, kill)));
  const times = requests.map((request) => request.ended - request.began);
  console.table([
    {
      kills: kills.length,
      requests: requests.length,
      'of them on new connections': requests.filter(({ isNew }) => isNew).length,
      failed: failed.length,
      'failed elsewhere': unexplained.length,
      'p50 ms': quantile(times, 0.5).toFixed(2),
      'p99 ms': quantile(times, 0.99).toFixed(2),
      'slowest, ms': largest(times).toFixed(0),
      'full strength after, p50 ms': Math.round(quantile(recoveries, 0.5)),
      'at most, ms': Math.round(largest(recoveries)),
    },
  ]);
  tellFailures(failed.map(({ failure }) => failure));
  const bounds = new Bounds();
  bounds.atLeast('kills', kills.length, (seconds * 1000) / INTERVAL - 1);
  bounds.atMost('slowest request, ms', largest(times), 2000);
  bounds.atMost('failed that were not in flight in a killed worker', unexplained.length, 0);
  bounds.atMost('full strength again, ms', largest(recoveries), 400);
  bounds.end();
}

/** It was under way when a worker was killed, which was the one of its connection as far as that is known. @param {Request} request @param {{ pid: number, at: number }} kill */
function isVictim({ began, ended, pid }, kill) {
  return began <= kill.at + DYING && ended >= kill.at && (pid === 0 || pid === kill.pid);
}

/** The workers that have ever been ready, in order. @param {Server} server */
function readyIn(server) {
  return server.events.filter(({ event }) => event === 'ready').map(({ worker = 0, time }) => ({ worker, at: Date.parse(time) }));
}

/** @param {number} port @param {number} index @param {Request[]} requests @param {AbortSignal} signal */
async function stay(port, index, requests, signal) {
  const line = new Line(port);
  const gap = (1000 * LINES) / RATE;
  const first = performance.now() + (index * gap) / LINES;
  /** Which worker a connection leads to is known from its first answer. */
  let known = { connection: 0, pid: 0 };
  for (let n = 0; ; n++) {
    const wait = first + n * gap - performance.now();
    if (wait > 0) await pause(wait);
    if (signal.aborted) return line.close();
    const began = performance.now();
    const asking = line.ask('/pid');
    if (line.connections !== known.connection) known = { connection: line.connections, pid: 0 };
    const { pid, failure } = await outcome(asking);
    requests.push({ began, ended: performance.now(), pid: failure === '' ? pid : known.pid, isNew: false, failure });
    if (failure === '') known.pid = pid;
  }
}

/** @param {number} port @param {Request[]} requests @param {AbortSignal} signal */
async function comeAndGo(port, requests, signal) {
  /** @type {Promise<unknown>[]} */
  const open = [];
  const first = performance.now();
  for (let n = 0; !signal.aborted; n++) {
    await pause(first + (n * 1000) / NEW_RATE - performance.now());
    const line = new Line(port);
    const began = performance.now();
    const asking = outcome(line.ask('/pid', { headers: 'Connection: close\r\n' })).then(({ pid, failure }) => {
      requests.push({ began, ended: performance.now(), pid, isNew: true, failure });
    });
    open.push(asking);
  }
  await Promise.all(open);
}

/** @param {Promise<import('./client.mjs').Answer>} asking @returns {Promise<{ pid: number, failure: string }>} */
async function outcome(asking) {
  try {
    const { status, body } = await asking;
    return status === 200 ? { pid: Number(body), failure: '' } : { pid: 0, failure: `${status} ${body}` };
  } catch (error) {
    return { pid: 0, failure: String(error) };
  }
}
