/**
 * New code every five seconds, under a hundred clients with GET and POST, a stream of events and a hundred websockets: who notices?
 *
 *     npm run trial -- reload
 */
import { get as getInTheClear } from 'node:http';
import { get as getOverTls } from 'node:https';
import { WebSocket } from 'ws';
import { Bounds } from './bounds.mjs';
import { askAtRate, largest, quantile, tellFailures } from './client.mjs';
import { isSecure } from './over.mjs';
import { pause, Server } from './server.mjs';

const get = isSecure ? getOverTls : getInTheClear;
const LINES = 100;
const SOCKETS = 100;
/** Requests a second, so that a minute has more than the 200,000 that count. */
const RATE = 3600;
const INTERVAL = 5000;
/** Goodbyes are looked at in windows of so many ms; in none may be more than half of the websockets. */
const WINDOW = 100;

/** @param {{ seconds: number }} how */
export async function run({ seconds }) {
  // The stream never ends by itself: it is cut when a worker has drained for three seconds.
  const server = new Server('test/trials/fixtures/reload.mjs', { workers: 2, shutdownTimeout: 3000, log: 'json' });
  const port = await server.port;
  const end = new AbortController();
  const sockets = Array.from({ length: SOCKETS }, () => new Chatter(port));
  await Promise.all(sockets.map((socket) => socket.open()));
  const stream = new EventReader(port);
  let count = 0;
  const asking = askAtRate({
    port,
    rate: RATE,
    lines: LINES,
    until: end.signal,
    path: () => (++count % 2 === 0 ? { path: '/hello' } : { path: '/echo', method: 'POST', body: `body ${count}` }),
    isRight: ({ status, body }, asked) => status === 200 && body === (asked.body ?? 'hello'),
  });

  /** @type {{ reload: number, ms: number, goodbyes: number, 'spread, ms': number, 'most in 100 ms': number, 'other codes': number }[]} */
  const rows = [];
  for (let reload = 1; reload <= seconds / (INTERVAL / 1000); reload++) {
    const began = performance.now();
    await server.ask('reload');
    const ms = Math.round(performance.now() - began);
    await pause(INTERVAL - (performance.now() - began));
    const closes = sockets.flatMap((socket) => socket.closes).filter(({ at }) => at >= began);
    const times = closes.map(({ at }) => at - began);
    rows.push({
      reload,
      ms,
      goodbyes: closes.length,
      'spread, ms': Math.round(largest(times) - Math.min(...times)),
      'most in 100 ms': densest(times),
      'other codes': closes.filter(({ code }) => code !== 1001).length,
    });
  }
  end.abort();
  const { times, failures } = await asking;
  for (const socket of sockets) socket.end();
  stream.end();
  await server.stop();
  console.table(rows);
  console.table([
    {
      requests: times.length,
      failed: failures.length,
      'p50 ms': quantile(times, 0.5).toFixed(2),
      'p99 ms': quantile(times, 0.99).toFixed(2),
      'max ms': largest(times).toFixed(1),
      events: stream.last,
      'events missed': stream.missed,
      'streams opened': stream.connections,
      'websocket messages lost': sockets.reduce((sum, socket) => sum + socket.lost, 0),
    },
  ]);
  tellFailures(failures);

  const bounds = new Bounds();
  const most = (/** @type {'most in 100 ms' | 'other codes'} */ what) => largest(rows.map((row) => row[what]));
  bounds.atLeast('requests', times.length + failures.length, (200_000 * seconds) / 60);
  bounds.atMost('failed requests', failures.length, 0);
  bounds.atMost('websockets closed with another code than 1001', most('other codes'), 0);
  bounds.atLeast('goodbyes in each reload', Math.min(...rows.map((row) => row.goodbyes)), SOCKETS);
  bounds.atMost(`goodbyes within ${WINDOW} ms`, most('most in 100 ms'), SOCKETS / 2);
  bounds.atMost('events missed', stream.missed, 0);
  bounds.atMost(
    'websocket handshakes that failed',
    sockets.reduce((sum, socket) => sum + socket.refused, 0),
    0,
  );
  bounds.atLeast('streams opened', stream.connections, rows.length);
  bounds.end();
}

/** How many of some times lie within one window. @param {number[]} times */
function densest(times) {
  const sorted = Float64Array.from(times).toSorted();
  return largest([0, ...Array.from(sorted, (from) => sorted.filter((at) => at >= from && at < from + WINDOW).length)]);
}

/** A websocket client: it says something twice a second, and comes back when it is sent away. */
class Chatter {
  /** @readonly */
  #port;
  /** @type {WebSocket | undefined} */
  #socket;
  #isOver = false;
  #asked = 0;
  #heard = 0;
  /** @type {{ at: number, code: number }[]} */
  closes = [];
  refused = 0;
  /** Messages that had no answer while the connection was open. */
  lost = 0;
  /** @readonly */
  #timer;

  /** @param {number} port */
  constructor(port) {
    this.#port = port;
    this.#timer = setInterval(() => this.#say(), 500);
  }

  /** @returns {Promise<void>} Resolves when it is open for the first time. */
  open() {
    return new Promise((resolve) => this.#connect(resolve));
  }

  /** @param {() => void} onOpen */
  #connect(onOpen) {
    const socket = new WebSocket(`${isSecure ? 'wss' : 'ws'}://127.0.0.1:${this.#port}/chat`, { rejectUnauthorized: false });
    this.#socket = socket;
    this.#asked = 0;
    this.#heard = 0;
    let wasOpen = false;
    socket.on('open', () => {
      wasOpen = true;
      onOpen();
    });
    socket.on('message', (/** @type {Buffer} */ text) => {
      if (text.toString() === String(this.#heard)) this.#heard++;
      else this.lost++;
    });
    socket.on('error', () => {
      if (!wasOpen && !this.#isOver) this.refused++;
    });
    socket.on('close', (code) => {
      if (this.#isOver) return;
      if (wasOpen) this.closes.push({ at: performance.now(), code });
      this.#connect(() => {});
    });
  }

  #say() {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    if (this.#asked - this.#heard > 4) this.lost++; // two seconds without an answer
    this.#socket.send(String(this.#asked++));
  }

  end() {
    this.#isOver = true;
    clearInterval(this.#timer);
    this.#socket?.terminate();
  }
}

/** Reads events as EventSource does: when the stream ends it comes back after `retry` ms, and says what it has heard last. */
class EventReader {
  /** @readonly */
  #port;
  #retry = 3000;
  #isOver = false;
  /** @type {import('node:http').ClientRequest | undefined} */
  #request;
  last = 0;
  missed = 0;
  connections = 0;

  /** @param {number} port */
  constructor(port) {
    this.#port = port;
    this.#connect();
  }

  #connect() {
    this.connections++;
    const headers = this.last > 0 ? { 'Last-Event-ID': String(this.last) } : {};
    const request = get({ port: this.#port, path: '/events', headers, agent: false, rejectUnauthorized: false }, (response) => {
      let text = '';
      response.on('data', (bytes) => {
        const events = (text + bytes).split('\n\n');
        text = events.pop() ?? '';
        for (const event of events) this.#take(event);
      });
      response.on('error', () => {}); // 'close' follows
      response.on('close', () => this.#again());
    });
    request.on('error', () => {
      if (!request.res) this.#again();
    });
    this.#request = request;
  }

  #again() {
    if (!this.#isOver) setTimeout(() => this.#connect(), this.#retry);
  }

  /** @param {string} event */
  #take(event) {
    this.#retry = Number(/^retry: ?(\d+)$/m.exec(event)?.[1] ?? this.#retry);
    const id = Number(/^id: ?(\d+)$/m.exec(event)?.[1] ?? Number.NaN);
    if (id !== this.last + 1) this.missed++;
    this.last = id;
  }

  end() {
    this.#isOver = true;
    this.#request?.destroy();
  }
}
