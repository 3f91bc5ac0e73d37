/**
 * What `slowRequest` costs when nothing is slow. Both servers are there all the time and are loaded in turn, so that a machine that changes its
 * mind does so for both.
 *
 *     npm run trial -- slowlog
 */
import { execFileSync } from 'node:child_process';
import { Bounds } from './bounds.mjs';
import { quantile } from './client.mjs';
import { cpuOf, Server } from './server.mjs';

const FIXTURE = 'test/cluster/fixtures/threads.mjs';
const ROUND = 2;
const KINDS = [
  { name: 'inline', options: { workers: 0 } },
  { name: 'a thread', options: { workers: 0, threads: 1 } },
];

/** @param {{ seconds: number }} how */
export async function run({ seconds }) {
  const bounds = new Bounds();
  /** @type {Record<string, string | number>[]} */
  const rows = [];
  for (const { name, options } of KINDS) {
    const without = new Server(FIXTURE, options);
    const watched = new Server(FIXTURE, { ...options, slowRequest: 1000 });
    for (const server of [without, watched]) await load(server);
    /** @type {{ rate: number, cpu: number }[]} */
    const ratios = [];
    const pairs = Math.max(5, Math.round(seconds / (2 * ROUND)));
    for (let n = 0; n < pairs; n++) {
      const order = n % 2 === 0 ? [without, watched] : [watched, without];
      const results = new Map();
      for (const server of order) results.set(server, await load(server));
      const [a, b] = [results.get(without), results.get(watched)];
      ratios.push({ rate: b.rate / a.rate, cpu: b.cpu / a.cpu });
    }
    await Promise.all([without.stop(), watched.stop()]);
    const rates = ratios.map(({ rate }) => rate);
    const costs = ratios.map(({ cpu }) => cpu);
    rows.push({
      handlers: name,
      rounds: pairs,
      'requests/s with, of without': quantile(rates, 0.5).toFixed(4),
      'lowest and highest': `${Math.min(...rates).toFixed(3)} ${Math.max(...rates).toFixed(3)}`,
      'processor time of a request with, of without': quantile(costs, 0.5).toFixed(4),
    });
    bounds.atLeast(`requests/s with slowRequest, of those without (${name})`, quantile(rates, 0.5), 0.99);
  }
  console.table(rows);
  bounds.end();
}

/**
 * One round of wrk.
 *
 * @param {Server} server
 * @returns {Promise<{ rate: number, cpu: number }>} Requests/s, and processor time of one, s.
 */
async function load(server) {
  const port = await server.port;
  const before = cpuOf(server.pid);
  const output = execFileSync('wrk', ['-t1', '-c64', `-d${ROUND}`, `http://127.0.0.1:${port}/ping`], { encoding: 'utf8' });
  const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]);
  const count = Number(/(\d+) requests in/.exec(output)?.[1]);
  if (!(rate > 0) || output.includes('Non-2xx')) throw new Error(`wrk says: ${output}`);
  return { rate, cpu: (cpuOf(server.pid) - before) / count };
}
