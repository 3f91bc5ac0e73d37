/**
 * One request in twenty blocks its thread for 100 ms. What do the others notice, here and elsewhere?
 *
 *     npm run trial -- blocking
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { markdownTable, withSection } from '../bench/lib/document.mjs';
import { Bounds } from './bounds.mjs';
import { askAtRate, largest, quantile, tellFailures } from './client.mjs';
import { Server } from './server.mjs';

const RATE = 300;
const BLOCKING = 0.05;
const FIXTURE = 'test/cluster/fixtures/threads.mjs';
const PEERS = 'test/trials/fixtures/peers.mjs';
const PAGE = 'docs/benchmarks.md';

/** @type {readonly { name: string, start: () => Server, needs?: string }[]} */
const SERVERS = [
  { name: 'filrouge, 2 workers, 8 threads each', start: () => new Server(FIXTURE, { workers: 2, threads: 8 }) },
  { name: 'filrouge, 2 workers, no threads', start: () => new Server(FIXTURE, { workers: 2, threads: 0 }) },
  { name: 'fastify, node:cluster, 2 workers', start: () => new Server(PEERS, {}, { PEER: 'fastify' }), needs: 'fastify' },
  { name: 'hono, node:cluster, 2 workers', start: () => new Server(PEERS, {}, { PEER: 'hono' }), needs: 'hono' },
];

/** @param {{ seconds: number, isWritten: boolean }} how */
export async function run({ seconds, isWritten }) {
  /** @type {Record<string, string | number>[]} */
  const rows = [];
  /** @type {{ p99: number, failures: string[] } | undefined} */
  let ours;
  for (const { name, start, needs } of SERVERS) {
    if (needs && !existsSync(`test/bench/node_modules/${needs}`)) {
      console.log(`SKIPPED ${name}: npm ci --prefix test/bench --ignore-scripts`);
      continue;
    }
    const server = start();
    const port = await server.port;
    await ask(port, 3000); // warm
    const { others, blocked } = await ask(port, (seconds * 1000) / 2);
    await server.stop();
    rows.push({
      server: name,
      others: others.times.length,
      failed: others.failures.length + blocked.failures.length,
      'p50 ms': quantile(others.times, 0.5).toFixed(2),
      'p99 ms': quantile(others.times, 0.99).toFixed(2),
      'max ms': largest(others.times).toFixed(1),
      'p50 of those that block, ms': quantile(blocked.times, 0.5).toFixed(0),
    });
    tellFailures([...others.failures, ...blocked.failures]);
    ours ??= { p99: quantile(others.times, 0.99), failures: [...others.failures, ...blocked.failures] };
  }
  console.table(rows);
  if (isWritten) writeFileSync(PAGE, withSection(readFileSync(PAGE, 'utf8'), 'blocking', sectionOf(rows, seconds / 2)));
  const bounds = new Bounds();
  bounds.atMost('p99 of the others with threads, ms', ours?.p99 ?? Number.NaN, 25);
  bounds.atMost('failed', ours?.failures.length ?? Number.NaN, 0);
  bounds.end();
}

/**
 * @param {readonly Record<string, string | number>[]} rows
 * @param {number} seconds
 */
function sectionOf(rows, seconds) {
  const head = Object.keys(rows[0] ?? {});
  const lines = rows.map((row) =>
    Object.values(row).map((cell, i) => (i === 0 && String(cell).startsWith('filrouge') ? `**${cell}**` : cell)),
  );
  const table = markdownTable(head, lines);
  const day = new Date().toISOString().slice(0, 10);
  return `\n${RATE} requests a second, ${BLOCKING * 100} % of them to a handler that blocks for 100 ms; servers and load share all cores.\n\n${table}\n\n*${day}, Node ${process.versions.node}, ${seconds} s each.*\n`;
}

/**
 * Those that block have connections of their own: nobody waits in the client.
 *
 * @param {number} port
 * @param {number} ms
 */
async function ask(port, ms) {
  const until = AbortSignal.timeout(ms);
  const [others, blocked] = await Promise.all([
    askAtRate({ port, path: () => '/ping', rate: RATE * (1 - BLOCKING), lines: 57, until }),
    askAtRate({ port, path: () => '/block/100', rate: RATE * BLOCKING, lines: 15, until }),
  ]);
  return { others, blocked };
}
