/**
 * One request in five asks a function of PostgreSQL that sleeps for 100 ms, in a call without await. What do the others notice, how many connections
 * are opened, and what becomes of the same application in nginx and php-fpm?
 *
 *     npm run trial -- database
 */
import { Client } from 'pg';
import { Bounds } from './bounds.mjs';
import { askAtRate, Line, largest, quantile, tellFailures } from './client.mjs';
import { hasPhp, hasPostgres, startPhp, startPostgres } from './programs.mjs';
import { pause, Server } from './server.mjs';

const RATE = 300;
const SLOW = 0.2;
/** Threads here, processes there. */
const AT_ONCE = 16;
/** Clients that ask again as soon as they have an answer: twice what is answered at once. */
const HUNGRY = 32;
/** Each server in turn, and the medians. */
const ROUNDS = 5;
const APPLICATION = 'test/trials/fixtures/database';

/** @typedef {{ port: Promise<number>, stop: () => Promise<void> }} Running */
/** @typedef {{ others: number[], slow: number[], failures: string[], seconds: number }} Heard Times in ms. */

/** @type {readonly { name: string, pool?: number, start: (env: Record<string, string>) => Running | Promise<Running> }[]} */
const SERVERS = [
  ...[8, AT_ONCE].map((pool) => ({ name: `filrouge, ${AT_ONCE} threads, a pool of ${pool}`, pool, start: ours(pool) })),
  { name: `nginx and php-fpm, ${AT_ONCE} processes`, start: (env) => startPhp(`${APPLICATION}.php`, AT_ONCE, env) },
];

/** @param {number} pool @returns {(env: Record<string, string>) => Running} */
function ours(pool) {
  return (env) => new Server(`${APPLICATION}.mjs`, { workers: 1, threads: AT_ONCE }, { ...env, POOL: String(pool) });
}

/** @param {{ seconds: number }} how */
export async function run({ seconds }) {
  if (!hasPostgres) {
    console.log('SKIPPED: it needs PostgreSQL (Debian: apt-get install postgresql)');
    return;
  }
  if (!hasPhp) console.log('SKIPPED nginx and php-fpm: apt-get install nginx-light php-fpm php-pgsql');
  const contestants = SERVERS.filter(({ pool }) => hasPhp || pool !== undefined).map((server) => ({ ...server, rounds: roundsOf() }));
  const postgres = await startPostgres();
  const watch = await watchConnections(postgres.env);
  try {
    for (let n = 0; n < ROUNDS; n++) {
      for (const { start, rounds } of n % 2 === 0 ? contestants : contestants.toReversed()) {
        await watch.reset();
        const server = await start(postgres.env);
        try {
          const [given, full] = await load(server, (seconds * 1000) / (2 * ROUNDS));
          rounds.push({ given, full, connections: watch.most });
        } finally {
          await server.stop();
        }
      }
    }
  } finally {
    await watch.stop();
    await postgres.stop();
  }
  const bounds = new Bounds();
  for (const { name, pool, rounds } of contestants) {
    const failures = rounds.flatMap(({ given, full }) => [...given.failures, ...full.failures]);
    tellFailures(failures);
    if (pool === undefined) continue;
    bounds.atMost(
      `p99 of the others at ${RATE} requests/s, ms (${name})`,
      middle(rounds, ({ given }) => quantile(given.others, 0.99)),
      25,
    );
    bounds.atMost(`connections (${name})`, largest(rounds.map(({ connections }) => connections)), pool);
    bounds.atMost(`failed (${name})`, failures.length, 0);
  }
  console.table(contestants.map(rowOf));
  bounds.end();
}

/** @typedef {{ given: Heard, full: Heard, connections: number }} Round */

/** @returns {Round[]} */
function roundsOf() {
  return [];
}

/** The median of the rounds. @param {readonly Round[]} rounds @param {(round: Round) => number} figure */
function middle(rounds, figure) {
  return quantile(rounds.map(figure), 0.5);
}

/** @param {{ name: string, rounds: readonly Round[] }} contestant */
function rowOf({ name, rounds }) {
  const { given, full } = { given: columnsOf(rounds, 'given'), full: columnsOf(rounds, 'full') };
  return {
    server: name,
    [`${RATE}/s: answers/s`]: given.rate,
    'p50, p99 of the others, ms': given.others,
    'of the slow, ms': given.slow,
    'all it takes: answers/s': full.rate,
    'p50, p99 of the others': full.others,
    'of the slow': full.slow,
    connections: largest(rounds.map(({ connections }) => connections)),
  };
}

/** @param {readonly Round[]} rounds @param {'given' | 'full'} which */
function columnsOf(rounds, which) {
  const pair = (/** @type {'others' | 'slow'} */ kind) =>
    [0.5, 0.99].map((share) => middle(rounds, (round) => quantile(round[which][kind], share)).toFixed(1)).join(', ');
  const rate = middle(rounds, (round) => (round[which].others.length + round[which].slow.length) / round[which].seconds);
  return { rate: Math.round(rate), others: pair('others'), slow: pair('slow') };
}

/** First as much as it is meant for, then as much as it takes. @param {Running} server @param {number} ms @returns {Promise<[Heard, Heard]>} */
async function load(server, ms) {
  const port = await server.port;
  await askFreely(port, 2000); // warm
  await pause(500);
  return [await askSteadily(port, ms), await askFreely(port, ms)];
}

/**
 * Those that are slow have connections of their own: nobody waits in the client.
 *
 * @param {number} port
 * @param {number} ms
 * @returns {Promise<Heard>}
 */
async function askSteadily(port, ms) {
  const until = AbortSignal.timeout(ms);
  const [others, slow] = await Promise.all([
    askAtRate({ port, path: () => '/hello', rate: RATE * (1 - SLOW), lines: 48, until }),
    askAtRate({ port, path: () => '/slow', rate: RATE * SLOW, lines: 24, until }),
  ]);
  return { others: others.times, slow: slow.times, failures: [...others.failures, ...slow.failures], seconds: ms / 1000 };
}

/** The same mixture, each client asking as soon as it has been answered. @param {number} port @param {number} ms @returns {Promise<Heard>} */
async function askFreely(port, ms) {
  const began = performance.now();
  /** @type {Heard} */
  const heard = { others: [], slow: [], failures: [], seconds: 0 };
  let asked = 0;
  const one = async () => {
    const line = new Line(port);
    while (performance.now() - began < ms) {
      const isSlow = asked++ % (1 / SLOW) === 0;
      try {
        const { status, body, ms: took } = await line.ask(isSlow ? '/slow' : '/hello');
        if (body === (isSlow ? 'slept' : 'hello')) (isSlow ? heard.slow : heard.others).push(took);
        else heard.failures.push(`${status} ${body}`);
      } catch (error) {
        heard.failures.push(String(error));
      }
    }
    line.close();
  };
  await Promise.all(Array.from({ length: HUNGRY }, one));
  return { ...heard, seconds: (performance.now() - began) / 1000 };
}

/**
 * Asks the database all the time how many clients it has, but for this one.
 *
 * @param {Record<string, string>} env
 */
async function watchConnections(env) {
  const client = new Client({ host: env.PGHOST, port: Number(env.PGPORT), user: env.PGUSER, database: env.PGDATABASE });
  await client.connect();
  const count = async () => {
    const { rows } = await client.query(
      "select count(*)::int as count from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()",
    );
    return Number(rows[0].count);
  };
  const done = new AbortController();
  /** @type {number[]} */
  let counts = [];
  const watching = (async () => {
    for (; !done.signal.aborted; await pause(20)) counts.push(await count());
  })();
  return {
    get most() {
      return largest(counts);
    },
    /** Counts anew, once those of the server before are gone. */
    async reset() {
      while ((await count()) > 0) await pause(20);
      counts = [];
    },
    async stop() {
      done.abort();
      await watching;
      await client.end();
    },
  };
}
