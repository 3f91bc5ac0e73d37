/**
 * Asks at a fixed rate and says how long the answers took, as JSON: `node fixed-rate.mjs <port> <path> <requests/s> <seconds> <connections>`.
 *
 * Request number n is due n / rate seconds after the start, whatever has been answered by then. Its time runs from when it was due, not from when it could be
 * sent: a server that stands still for a second is charged with all the requests that should have been answered in it, while a client that waits for each
 * answer would ask, and so count, only one (coordinated omission).
 */
import { connect } from 'node:net';
import { createHistogram } from 'node:perf_hooks';

const [port, path, rate, seconds, count] = process.argv.slice(2).map((text) => (/^\d/.test(text) ? Number(text) : text));
const REQUEST = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
/** Answers that have not come so long after the last request is due will not come, ms. */
const PATIENCE = 5000;

/** The first requests are not counted: this client has to be compiled as well, seconds. */
const WARM_UP = 0.5;

const took = createHistogram({ figures: 3 });
/** How late the client itself was with requests that nothing kept waiting. */
const late = createHistogram({ figures: 3 });
const free = [];
/** Requests that are due and wait for a connection. */
const waiting = [];
const uncounted = Math.floor(rate * WARM_UP);
const total = uncounted + Math.floor(rate * seconds);
/** When counting begins, ms. */
let counted = 0;
let due = 0;
let done = 0;
let began = 0;
let length = 0;

const connections = await Promise.all(Array.from({ length: count }, open));
for (const connection of connections) {
  connection.socket.write(REQUEST); // not counted: it shows how long an answer is
  await new Promise((resolve) => {
    connection.answered = resolve;
  });
  length = connection.received;
  connection.received = 0;
  connection.answered = undefined;
  free.push(connection);
}
began = performance.now();
counted = began + (uncounted * 1000) / rate;
turn();

function open() {
  return new Promise((resolve, reject) => {
    const connection = {
      socket: connect({ port, host: '127.0.0.1', noDelay: true }),
      received: 0,
      text: '',
      dueAt: 0,
      answered: undefined,
    };
    connection.socket.on('connect', () => resolve(connection));
    connection.socket.on('error', reject);
    connection.socket.on('data', (bytes) => receive(connection, bytes));
    connection.socket.on('close', () => fail('the server closed a connection'));
  });
}

function receive(connection, bytes) {
  connection.received += bytes.length;
  if (connection.answered) return receiveFirst(connection, bytes.toString('latin1'));
  if (connection.received < length) return;
  if (connection.received > length) fail('an answer is longer than the first');
  connection.received = 0;
  record(took, connection.dueAt);
  done++;
  if (waiting.length > 0) send(connection, waiting.shift());
  else free.push(connection);
}

/** The first answer of a connection may come in parts as well: it has come when its framing says so. */
function receiveFirst(connection, text) {
  connection.text += text;
  const end = connection.text.indexOf('\r\n\r\n') + 4;
  if (end === 3) return;
  if (!connection.text.startsWith('HTTP/1.1 200 ')) fail(`answered with ${connection.text.slice(0, 40)}`);
  const announced = /^content-length: (\d+)/im.exec(connection.text.slice(0, end))?.[1];
  const isWhole = announced === undefined ? connection.text.endsWith('\r\n0\r\n\r\n') : connection.text.length >= end + Number(announced);
  if (isWhole) connection.answered();
}

function send(connection, dueAt) {
  connection.dueAt = dueAt;
  connection.socket.write(REQUEST);
}

function record(histogram, dueAt) {
  if (dueAt >= counted) histogram.record(Math.max(1, Math.round((performance.now() - dueAt) * 1e6)));
}

/** Sends what is due. Runs without a pause: timers know only milliseconds. */
function turn() {
  const now = performance.now();
  for (; due < total && began + (due * 1000) / rate <= now; due++) {
    const dueAt = began + (due * 1000) / rate;
    const connection = free.shift();
    if (connection === undefined) {
      waiting.push(dueAt);
      continue;
    }
    record(late, dueAt);
    send(connection, dueAt);
  }
  if (done < total && now < counted + seconds * 1000 + PATIENCE) setImmediate(turn);
  else report();
}

function report() {
  for (let n = done; n < total; n++) took.record(PATIENCE * 1e6);
  const ms = (histogram, percent) => histogram.percentile(percent) / 1e6;
  const elapsed = (performance.now() - began) / 1000;
  const figures = { p50: ms(took, 50), p99: ms(took, 99), p999: ms(took, 99.9), done: done / elapsed, lateP99: ms(late, 99) };
  console.log(JSON.stringify(figures));
  process.exit(0);
}

function fail(message) {
  console.error(`fixed-rate: ${message}`);
  process.exit(1);
}
