/**
 * What traces cost: each server without them, with one request of a hundred recorded, and with all. The three take turns round by round, so that a machine
 * whose speed drifts slows all of them; of the ratios of the rounds the median counts. What is compared is how much of the processor a request takes: the
 * inverse of the requests that one core serves, and the same while other programs have a part of the core.
 *
 * @module
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { markdownTable } from './document.mjs';
import { signedIn } from './measure.mjs';
import { figure, median, spread } from './numbers.mjs';
import { BENCH } from './places.mjs';
import { SCENARIOS } from './scenarios.mjs';
import { SERVER_CORE, startServer } from './servers.mjs';
import { load } from './wrk.mjs';

/** For `--only`, and of its section on the page. */
export const NAME = 'traces';
export const TITLE = 'Requests with OpenTelemetry';

/** A route with a parameter: the one thing that a span learns from the framework. */
const SMALL = { name: 'traces', asks: [{ path: '/api/r50/7' }] };
/** What a program does that does more. */
const [PAGE, MIX] = ['page', 'application'].map((wanted) => SCENARIOS.find(({ name }) => name === wanted));

const SERVERS = [
  { name: 'filrouge', title: 'filrouge, `filrouge/opentelemetry`', file: 'filrouge.mjs' },
  { name: 'share', title: 'filrouge, with the option `share`', file: 'filrouge.mjs' },
  { name: 'hand', title: 'filrouge, the bare calls of `@opentelemetry/api` by hand', file: 'filrouge.mjs' },
  { name: 'filrouge', title: 'filrouge, a page with a session', file: 'filrouge.mjs', scenario: PAGE },
  { name: 'filrouge', title: 'filrouge, an ordinary application', file: 'filrouge.mjs', scenario: MIX },
  { name: 'fastify', title: 'fastify, `@fastify/otel` and `instrumentation-http`', file: 'fastify.mjs' },
  { name: 'express', title: 'express, `instrumentation-express` and `-http`', file: 'express.mjs' },
];
const SHARES = [undefined, 0.01, 1];

/**
 * @param {{ rounds: number, seconds: number }} settings
 * @returns {Promise<{ title: string, rounds: number[][] }[]>} µs of the processor for a request, by share, in each round.
 */
export async function measureTraces({ rounds, seconds }) {
  const results = [];
  for (const server of SERVERS) {
    const measured = [];
    for (let round = -1; round < rounds; round++) {
      const costs = [];
      for (const share of SHARES) costs.push(await costOf(server, share, seconds));
      if (round >= 0) measured.push(costs); // the first fills the caches of the disk
    }
    results.push({ title: server.title, rounds: measured });
  }
  return results;
}

/** The table of what was measured, as Markdown. */
export function tableOfTraces(results) {
  const lines = results.map(({ title, rounds }) => [
    title,
    figure(median(rounds.map(([without]) => without)), 1),
    ...[1, 2].map((at) =>
      spread(
        rounds.map((costs) => costs[0] / costs[at]),
        2,
      ),
    ),
    figure(median(rounds.map((costs) => costs[2] - costs[0])), 1),
  ]);
  return markdownTable(['server', 'µs a request without', '1 % recorded', 'all recorded', 'µs more when recorded'], lines);
}

async function costOf({ name, file, scenario = SMALL }, share, seconds) {
  const preload = share === undefined ? [] : ['--import', pathToFileURL(join(BENCH, 'servers/telemetry.mjs')).href];
  const env = share === undefined ? {} : { BENCH_TRACED: name, BENCH_SAMPLED: String(share) };
  const ready = { command: process.execPath, args: [...preload, join(BENCH, 'servers', file)] };
  const server = await startServer({ ready, env, core: SERVER_CORE });
  try {
    const asked = await signedIn(scenario, server);
    await load(server, asked, { seconds: 5, isFree: false }); // the compilers have to see the code of the SDK as well
    const before = server.cpu();
    const { rate } = await load(server, asked, { seconds, isFree: false });
    return ((server.cpu() - before) * 1e6) / (rate * seconds);
  } finally {
    server.kill();
  }
}
