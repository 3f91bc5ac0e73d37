// Weighs the children of a process again and again, in a thread of its own so that nothing keeps it from it. Told to stop, it posts the largest
// weight of each, bytes, and how often they were weighed.
import { parentPort, workerData } from 'node:worker_threads';
import { childrenOf, rssOf } from './server.mjs';

const { parent, interval } = workerData;
/** @type {Map<number, number>} */
const peaks = new Map();
let weighings = 0;

const timer = setInterval(() => {
  weighings++;
  for (const pid of childrenOf(parent)) peaks.set(pid, Math.max(peaks.get(pid) ?? 0, rssOf(pid)));
}, interval);
parentPort?.on('message', () => {
  clearInterval(timer);
  parentPort?.postMessage({ peaks: [...peaks.values()], weighings }, []);
  parentPort?.close();
});
