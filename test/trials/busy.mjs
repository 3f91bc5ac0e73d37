/**
 * `busy`: is every answer right, and there in time, when servers of every kind have far more to do than the machine can?
 *
 *     npm run trial -- busy
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, FormData } from 'undici';
import { WebSocket } from 'ws';
import { Bounds } from './bounds.mjs';
import { largest, tellFailures } from './client.mjs';
import { pause, Server } from './server.mjs';

/** Each kind has a server of its own, and all of them run at the same time. */
const KINDS = {
  'in one process': { workers: 0, maxMemoryForBodies: 2 ** 20 },
  'one thread': { workers: 0, threads: 1 },
  'growing threads': { workers: 0, threads: { min: 1, max: 4 }, maxMemoryForBodies: 2 ** 20 },
  workers: { workers: 2 },
  'workers with threads': { workers: 2, threads: 2 },
  affinity: { workers: 3, affine: true },
  'affinity with threads': { workers: 2, threads: 1, affine: true },
  'workers of few requests': { workers: 2, maxRequestsPerWorker: 300 },
};
/** Those that are reloaded all the time, and those whose workers are replaced at all. */
const RELOADED = new Set(['workers', 'workers with threads', 'affinity', 'affinity with threads']);
const REPLACED = new Set([...RELOADED, 'workers of few requests']);
const RELOAD_INTERVAL = 2000;
const CLIENTS = 6;
/** An answer that takes longer than this has been forgotten, ms: nothing that is asked takes longer than a tenth of a second by itself. */
const PATIENCE = 20_000;
const FILE_SIZE = 300_000;
const KEYS = 16;
/** How long the last exchanges of a server may take to be over when nobody asks any more, ms. */
const REST = 10_000;

/**
 * @typedef {object} Asking
 * @property {Client} client
 * @property {number} port
 * @property {() => Record<string, string>} key
 * @property {boolean} mayEnd Workers are replaced: what has no end of its own may end early, and so may a connection, behind an answer that says so.
 */

/** @param {{ seconds: number }} how */
export async function run({ seconds }) {
  const folder = mkdtempSync(join(tmpdir(), 'filrouge-trial-busy-'));
  const large = join(folder, 'large.bin');
  const bytes = randomBytes(FILE_SIZE);
  writeFileSync(large, bytes);
  const fixture = 'test/trials/fixtures/busy.mjs';
  const peer = new Server(fixture, { workers: 0 });
  const env = { NODE_ENV: 'production', PEER: `http://127.0.0.1:${await peer.port}`, LARGE: large };
  const asked = questions(bytes);
  const servers = Object.entries(KINDS).map(([kind, options]) => ({ kind, server: new Server(fixture, options, env) }));
  await Promise.all(servers.map(({ server }) => server.port));
  const end = AbortSignal.timeout(seconds * 1000);
  const rows = await Promise.all(servers.map(({ kind, server }) => tryOne(kind, server, asked, end)));
  await peer.stop();
  rmSync(folder, { recursive: true });
  console.table(rows.map(({ failures, ...row }) => ({ ...row, failed: failures.length })));
  const failures = rows.flatMap((row) => row.failures.map((failure) => `${row.kind}: ${failure}`));
  tellFailures(failures);
  const bounds = new Bounds();
  bounds.atMost('answers that were wrong, or not there in time', failures.length, 0);
  bounds.atMost('exchanges that are not over afterwards', largest(rows.map((row) => row['left behind'])), 0);
  bounds.end();
}

/**
 * @param {string} kind
 * @param {Server} server
 * @param {readonly ((asking: Asking) => Promise<unknown>)[]} asked
 * @param {AbortSignal} end
 */
async function tryOne(kind, server, asked, end) {
  const port = await server.port;
  /** @type {number[]} */
  const times = [];
  /** @type {string[]} */
  const failures = [];
  const one = async () => {
    let client = newClient(port);
    while (!end.aborted) {
      const question = /** @type {typeof asked[0]} */ (asked[Math.floor(Math.random() * asked.length)]);
      const key = () => ({ key: `key ${Math.floor(Math.random() * KEYS)}` });
      const began = performance.now();
      try {
        await inTime(question({ client, port, key, mayEnd: REPLACED.has(kind) }));
        times.push(performance.now() - began);
      } catch (error) {
        failures.push(`${question.name}: ${String(error)}`);
        void client.destroy();
        client = newClient(port);
      }
    }
    await client.destroy();
  };
  const clients = Array.from({ length: CLIENTS }, one);
  if (RELOADED.has(kind)) await reloadUntil(end, server);
  await Promise.all(clients);
  const left = await leftBehind(server);
  await server.stop();
  return { kind, requests: times.length, 'longest ms': Math.round(largest(times)), 'left behind': left, failures };
}

/** @param {AbortSignal} end @param {Server} server */
async function reloadUntil(end, server) {
  while (!end.aborted) {
    await pause(RELOAD_INTERVAL);
    await server.ask('reload');
  }
}

/** @param {number} port */
function newClient(port) {
  return new Client(`http://127.0.0.1:${port}`, { headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: 1000 });
}

/** Requests in flight when nothing is asked any more, but for those that end in a while. @param {Server} server */
async function leftBehind(server) {
  const until = performance.now() + REST;
  for (;;) {
    const { workers } = await server.ask('status');
    const left = workers.reduce((sum, { inFlight, connections }) => sum + inFlight + connections, 0);
    if (left === 0 || performance.now() > until) return left;
    await pause(50);
  }
}

/** @param {Promise<unknown>} answer */
async function inTime(answer) {
  let timer;
  const overdue = new Promise((_, reject) => {
    timer = setTimeout(reject, PATIENCE, new Error(`no answer within ${PATIENCE} ms`));
  });
  try {
    await Promise.race([answer, overdue]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * What is asked: each knows the answer.
 *
 * @param {Buffer} file
 * @returns {readonly ((asking: Asking) => Promise<unknown>)[]}
 */
function questions(file) {
  const body = (/** @type {number} */ most) => randomBytes(1 + Math.floor(Math.random() * most));
  return [
    async function hello(asking) {
      expectSame(await get(asking, '/hello'), 'hello');
    },
    async function block(asking) {
      expectSame(await get(asking, `/block/${Math.floor(Math.random() * 60)}`), 'blocked');
    },
    async function later(asking) {
      expectSame(await get(asking, `/later/${Math.floor(Math.random() * 40)}`), 'later');
    },
    async function fails(asking) {
      await get(asking, '/throw', 500);
    },
    async function echoSmall(asking) {
      await echo(asking, '/echo', body(2000));
    },
    async function echoLarge(asking) {
      await echo(asking, '/echo', body(400_000));
    },
    async function proxied(asking) {
      expectSame(await get(asking, '/peer/hello'), 'hello');
    },
    async function proxiedLarge(asking) {
      await echo(asking, '/peer/echo', body(200_000));
    },
    async function program(asking) {
      await echo(asking, '/cgi', body(100_000));
    },
    async function asks(asking) {
      expectSame(await get(asking, '/asked'), 'hello');
    },
    async function json(asking) {
      const sent = JSON.stringify({ values: [...body(500)] });
      expectSame(await post(asking, '/json', sent, { 'content-type': 'application/json' }), sent);
    },
    async function form(asking) {
      const sent = new FormData();
      const size = Math.floor(Math.random() * 200_000);
      sent.set('text', 'grün');
      sent.set('file', new Blob([Buffer.alloc(size, 'x')]), 'file.bin');
      expectSame(await post(asking, '/form', sent), JSON.stringify({ text: 'grün', size }));
    },
    async function streamed(asking) {
      const sent = body(500_000);
      expectSame(await post(asking, '/streamed', piecesOf(sent)), createHash('sha1').update(sent).digest('hex'));
    },
    async function pieces(asking) {
      const count = Math.floor(Math.random() * 60);
      expectSame((await get(asking, `/pieces/${count}`)).length, count * 10_000);
    },
    async function events(asking) {
      const count = Math.floor(Math.random() * 20);
      const came = (await get(asking, `/events/${count}`)).match(/^id: /gm)?.length ?? 0;
      if (!asking.mayEnd || came > count) expectSame(came, count);
    },
    async function wholeFile(asking) {
      expectSame(await getBytes(asking, '/file', {}, 200), file);
    },
    async function partOfFile(asking) {
      const from = Math.floor(Math.random() * FILE_SIZE);
      expectSame(await getBytes(asking, '/file', { range: `bytes=${from}-` }, 206), file.subarray(from));
    },
    async function compressed(asking) {
      expectSame((await getBytes(asking, '/text', { 'accept-encoding': 'gzip' }, 200)).subarray(0, 2), Buffer.from([0x1f, 0x8b]));
    },
    async function session(asking) {
      const { bytes, fields } = await ask(asking, { path: '/session', method: 'GET', headers: {} });
      expectSame(bytes.toString(), '1');
      const cookie = String(fields['set-cookie']).split(';')[0] ?? '';
      expectSame(await get(asking, '/session', 200, { cookie }), '2');
    },
    async function limited(asking) {
      expectSame(await get(asking, '/limited'), 'allowed');
    },
    async function round(asking) {
      const word = randomBytes(8).toString('hex');
      expectSame(await get(asking, `/round/${word}`), word);
    },
    async function pipelined({ port, mayEnd }) {
      const one = 'GET /hello HTTP/1.1\r\nHost: a\r\n';
      const received = await raw(port, `${one}\r\n`.repeat(7) + `${one}Connection: close\r\n\r\n`);
      const came = received.split('\r\n\r\nhello').length - 1;
      const saysSo = /Connection: close\r\n(?:(?!HTTP).)*hello$/s.test(received);
      if (!mayEnd || !saysSo) expectSame(came, 8);
    },
    async function halfClosed({ port }) {
      const received = await raw(port, 'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody', true);
      expectSame(received.slice(-4), 'body');
    },
    async function leaves({ port }) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      const path = ['/later/50', '/pieces/500', '/events/500', '/block/20', '/file'][Math.floor(Math.random() * 5)];
      socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await pause(Math.random() * 60);
      socket.destroy();
    },
    async function leavesWithBody({ port, key }) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      const path = Math.random() < 0.5 ? '/echo' : '/streamed';
      socket.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nKey: ${key()['key']}\r\nContent-Length: 500000\r\n\r\n`);
      socket.write('x'.repeat(Math.random() < 0.5 ? 500_000 : 5)); // all of it may be there, and be on its way to another worker
      await pause(Math.random() * 60);
      socket.destroy();
    },
    async function socket({ port, mayEnd }) {
      const ws = new WebSocket(`ws://127.0.0.1:${port}/socket`);
      await once(ws, 'open');
      const closed = once(ws, 'close').then(([code]) => code);
      for (let i = 0; i < 5; i++) {
        ws.send(`message ${i}`);
        const received = await Promise.race([once(ws, 'message').then(([text]) => String(text)), closed]);
        if (received === 1001 && mayEnd) return;
        expectSame(received, `message ${i}`);
      }
      ws.close();
      await closed;
    },
  ];
}

/** @param {Buffer} bytes */
async function* piecesOf(bytes) {
  for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000);
}

/** @param {Asking} asking @param {string} path @param {number} [status] @param {Record<string, string>} [headers] */
async function get(asking, path, status = 200, headers = {}) {
  return (await getBytes(asking, path, headers, status)).toString();
}

/** @param {Asking} asking @param {string} path @param {Record<string, string>} headers @param {number} status */
async function getBytes(asking, path, headers, status) {
  return (await ask(asking, { path, method: 'GET', headers }, status)).bytes;
}

/** @param {Asking} asking @param {string} path @param {any} body @param {Record<string, string>} [headers] */
async function post(asking, path, body, headers = {}) {
  return (await ask(asking, { path, method: 'POST', headers, body })).bytes.toString();
}

/** @param {Asking} asking @param {string} path @param {Buffer} body */
async function echo(asking, path, body) {
  expectSame((await ask(asking, { path, method: 'POST', headers: {}, body })).bytes, body);
}

/**
 * Asks with one of the keys.
 *
 * @param {Asking} asking
 * @param {{ path: string, method: 'GET' | 'POST', headers: Record<string, string>, body?: any }} question
 * @param {number} [status] That of the right answer.
 */
async function ask({ client, key }, { headers, ...question }, status = 200) {
  const { statusCode, body, headers: fields } = await client.request({ ...question, headers: { ...key(), ...headers } });
  const bytes = Buffer.from(await body.arrayBuffer());
  if (statusCode !== status) throw new Error(`${statusCode} ${bytes.toString('utf8', 0, 200)}`);
  return { bytes, fields };
}

/** Sends bytes as they are. @param {number} port @param {string} text @param {boolean} [isEnd] Ends the sending side behind them. */
async function raw(port, text, isEnd = false) {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let received = '';
  socket.setEncoding('latin1').on('data', (/** @type {string} */ piece) => {
    received += piece;
  });
  socket[isEnd ? 'end' : 'write'](text);
  await once(socket, 'end');
  socket.destroy();
  return received;
}

/** @param {unknown} received @param {unknown} expected */
function expectSame(received, expected) {
  const isSame = Buffer.isBuffer(received) ? received.equals(/** @type {Buffer} */ (expected)) : received === expected;
  if (!isSame) throw new Error(`${String(received).slice(0, 100)} instead of ${String(expected).slice(0, 100)}`);
}
