/**
 * What a call without await costs, beside what it stands for. Each pair is measured in turns, round by round, so that a machine whose speed drifts slows
 * both; of the ratios of the rounds the median counts.
 *
 *     empty call      against the bare primitive: postMessage, Atomics.wait, receiveMessageOnPort
 *     GET             createFetch against await undici.request
 *     select 1        createBlocking against await pool.query; needs PostgreSQL
 *
 * Each with 1 caller and with 16: handler threads that share one I/O thread, beside as many promises on one event loop. The last two also by the bare
 * primitive, as threads without filrouge would have to do it: what is above that is ours, and what that is above 1 is the price of a thread that sleeps.
 *
 * @module
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { MessageChannel, Worker } from 'node:worker_threads';
import { Pool } from 'pg';
import { Agent, request } from 'undici';
import { markdownTable } from './document.mjs';
import { median, spread } from './numbers.mjs';

/** For `--only`, and of its section on the page. */
export const NAME = 'calls';
export const TITLE = 'Calls without await';

/** How many callers, how many calls they make together in a round, and how many before anything counts: the compilers of 16 threads have to see the code. */
const CROWDS = [
  { callers: 1, calls: 3000, warmUp: 4000 },
  { callers: 16, calls: 8000, warmUp: 64_000 },
];
const SERVER = fileURLToPath(new URL('../blocking-server.mjs', import.meta.url));
const MODULE = new URL('../blocking-select.mjs', import.meta.url);
const BARE = new URL('../blocking-bare.mjs', import.meta.url);
const BLOCKING = () => pathToFileURL(join(process.env.BENCH_DIST, '../blocking.js')).href;

/** What is measured, beside what. */
const KINDS = [
  { kind: 'nothing', name: 'empty call ÷ bare primitive' },
  { kind: 'get', name: 'GET ÷ `await undici.request`', awaited: awaitingGet },
  { kind: 'select', name: '`select 1` ÷ `await pool.query`', awaited: awaitingSelect },
];

/**
 * @param {number} rounds
 * @returns {Promise<{ name: string, rounds: [ours: number, theirs: number, bare?: number][] }[]>} µs a call.
 */
export async function measureCalls(rounds) {
  const origin = await startHello();
  const hasDatabase = process.env.PGHOST !== undefined;
  if (!hasDatabase) console.warn('SKIPPED: select 1: PGHOST names no PostgreSQL');
  const results = [];
  for (const crowd of CROWDS) {
    const { callers } = crowd;
    for (const { name, kind, awaited } of KINDS) {
      if (kind === 'select' && !hasDatabase) continue;
      const ours = callers === 1 ? await callerOf(kind, origin) : await threadsOf(kind, callers, origin);
      const bare = await bareCalls(kind, callers, origin);
      const sides = awaited ? [ours, promises(callers, awaited(origin)), bare] : [ours, bare];
      const measured = await compare(sides, rounds, crowd);
      results.push({ name: `${name}, ${callers} ${callers === 1 ? 'caller' : 'callers'}`, rounds: measured });
    }
  }
  return results;
}

/** The table of what was measured, as Markdown. */
export function tableOfCalls(results) {
  const ratio = (rounds, side) =>
    spread(
      rounds.map((round) => round[side] / round[1]),
      2,
    );
  const time = (rounds, side) => median(rounds.map((round) => round[side])).toFixed(1);
  const lines = results.map(({ name, rounds }) => {
    const hasThird = rounds[0].length > 2;
    return [name, ratio(rounds, 0), time(rounds, 0), time(rounds, 1), ...(hasThird ? [ratio(rounds, 2), time(rounds, 2)] : ['–', '–'])];
  });
  return markdownTable(['what', 'ratio (less is better)', 'ours, µs', 'the other, µs', 'ratio of the bare primitive', 'its µs'], lines);
}

async function compare(sides, count, { calls, warmUp }) {
  const rounds = [];
  for (const run of sides) await run(warmUp);
  for (let i = 0; i < count; i++) {
    const round = [];
    for (const run of sides) round.push(await timed(run, calls));
    rounds.push(round);
  }
  for (const run of sides) run.end?.();
  return rounds;
}

async function timed(run, calls) {
  const began = performance.now();
  await run(calls);
  return ((performance.now() - began) * 1000) / calls;
}

/** The least that any such call must do, by so many threads with one thread that answers them all. @param kind What that does. */
async function bareCalls(kind, callers, origin) {
  const io = new Worker(BARE, { workerData: { kind, origin } });
  await once(io, 'message');
  const threads = Array.from({ length: callers }, () => {
    const { port1, port2 } = new MessageChannel();
    const cell = new Int32Array(new SharedArrayBuffer(4));
    io.postMessage({ port: port2, cell }, [port2]);
    return new Worker(BARE, { workerData: { port: port1, cell }, transferList: [port1] });
  });
  const run = async (calls) => {
    await Promise.all(
      threads.map((thread) => {
        thread.postMessage(Math.ceil(calls / callers), []);
        return once(thread, 'message');
      }),
    );
  };
  for (const thread of [io, ...threads]) thread.unref();
  return Object.assign(run, { end: () => [io, ...threads].forEach((thread) => void thread.terminate()) });
}

/** A server in a thread, so that nobody's loop is shared. */
async function startHello() {
  const code = `const { createServer } = require('node:http'); const { parentPort } = require('node:worker_threads');
    const server = createServer({ keepAliveTimeout: 0 }, (_, response) => response.end('hello')).listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;
  const worker = new Worker(code, { eval: true });
  worker.unref();
  const [port] = await once(worker, 'message');
  return `http://127.0.0.1:${port}`;
}

function awaitingGet(origin) {
  const dispatcher = new Agent({ connections: 64 });
  return async () => {
    const { body } = await request(`${origin}/`, { dispatcher });
    await body.text();
  };
}

function awaitingSelect() {
  const pool = new Pool({ max: 16 });
  return () => pool.query('select 1');
}

/** So many promises at a time. */
function promises(callers, awaited) {
  return async (calls) => {
    const each = Math.ceil(calls / callers);
    await Promise.all(
      Array.from({ length: callers }, async () => {
        for (let i = 0; i < each; i++) await awaited();
      }),
    );
  };
}

/** Calls by this thread. */
async function callerOf(kind, origin) {
  const { createBlocking, createFetch } = await import(BLOCKING());
  const get = createFetch();
  const { nothing, select } = createBlocking(MODULE);
  const call = { nothing, select, get: () => get(`${origin}/`).text() }[kind];
  return (calls) => {
    for (let i = 0; i < calls; i++) call();
  };
}

/** The handler threads of a server, each of which is sent one request. */
async function threadsOf(kind, count, origin) {
  const child = fork(SERVER, { env: { ...process.env, ORIGIN: `${origin}/`, BENCH_BLOCKING: BLOCKING() } });
  process.on('exit', () => child.kill());
  const [url] = await once(child, 'message');
  const agent = new Agent({ connections: count, headersTimeout: 0 });
  const run = (calls) => {
    const path = `/${kind}/${Math.ceil(calls / count)}`;
    return Promise.all(
      Array.from({ length: count }, async () => {
        const { statusCode, body } = await agent.request({ origin: url, path, method: 'GET' });
        await body.dump();
        if (statusCode >= 300) throw new Error(`Calls without await: ${kind} was answered ${statusCode}`);
      }),
    );
  };
  return Object.assign(run, { end: () => child.kill() });
}
