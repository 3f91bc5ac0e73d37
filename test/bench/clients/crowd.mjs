/**
 * Clients that stay and listen: `node crowd.mjs <port> <number> <ws | io>`. Prints how many are open. For each line `<messages> <seconds>` that it is
 * written, it has the server tell all of them so many messages at a time, again as soon as the last of these has come, for that long, and prints
 * `{"received": …, "seconds": …}`: each of the messages is looked at, and has come to every client in full. A line `?` asks how many are still open.
 */
import { get } from 'node:http';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { MESSAGE } from '../content.mjs';
import { handshake } from './handshake.mjs';

const [port, number] = process.argv.slice(2, 4).map(Number);
const isSocketIO = process.argv[4] === 'io';
/** Handshakes at a time: less than any server queues. */
const AT_ONCE = 100;
/** What does not come for this long will not come, ms. */
const PATIENCE = 60_000;

const path = isSocketIO ? '/socket.io/?EIO=4&transport=websocket' : '/';
const HANDSHAKE = handshake(path, port);
const WANTED = Buffer.from(isSocketIO ? `42${JSON.stringify(['news', MESSAGE])}` : MESSAGE);
const EMPTY = Buffer.alloc(0);
const TEXT = 0x81;
const PING = 0x89;
const PONG = 0x8a;

let open = 0;
let received = 0;
/** How many are to come before `onAll` is called. */
let awaited = 0;
let onAll = () => {};

let begun = 0;
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    while (begun++ < number) await join();
  }),
);
console.log(open);
const lines = createInterface(process.stdin);
for await (const line of lines) {
  if (line === '?') console.log(open);
  else console.log(JSON.stringify(await listen(...line.split(' ').map(Number))));
}
process.exit(0);

/** @param {number} messages @param {number} seconds */
async function listen(messages, seconds) {
  const before = received;
  const began = performance.now();
  while (performance.now() - began < seconds * 1000) await hear(messages);
  return { received: received - before, seconds: (performance.now() - began) / 1000 };
}

/** Has them told, and waits until all have come. @param {number} messages */
function hear(messages) {
  return new Promise((resolve) => {
    awaited = received + messages * number;
    const late = setTimeout(() => fail(`${awaited - received} of ${messages * number} messages have not come`), PATIENCE);
    onAll = () => {
      clearTimeout(late);
      resolve();
    };
    get({ host: '127.0.0.1', port, path: `/go?messages=${messages}` }, (response) => response.resume()).on('error', ({ message }) =>
      fail(message),
    );
  });
}

function join() {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => socket.write(HANDSHAKE));
    const client = { socket, rest: EMPTY, isOpen: false, joined: resolve };
    socket.on('data', (bytes) => read(client, client.rest.length === 0 ? bytes : Buffer.concat([client.rest, bytes])));
    socket.on('close', () => open--);
    socket.on('error', ({ message }) => fail(message));
  });
}

function joined(client) {
  open++;
  client.joined();
}

/** Takes frames apart as they come: a server sends them whole, without masks, and those here are short (RFC 6455 §5.2). */
function read(client, bytes) {
  let at = 0;
  if (!client.isOpen) {
    at = bytes.indexOf('\r\n\r\n') + 4;
    if (at === 3) {
      client.rest = bytes;
      return;
    }
    if (!bytes.latin1Slice(0, 13).startsWith('HTTP/1.1 101 ')) fail(`answered with ${bytes.latin1Slice(0, 40)}`);
    client.isOpen = true;
    if (!isSocketIO) joined(client);
  }
  while (bytes.length - at >= 4) {
    const short = bytes[at + 1];
    const head = short === 126 ? 4 : 2;
    const size = short === 126 ? bytes.readUInt16BE(at + 2) : short;
    if (bytes.length - at < head + size) break;
    take(client, bytes[at], bytes.subarray(at + head, at + head + size));
    at += head + size;
  }
  client.rest = at === bytes.length ? EMPTY : bytes.subarray(at);
}

function take(client, kind, payload) {
  if (kind === TEXT && payload.equals(WANTED)) {
    received++;
    if (received === awaited) onAll();
    return;
  }
  if (kind === PING) {
    client.socket.write(frameOf(payload, PONG));
    return;
  }
  const text = payload.toString();
  if (kind !== TEXT || !isSocketIO) fail(`a frame of kind ${kind} has come: ${text}`);
  if (text.startsWith('0{')) client.socket.write(frameOf(Buffer.from('40'), TEXT));
  else if (text.startsWith('40{')) joined(client);
  else if (text === '2') client.socket.write(frameOf(Buffer.from('3'), TEXT));
  else fail(`this has come: ${text}`);
}

/** A frame of a client, whose mask is all zeros. */
function frameOf(payload, kind) {
  return Buffer.concat([Buffer.from([kind, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

function fail(message) {
  console.error(`crowd: ${message}`);
  process.exit(1);
}
