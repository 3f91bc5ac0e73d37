/**
 * Clients of an echo over websockets: `node echo.mjs <port> <connections> <in flight> <seconds>`. Each keeps so many messages of 100 bytes under way, and
 * sends the next when one has come back; each that comes back is looked at. Prints `{"rate": …, "p99": …, "done": …}`: messages a second, ms, messages.
 */
import { connect } from 'node:net';
import { MESSAGE } from '../content.mjs';
import { handshake } from './handshake.mjs';

const [port, connections, inFlight, seconds] = process.argv.slice(2).map(Number);
/** What does not come for this long will not come, ms. */
const PATIENCE = 10_000;
const HANDSHAKE = handshake('/echo-socket', port);
const TEXT = 0x81;
const PAYLOAD = Buffer.from(MESSAGE);
const MASKED = 0x80;
/** What a client sends, its mask all zeros, and what must come back, without one (RFC 6455 §5.2). */
const QUESTION = Buffer.concat([Buffer.from([TEXT, MASKED | PAYLOAD.length, 0, 0, 0, 0]), PAYLOAD]);
const ANSWER = Buffer.concat([Buffer.from([TEXT, PAYLOAD.length]), PAYLOAD]);
/** A connection's questions of one turn go out in one write. */
const QUESTIONS = Array.from({ length: inFlight + 1 }, (_, count) => Buffer.concat(Array(count).fill(QUESTION)));

const times = [];
let isOver = false;
const late = setTimeout(() => fail(`${inFlight * connections} messages are under way and none comes`), PATIENCE + seconds * 1000);
const sockets = await Promise.all(Array.from({ length: connections }, open));
const began = performance.now();
setTimeout(() => {
  isOver = true;
}, seconds * 1000);
await Promise.all(sockets.map(exchange));
const took = (performance.now() - began) / 1000;
clearTimeout(late);
times.sort((a, b) => a - b);
console.log(JSON.stringify({ rate: times.length / took, p99: times[Math.floor(times.length * 0.99)], done: times.length }));
process.exit(0);

/** @returns A socket behind its handshake. */
function open() {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => socket.write(HANDSHAKE));
    let head = '';
    socket.on('error', ({ message }) => fail(message));
    socket.on('close', () => fail('a connection has ended'));
    socket.on('data', function read(bytes) {
      head += bytes.latin1Slice();
      if (!head.endsWith('\r\n\r\n')) return;
      if (!head.startsWith('HTTP/1.1 101 ')) fail(`answered with ${head.slice(0, 40)}`);
      socket.off('data', read);
      resolve(socket);
    });
  });
}

/** Until the time is over and all that is under way has come back. */
function exchange(socket) {
  return new Promise((resolve) => {
    const sent = Array(inFlight).fill(performance.now());
    let rest = Buffer.alloc(0);
    socket.on('data', (bytes) => {
      const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      const count = Math.floor(all.length / ANSWER.length);
      for (let n = 0; n < count; n++) {
        const from = n * ANSWER.length;
        if (ANSWER.compare(all, from, from + ANSWER.length) !== 0) fail(`this has come: ${all.latin1Slice(from, from + ANSWER.length)}`);
      }
      rest = all.subarray(count * ANSWER.length);
      const now = performance.now();
      for (const time of sent.splice(0, count)) times.push(now - time);
      if (isOver) return sent.length === 0 && resolve();
      for (let n = 0; n < count; n++) sent.push(now);
      return count > 0 && socket.write(QUESTIONS[count]);
    });
    socket.write(QUESTIONS[inFlight]);
  });
}

function fail(message) {
  console.error(`echo: ${message}`);
  process.exit(1);
}
