/**
 * 64 handlers that block for a second, all at once, where two threads wait and 64 may be: when are they done, and what is left a minute later?
 *
 *     npm run trial -- burst
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Bounds } from './bounds.mjs';
import { Line, largest, tellFailures } from './client.mjs';
import { pause, rssOf, Server } from './server.mjs';

const MiB = 1024 * 1024;
const COUNT = 64;
/** Threads that wait from the start. */
const LEAST = 2;

/** @param {{ seconds: number }} how */
export async function run({ seconds }) {
  const server = new Server('test/trials/fixtures/burst.mjs', { workers: 1, threads: { min: LEAST, max: COUNT } });
  const port = await server.port;
  const lines = Array.from({ length: COUNT }, () => new Line(port));
  for (const line of lines) await line.ask('/ping'); // they are connected, and what is compiled once is compiled
  const [worker] = (await server.ask('status')).workers;
  const pid = worker?.pid ?? 0;
  await pause(1000);
  const before = rssOf(pid);
  const bare = await timeToStart(COUNT - LEAST);

  const began = performance.now();
  const answers = await Promise.all(
    lines.map((line) => line.ask('/block').catch((/** @type {unknown} */ error) => ({ status: 0, body: String(error) }))),
  );
  const took = performance.now() - began;
  const after = rssOf(pid);
  const { threads: most } = (await server.ask('status')).workers[0] ?? { threads: 0 };
  await pause(seconds * 1000);
  const [now] = (await server.ask('status')).workers; // its successor, perhaps
  const later = rssOf(now?.pid ?? 0);
  const { threads: left } = now ?? { threads: 0 };
  for (const line of lines) line.close();
  await server.stop();
  console.table([
    {
      handlers: COUNT,
      'done within, ms': Math.round(took),
      'as many empty threads start in, ms': Math.round(bare),
      'threads then': most,
      [`threads ${seconds} s later`]: left,
      'memory before, MiB': Math.round(before / MiB),
      'at the end of them': Math.round(after / MiB),
      [`${seconds} s later`]: Math.round(later / MiB),
    },
  ]);
  const wrong = answers.filter(({ body }) => body !== 'blocked').map(({ status, body }) => `${status} ${body}`);
  tellFailures(wrong);
  const bounds = new Bounds();
  bounds.atMost('not answered as they should', wrong.length, 0);
  bounds.atMost('done within, ms', took, 1000 + 1.5 * bare);
  bounds.atMost('threads that are left', largest([left]), 2);
  bounds.atMost('memory afterwards, of that before', later / before, 1.2);
  bounds.end();
}

/**
 * How long this machine takes to start threads that do nothing, ms: what no server can be faster than.
 *
 * @param {number} count
 */
async function timeToStart(count) {
  const began = performance.now();
  const threads = Array.from({ length: count }, () => new Worker('setInterval(() => {}, 1000)', { eval: true }));
  await Promise.all(threads.map((thread) => once(thread, 'online')));
  const took = performance.now() - began;
  await Promise.all(threads.map((thread) => thread.terminate()));
  return took;
}
