/** A tool that computes for as long as it takes, in a thread of its own. */
import { parentPort, workerData } from 'node:worker_threads';

const { limit } = workerData as { readonly limit: number };
let count = 0;
for (let candidate = 2; candidate <= limit; candidate++) if (isPrime(candidate)) count++;
parentPort?.postMessage(count, []);

function isPrime(candidate: number): boolean {
  for (let divisor = 2; divisor * divisor <= candidate; divisor++) if (candidate % divisor === 0) return false;
  return true;
}
