/**
 * The whole engine under random clients of HTTP/2: connections cut anywhere, right and wrong, handlers that answer at once, late, in pieces or not
 * at all well, bodies that are streamed and left, clients that end their side or vanish.
 *
 *     npm run build && node test/fuzz/http2-sockets.mjs --seed 7 --count 20000
 *
 * What is sent is in order, whatever comes. On a connection whose framing is right every request is answered, or its stream reset. Nothing may be
 * left behind.
 */
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as pause, setImmediate as soon } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { HttpError, Response, startServer } from '../../dist/index.js';
import { randomOf } from './corpus.mjs';
import { connectionOf, conversationOf, cutsOf, frameOf, PREFACE } from './http2-corpus.mjs';
import { createOutputCheck, piecesOf } from './http2-feed.mjs';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    count: { type: 'string', default: '20000' },
    lanes: { type: 'string', default: '24' },
  },
});
const seed = Number(values.seed);
const count = Number(values.count);
const random = randomOf(seed);
const WINDOW_UPDATE = 8;
const FRAME_HEAD = 9;

let unhandled = 0;
process.on('unhandledRejection', (error) => {
  unhandled++;
  console.error(error);
});

const server = await startServer(answer, {
  host: '127.0.0.1',
  port: 0,
  log: 'off',
  workers: 0,
  signals: false,
  h2c: true,
  bodyMemory: 1000,
  maxBodySize: 2900,
  streamBody: (head) => head.path === '/a/b' && random() < 0.5,
  writeTimeout: 1000, // some clients give too little window
  onError: () => undefined,
});

function answer(request) {
  const response = Response.text('hello');
  const how = random();
  if (how < 0.3) return response;
  if (how < 0.4) return soon(response);
  if (how < 0.5) return pause(Math.floor(random() * 4), response);
  if (how < 0.6) return response.withBody(pieces());
  if (how < 0.65) return response.withBody(failing());
  if (how < 0.75) return response.withBody('x'.repeat(40_000));
  if (how < 0.8) return response.withStatus(204);
  if (how < 0.85) throw new HttpError(418, 'no');
  if (how < 0.9) return Response.upgrade('websocket', (socket) => void socket.on('data', () => {}).on('end', () => socket.end('bye')));
  return readAll(request, response);
}

async function* pieces() {
  yield 'hel';
  await soon();
  yield 'lo';
}

async function* failing() {
  yield 'hel';
  await soon();
  throw new Error('no more');
}

/** Reads a streamed body, or some of it; what fails there is the client's fault, and said by the error itself. */
async function readAll(request, response) {
  let size = 0;
  const most = random() < 0.3 ? 1 : Number.POSITIVE_INFINITY;
  for await (const piece of request.body.stream()) {
    size += piece.length;
    if (size >= most) break;
  }
  return response;
}

let done = 0;
const verdicts = new Map();
const began = performance.now();
const descriptors = readdirSync('/proc/self/fd').length;
await Promise.all(Array.from({ length: Number(values.lanes) }, lane));
const seconds = ((performance.now() - began) / 1000).toFixed(1);
const behind = await leftBehind();
await server.close({ timeout: 0 });
console.log(`seed ${seed}: ${count.toLocaleString('en')} connections, what was sent on each in order, in ${seconds} s`);
for (const [verdict, times] of [...verdicts].toSorted((a, b) => b[1] - a[1])) console.log(`${String(times).padStart(8)}  ${verdict}`);
console.log(
  `left behind: ${behind.connections} connections, ${behind.inFlight} requests, ${behind.left} descriptors, ${unhandled} rejections nobody handled`,
);
if (behind.connections + behind.inFlight + unhandled > 0 || behind.left > 2) process.exitCode = 1;

/** What is there when all have left: on a busy machine that takes a moment. */
async function leftBehind() {
  for (const end = performance.now() + 5000; ; await pause(50)) {
    const { connections, inFlight } = (await server.status()).workers[0];
    const left = readdirSync('/proc/self/fd').length - descriptors;
    if ((connections + inFlight === 0 && left <= 0) || performance.now() > end) return { connections, inFlight, left };
  }
}

async function lane() {
  while (done++ < count) {
    const isRight = random() < 0.5;
    const { frames, streams } = isRight ? conversationOf(random) : { frames: [], streams: [] };
    const window = frameOf(WINDOW_UPDATE, 0, 0, Buffer.of(0, 16, 0, 0));
    const bytes = isRight ? Buffer.concat([PREFACE, frames[0], window, ...frames.slice(1)]) : connectionOf(random);
    const how = random() < 0.2 ? 'vanishes' : random() < 0.5 ? 'ends' : 'waits';
    const verdict = await talk(bytes, how, streams);
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
    if (!verdict.startsWith('WRONG')) continue;
    console.log(`${verdict}\n  ${how}, sent ${bytes.toString('hex')}`);
    process.exitCode = 1;
  }
}

/** Sends a connection in pieces; then ends its side, waits for all answers, or vanishes somewhere. @returns What became of it. */
function talk(bytes, how, streams) {
  return new Promise((resolve) => {
    const socket = connect({ port: server.address.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const check = createOutputCheck();
    const open = new Set(streams.map(({ id }) => id));
    let received = Buffer.alloc(0);
    let code;
    let wrong;
    let isSilent = false;
    socket.on('connect', async () => {
      const parts = piecesOf(bytes, cutsOf(bytes.length, random));
      const stop = how === 'vanishes' ? Math.floor(random() * parts.length) : parts.length;
      for (const part of parts.slice(0, stop)) {
        socket.write(part);
        if (random() < 0.3) await soon();
      }
      if (how === 'ends' || (how === 'waits' && streams.length === 0)) socket.end();
      if (how !== 'vanishes') return;
      if (random() < 0.5) await pause(Math.floor(random() * 3));
      if (random() < 0.5) socket.resetAndDestroy();
      else socket.destroy();
    });
    socket.on('data', (piece) => {
      received = Buffer.concat([received, piece]);
      if (received.toString('latin1', 0, 5) === 'HTTP/') return; // the preface was another
      try {
        check(piece);
      } catch (error) {
        wrong ??= error.message;
      }
      while (received.length >= FRAME_HEAD && received.length >= FRAME_HEAD + received.readUIntBE(0, 3)) {
        const end = FRAME_HEAD + received.readUIntBE(0, 3);
        const [type, flags, id] = [received[3], received[4], received.readUInt32BE(5)];
        if (type === 3 || (type <= 1 && (flags & 1) === 1)) open.delete(id);
        if (type === 7) code = received.readUInt32BE(FRAME_HEAD + 4);
        received = received.subarray(end);
      }
      if (how === 'waits' && open.size === 0 && streams.length > 0) socket.end();
    });
    socket.on('end', () => socket.destroy());
    socket.on('error', () => {});
    socket.setTimeout(10_000, () => {
      isSilent = true;
      socket.destroy();
    });
    socket.on('close', () => {
      if (wrong) resolve(`WRONG: ${wrong}`);
      else if (isSilent) resolve('WRONG: the server is silent');
      else if (how === 'vanishes') resolve('vanished');
      else if (code) resolve(`an error of the connection, code ${code}`);
      else if (open.size > 0) resolve(`WRONG: streams ${[...open].join()} were not answered`);
      else resolve('answered, or reset stream by stream');
    });
  });
}
