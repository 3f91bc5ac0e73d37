/**
 * The whole engine under random clients: streams cut anywhere, handlers that answer at once, late, in pieces or not at all well, bodies that are
 * streamed and left, clients that end their side or vanish.
 *
 *     npm run build && node test/fuzz/sockets.mjs --seed 7 --count 20000
 *
 * What must come back follows from the bytes alone: an answer for each whole request, in order, then the refusal, if any. Nothing may be left behind.
 */
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as pause, setImmediate as soon } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { END, HeadEvent, RequestReader } from '../../.build/modules/h1/request-reader.js';
import { ProtocolError } from '../../.build/modules/http/errors/protocol-error.js';
import { DEFAULT_LIMITS } from '../../.build/modules/http/request/head-limits.js';
import { parseTarget } from '../../.build/modules/http/target.js';
import { HttpError, Response, startServer } from '../../dist/index.js';
import { cutsOf, randomOf, streamOf } from './corpus.mjs';

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
const MAX_BODY = 40;

let unhandled = 0;
process.on('unhandledRejection', (error) => {
  unhandled++;
  console.error(error);
});

/** How many requests the handler has been shown on each connection, by the client's port. */
const shown = new Map();
const server = await startServer(answer, {
  host: '127.0.0.1',
  port: 0,
  log: 'off',
  workers: 0,
  signals: false,
  bodyMemory: 8,
  maxBodySize: MAX_BODY,
  streamBody: (head) => head.path === '/a/b',
  onError: () => undefined,
});

function answer(request) {
  const id = shown.get(request.remotePort) ?? 0;
  shown.set(request.remotePort, id + 1);
  const response = Response.text(`answer ${id}`).withHeader('X-Id', String(id));
  const how = random();
  if (how < 0.3) return response;
  if (how < 0.4) return soon(response);
  if (how < 0.5) return pause(Math.floor(random() * 4), response);
  if (how < 0.6) return response.withBody(pieces(id));
  if (how < 0.7) return response.withBody('x'.repeat(40_000));
  if (how < 0.75) return response.withStatus(204);
  if (how < 0.8) throw new HttpError(418, 'no', { headers: { 'X-Id': String(id) } });
  return readAll(request, response);
}

async function* pieces(id) {
  yield 'answer ';
  await soon();
  yield String(id);
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
let answers = 0;
const verdicts = new Map();
const began = performance.now();
const descriptors = readdirSync('/proc/self/fd').length;
await Promise.all(Array.from({ length: Number(values.lanes) }, lane));
const seconds = ((performance.now() - began) / 1000).toFixed(1);
const behind = await leftBehind();
await server.close({ timeout: 0 });
console.log(
  `seed ${seed}: ${count.toLocaleString('en')} connections, ${answers.toLocaleString('en')} answers, each in its place, in ${seconds} s`,
);
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
    const text = streamOf(random);
    const model = modelOf(text);
    const how = random() < 0.2 ? 'vanishes' : 'ends';
    const { received, wasReset } = await talk(text, how);
    const verdict = how === 'vanishes' ? 'vanished' : check(model, received, wasReset);
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
    if (verdict.startsWith('WRONG')) {
      console.log(
        `${verdict}\n  sent ${JSON.stringify(text)}\n  model ${JSON.stringify(model)}\n  received ${JSON.stringify(received).slice(0, 3000)}`,
      );
      process.exitCode = 1;
    }
  }
}

/** What the bytes ask for: whole requests, and the status of the refusal behind them. */
function modelOf(text) {
  const reader = new RequestReader(DEFAULT_LIMITS);
  reader.push(Buffer.from(text, 'latin1'));
  const requests = [];
  let current;
  const end = (status) => ({ requests, status, last: current });
  try {
    for (let event = reader.next(); event !== undefined; event = reader.next()) {
      if (event === END) {
        requests.push(current);
        current = undefined;
      } else if (event instanceof HeadEvent) {
        const parts = parseTarget(event.target);
        if (!parts) return end(400);
        current = {
          method: event.method,
          isOurs: event.target === '*',
          isLive: parts.path === '/a/b' && event.length !== 0,
          closes: !event.isPersistent,
          size: 0,
        };
        if (event.length > MAX_BODY) return end(413);
      } else {
        current.size += event.length;
        if (current.size > MAX_BODY) return end(413);
      }
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return end(error.status);
  }
  return end(reader.isMidway ? 400 : undefined);
}

function check(model, received, wasReset) {
  const methods = [...model.requests, model.last].map((request) => request?.method);
  let responses;
  try {
    responses = responsesIn(received, methods, model.requests.length);
  } catch (error) {
    return `WRONG: ${error.message}`;
  }
  let id = 0;
  for (const [i, response] of responses.entries()) {
    const request = model.requests[i];
    const isEnd = i === responses.length - 1;
    if (response.closes && !isEnd) return 'WRONG: an answer says close and another follows';
    if (request?.isLive || (request === undefined && model.last?.isLive)) {
      if (isEnd && response.closes) return 'closed with a body that is streamed';
    }
    if (!request) {
      if (model.last?.isLive && response.id === id) return 'answered before a streamed body that came short';
      if (response.status !== model.status) return `WRONG: ${response.status} and not ${model.status}`;
      return response.closes && isEnd ? `refused ${response.status}` : 'WRONG: a refusal that does not close';
    }
    answers++;
    if (!request.isOurs && response.id !== id++) return `WRONG: answer ${response.id} in place of ${id - 1}`;
  }
  if (wasReset && model.requests[responses.length]?.closes) return 'reset by what the client sent behind its own close';
  if (responses.at(-1)?.isUntilClose) return 'closed with an answer to HTTP/1.0 without a length';
  if (responses.length < model.requests.length) return `WRONG: ${responses.length} answers to ${model.requests.length} requests`;
  return model.status === undefined ? 'served' : `WRONG: no refusal ${model.status}`;
}

/** The final responses, told apart by their own framing. */
function responsesIn(text, methods, wholeCount) {
  const responses = [];
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\r\n\r\n', at);
    const head = text.slice(at, end);
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
    if (end === -1 || !status) throw new Error(`no response at ${at}`);
    at = end + 4;
    let isUntilClose = false;
    if (status === 100 || status === 102) continue;
    const length = /\r\nContent-Length: (\d+)/.exec(head)?.[1];
    const hasBody = methods[responses.length] !== 'HEAD' && status !== 204;
    if (hasBody && length !== undefined) at += Number(length);
    else if (hasBody && head.includes('\r\nTransfer-Encoding: chunked')) {
      const last = /\r\n0+\r\n\r\n/.exec(text.slice(at)); // one who has ended its side may get a zero more
      if (!last) throw new Error('a chunked body without its end');
      at += last.index + last[0].length;
    } else if (hasBody) at = text.length;
    if (/\r\nConnection: close/.test(head) && length === undefined && !head.includes('\r\nTransfer-Encoding: chunked')) isUntilClose = true;
    if (at > text.length) {
      // A refusal of HEAD has no body; of a head that cannot be read, only the engine knows the method.
      if (responses.length < wholeCount || at - Number(length) !== text.length) throw new Error('a body that is cut short');
      at = text.length;
    }
    responses.push({ status, id: Number(/\r\nX-Id: (\d+)/.exec(head)?.[1]), closes: /\r\nConnection: close/.test(head), isUntilClose });
  }
  return responses;
}

/** Sends a stream in pieces; then ends its side and reads to the end, or vanishes somewhere. @returns All that came. */
function talk(text, how) {
  return new Promise((resolve) => {
    const socket = connect({ port: server.address.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    let received = '';
    let local = 0;
    socket.on('connect', async () => {
      local = socket.localPort;
      shown.delete(local);
      const cuts = [0, ...cutsOf(text.length, random), text.length];
      const stop = how === 'vanishes' ? Math.floor(random() * cuts.length) : cuts.length;
      for (let i = 1; i < cuts.length && i <= stop; i++) {
        socket.write(text.slice(cuts[i - 1], cuts[i]), 'latin1');
        if (random() < 0.3) await soon();
      }
      if (how === 'ends') {
        socket.end();
        return;
      }
      if (random() < 0.5) await pause(Math.floor(random() * 3));
      if (random() < 0.5) socket.resetAndDestroy();
      else socket.destroy();
    });
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
    });
    socket.on('end', () => socket.destroy());
    let wasReset = false;
    socket.on('error', ({ code }) => {
      wasReset ||= code === 'ECONNRESET' || code === 'EPIPE';
    });
    socket.setTimeout(10_000, () => socket.destroy(new Error('The server is silent')));
    socket.on('close', () => resolve({ received, wasReset }));
  });
}
