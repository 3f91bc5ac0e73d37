/**
 * `node test/bench/blocking.mjs` after a build: what a call without await costs, beside what it stands for.
 *
 * Three pairs, each measured in turns, round by round, so that a machine whose speed drifts slows both; the median of the ratios is printed.
 *
 *     empty call      against the bare primitive: postMessage, Atomics.wait, receiveMessageOnPort
 *     GET             createFetch against await undici.request, with 1 caller and with 16
 *     select 1        createBlocking against await pool.query, with 1 caller and with 16 (needs PostgreSQL; see test/support/postgres.ts)
 *
 * The 16 callers are threads that share one I/O thread, and beside them 16 promises on one event loop.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { Pool } from 'pg';
import { Agent } from 'undici';
import { createBlocking, createFetch } from '../../dist/blocking.js';

const ROUNDS = 9;
const CALLS = 3000;
const SERVER = fileURLToPath(new URL('./blocking-server.mjs', import.meta.url));
const SELECT_MODULE = new URL('./blocking-select.mjs', import.meta.url);

await main();

async function main() {
  report('empty call, against the bare primitive', await compare(emptyCall(), bareCall()));
  const origin = await startHello();
  for (const callers of [1, 16]) {
    report(
      `GET, ${callers} ${callers === 1 ? 'caller' : 'callers'}, against await`,
      await compareCallers('get', callers, origin, awaitingGet(origin)),
    );
  }
  if (process.env.PGHOST === undefined) console.log('select 1: PGHOST names no database');
  for (const callers of process.env.PGHOST === undefined ? [] : [1, 16]) {
    report(
      `select 1, ${callers} ${callers === 1 ? 'caller' : 'callers'}, against await`,
      await compareCallers('select', callers, '', awaitingSelect()),
    );
  }
  process.exit();
}

/** µs a call, of both, and the median of the ratios of the rounds. */
async function compare(ours, theirs) {
  const rounds = [];
  await ours(200);
  await theirs(200);
  for (let i = 0; i < ROUNDS; i++) rounds.push([await timed(ours), await timed(theirs)]);
  return rounds;
}

async function timed(run, calls = CALLS) {
  const began = performance.now();
  await run(calls);
  return ((performance.now() - began) * 1000) / calls;
}

function report(name, rounds) {
  const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
  const [ours, theirs] = [0, 1].map((side) => median(rounds.map((round) => round[side])));
  console.log(
    `${name.padEnd(42)} ${ours.toFixed(1).padStart(7)} µs ${theirs.toFixed(1).padStart(7)} µs   ×${median(rounds.map(([a, b]) => a / b)).toFixed(2)}`,
  );
}

function emptyCall() {
  const { nothing } = createBlocking(SELECT_MODULE);
  return (calls) => {
    for (let i = 0; i < calls; i++) nothing();
  };
}

/** The least that any such call must do. */
function bareCall() {
  const { port1, port2 } = new MessageChannel();
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const code = `const { workerData: { port, cell } } = require('node:worker_threads');
    port.on('message', (id) => { port.postMessage(id); Atomics.add(cell, 0, 1); Atomics.notify(cell, 0); });`;
  new Worker(code, { eval: true, workerData: { port: port2, cell }, transferList: [port2] }).unref();
  return (calls) => {
    for (let i = 0; i < calls; i++) {
      const before = Atomics.load(cell, 0);
      port1.postMessage(i);
      for (let found; !found; found = receiveMessageOnPort(port1)) Atomics.wait(cell, 0, before);
    }
  };
}

/** A server in a process of its own kind: a thread, so that nobody's loop is shared. */
async function startHello() {
  const code = `const { createServer } = require('node:http'); const { parentPort } = require('node:worker_threads');
    const server = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;
  const worker = new Worker(code, { eval: true });
  worker.unref();
  const [port] = await once(worker, 'message');
  return `http://127.0.0.1:${port}`;
}

function awaitingGet(origin) {
  const agent = new Agent({ connections: 64 });
  return async () => {
    const { body } = await agent.request({ origin, path: '/', method: 'GET' });
    await body.text();
  };
}

function awaitingSelect() {
  const pool = new Pool({ max: 16 });
  return () => pool.query('select 1');
}

/** Calls by so many threads, beside so many promises. */
async function compareCallers(kind, callers, origin, awaited) {
  const run = callers === 1 ? callerOf(kind, origin) : await threadsOf(kind, callers, origin);
  return compare(run, async (calls) => {
    const each = Math.ceil(calls / callers);
    await Promise.all(
      Array.from({ length: callers }, async () => {
        for (let i = 0; i < each; i++) await awaited();
      }),
    );
  });
}

function callerOf(kind, origin) {
  if (kind === 'get') {
    const get = createFetch();
    return (calls) => {
      for (let i = 0; i < calls; i++) get(`${origin}/`).text();
    };
  }
  const { select } = createBlocking(SELECT_MODULE);
  return (calls) => {
    for (let i = 0; i < calls; i++) select();
  };
}

/** The handler threads of a server, each of which is sent one request. */
async function threadsOf(kind, count, origin) {
  const child = fork(SERVER, { env: { ...process.env, ORIGIN: `${origin}/` } });
  process.on('exit', () => child.kill());
  const [url] = await once(child, 'message');
  const agent = new Agent({ connections: count, headersTimeout: 0 });
  return (calls) => {
    const path = `/${kind}/${Math.ceil(calls / count)}`;
    return Promise.all(Array.from({ length: count }, async () => (await agent.request({ origin: url, path, method: 'GET' })).body.dump()));
  };
}
