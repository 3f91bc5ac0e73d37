/**
 * A handler that leaks 1 MB with each request, ten thousand times, in workers that may have 512 MiB: how large do they become?
 *
 *     npm run trial -- leak
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Bounds } from './bounds.mjs';
import { Line, largest, quantile, tellFailures } from './client.mjs';
import { Server } from './server.mjs';

const MiB = 1024 * 1024;
const LIMIT = 512 * MiB;
const REQUESTS = 10_000;
const LINES = 8;

export async function run() {
  const server = new Server('test/cluster/fixtures/server.mjs', { workers: 2, maxMemoryPerWorker: LIMIT, log: 'json' });
  const port = await server.port;
  const scales = new Worker(new URL('scales.mjs', import.meta.url), { workerData: { parent: server.pid, interval: 5 } });
  /** @type {number[]} */
  const times = [];
  /** @type {string[]} */
  const failures = [];
  let left = REQUESTS;
  const ask = async () => {
    const line = new Line(port);
    while (left-- > 0) {
      try {
        const { status, body, ms } = await line.ask('/leak');
        if (status === 200) times.push(ms);
        else failures.push(`${status} ${body}`);
      } catch (error) {
        failures.push(String(error));
      }
    }
    line.close();
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: LINES }, ask));
  const took = performance.now() - began;
  scales.postMessage('stop', []);
  const [{ peaks, weighings }] = await once(scales, 'message');
  await server.stop();
  const peak = largest(peaks) / MiB;
  console.table([
    {
      requests: times.length,
      failed: failures.length,
      'seconds in all': Math.round(took / 1000),
      'p50 ms': quantile(times, 0.5).toFixed(2),
      'slowest, ms': Math.round(largest(times)),
      'workers weighed': peaks.length,
      'largest, MiB': Math.round(peak),
      weighings,
      recycled: server.events.filter(({ event }) => event === 'recycled').length,
    },
  ]);
  tellFailures(failures);
  const bounds = new Bounds();
  bounds.atMost('failed requests', failures.length, 0);
  bounds.atMost('largest worker, MiB', peak, (LIMIT / MiB) * 1.1);
  bounds.atLeast('weighings a second', weighings / (took / 1000), 100);
  bounds.end();
}
