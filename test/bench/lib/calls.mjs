/**
 * What a call without await costs, beside what it stands for. Each pair is measured in turns, round by round, so that a machine whose speed drifts slows
 * both; of the ratios of the rounds the median counts.
 *
 *     empty call      against the bare primitive: postMessage, Atomics.wait, receiveMessageOnPort
 *     GET             createFetch against await undici.request
 *     select 1        createBlocking against await pool.query; needs PostgreSQL
 *
 * Each with 1 caller and with 16: handler threads that share one I/O thread, beside as many promises on one event loop.
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

/** In a round, by all callers together. */
const CALLS = 3000;
/** Before anything counts: the compilers of 16 threads have to see the code. */
const WARM_UP = 16_000;
const SERVER = fileURLToPath(new URL('../blocking-server.mjs', import.meta.url));
const MODULE = new URL('../blocking-select.mjs', import.meta.url);
const BLOCKING = () => pathToFileURL(join(process.env.BENCH_DIST, '../blocking.js')).href;

/**
 * @param {number} rounds
 * @returns {Promise<{ name: string, rounds: [ours: number, theirs: number][] }[]>} µs a call.
 */
export async function measureCalls(rounds) {
  const origin = await startHello();
  const hasDatabase = process.env.PGHOST !== undefined;
  if (!hasDatabase) console.warn('SKIPPED: select 1: PGHOST names no PostgreSQL');
  const results = [];
  for (const callers of [1, 16]) {
    const ours = (kind) => (callers === 1 ? callerOf(kind, origin) : threadsOf(kind, callers, origin));
    const pairs = [
      { name: 'empty call ÷ bare primitive', kind: 'nothing', theirs: () => bareCalls(callers) },
      { name: 'GET ÷ `await undici.request`', kind: 'get', theirs: () => promises(callers, awaitingGet(origin)) },
    ];
    if (hasDatabase) {
      pairs.push({ name: '`select 1` ÷ `await pool.query`', kind: 'select', theirs: () => promises(callers, awaitingSelect()) });
    }
    for (const { name, kind, theirs } of pairs) {
      const measured = await compare(await ours(kind), theirs(), rounds);
      results.push({ name: `${name}, ${callers} ${callers === 1 ? 'caller' : 'callers'}`, rounds: measured });
    }
  }
  return results;
}

/** The table of what was measured, as Markdown. */
export function tableOfCalls(results) {
  const lines = results.map(({ name, rounds }) => [
    name,
    spread(
      rounds.map(([ours, theirs]) => ours / theirs),
      2,
    ),
    ...[0, 1].map((side) => median(rounds.map((round) => round[side])).toFixed(1)),
  ]);
  return markdownTable(['what', 'ratio (less is better)', 'ours, µs', 'the other, µs'], lines);
}

async function compare(ours, theirs, count) {
  const rounds = [];
  await ours(WARM_UP);
  await theirs(WARM_UP);
  for (let i = 0; i < count; i++) rounds.push([await timed(ours), await timed(theirs)]);
  ours.end?.();
  return rounds;
}

async function timed(run) {
  const began = performance.now();
  await run(CALLS);
  return ((performance.now() - began) * 1000) / CALLS;
}

/** The least that any such call must do, by so many threads with one thread that answers them all. */
function bareCalls(callers) {
  const answering = `const { parentPort } = require('node:worker_threads');
    parentPort.on('message', ({ port, cell }) => {
      port.on('message', (id) => { port.postMessage(id); Atomics.add(cell, 0, 1); Atomics.notify(cell, 0); });
    });`;
  const calling = `const { workerData: { port, cell }, parentPort, receiveMessageOnPort } = require('node:worker_threads');
    parentPort.on('message', (calls) => {
      for (let i = 0; i < calls; i++) {
        const before = Atomics.load(cell, 0);
        port.postMessage(i);
        for (let found; !found; found = receiveMessageOnPort(port)) Atomics.wait(cell, 0, before);
      }
      parentPort.postMessage('done');
    });`;
  const io = new Worker(answering, { eval: true });
  const threads = Array.from({ length: callers }, () => {
    const { port1, port2 } = new MessageChannel();
    const cell = new Int32Array(new SharedArrayBuffer(4));
    io.postMessage({ port: port2, cell }, [port2]);
    return new Worker(calling, { eval: true, workerData: { port: port1, cell }, transferList: [port1] });
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
  return run;
}

/** A server in a thread, so that nobody's loop is shared. */
async function startHello() {
  const code = `const { createServer } = require('node:http'); const { parentPort } = require('node:worker_threads');
    const server = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;
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
