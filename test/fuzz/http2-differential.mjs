/**
 * The same connections of HTTP/2 to node:http2 and to filrouge: what is the handler shown, and who refuses what?
 *
 *     npm run differential:http2 -- --seed 7 --count 20000
 *
 * Each goes to both over a socket of its own. Compared is, stream by stream, the request that came whole: method, target, host, some fields, body.
 * Every difference must be of a kind that `http2-kinds.mjs` names by both verdicts and by the request; any other makes the run fail.
 */
import { createServer } from 'node:http2';
import { connect } from 'node:net';
import { parseArgs } from 'node:util';
import { HeaderDecoder } from '../../.build/modules/h2/hpack/decoder.js';
import { Response, startServer } from '../../dist/index.js';
import { randomOf } from './corpus.mjs';
import { conversationOf, frameOf, PREFACE } from './http2-corpus.mjs';
import { kindOf } from './http2-kinds.mjs';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    count: { type: 'string', default: '20000' },
    lanes: { type: 'string', default: '16' },
  },
});
const seed = Number(values.seed);
const count = Number(values.count);
const FRAME_HEAD = 9;
const [HEADERS, RST_STREAM, PING, GOAWAY] = [1, 3, 6, 7];
/** By then a handler that was called has answered, and its answer has come. */
const FENCES = 3;
const COMPARED = ['accept', 'cookie', 'x', 'x-long', 'te', 'expect'];

/** What each handler was shown of each stream: by the client's port. */
const atNode = new Map();
const atUs = new Map();
const theirs = createServer();
theirs.on('sessionError', () => {});
theirs.on('stream', (stream, headers) => {
  const pieces = [];
  const port = stream.session?.socket?.remotePort;
  stream.on('data', (piece) => pieces.push(piece));
  stream.on('error', () => {});
  stream.on('end', () => {
    if (stream.aborted || stream.destroyed) return;
    const shown = { method: headers[':method'], target: headers[':path'], host: headers[':authority'] ?? headers.host };
    for (const name of COMPARED) shown[name] = headers[name];
    atNode.get(port)?.set(stream.id, { ...shown, body: Buffer.concat(pieces).toString('latin1') });
    if (!stream.headersSent) stream.respond({ ':status': 200 });
    stream.end('x');
  });
});
await new Promise((resolve) => theirs.listen(0, '127.0.0.1', resolve));
const ours = await startServer(
  (request) => {
    const shown = { method: request.method, target: request.target, host: request.host };
    for (const name of COMPARED) shown[name] = request.headerAll(name).length === 0 ? undefined : request.headerAll(name).join(', ');
    atUs.get(request.remotePort)?.set(Number(request.header('x-id')), { ...shown, body: request.body.bytes().toString('latin1') });
    return Response.text('x');
  },
  { host: '127.0.0.1', port: 0, log: 'off', workers: 0, signals: false, h2c: true, onError: () => undefined },
);

const kinds = new Map();
let requests = 0;
let done = 0;
await Promise.all(Array.from({ length: Number(values.lanes) }, lane));
theirs.close();
await ours.close({ timeout: 0 });

console.log(`seed ${seed}: ${count.toLocaleString('en')} connections with ${requests.toLocaleString('en')} requests`);
for (const [kind, { times, example }] of [...kinds].toSorted((a, b) => b[1].times - a[1].times)) {
  console.log(`${String(times).padStart(8)}  ${kind}${kind.startsWith('UNEXPLAINED') ? `\n${example}` : ''}`);
}
if ([...kinds.keys()].some((kind) => kind.startsWith('UNEXPLAINED'))) process.exitCode = 1;

async function lane() {
  while (done++ < count) {
    const { frames, streams } = conversationOf(randomOf(seed * 1_000_003 + done)); // of its own, since the lanes run in no fixed order
    const bytes = Buffer.concat([PREFACE, ...frames]);
    const [node, us] = await Promise.all([exchange(theirs.address().port, bytes, atNode), exchange(ours.address.port, bytes, atUs)]);
    for (const stream of streams) {
      requests++;
      const [own, other] = [verdictOf(us, stream.id), verdictOf(node, stream.id)];
      if (own !== 'served' && own === other) note('the same', stream);
      else if (
        own === 'served' &&
        other === 'served' &&
        JSON.stringify(us.shown.get(stream.id)) === JSON.stringify(node.shown.get(stream.id))
      ) {
        note('the same', stream);
      } else note(kindOf({ ours: own, node: other, stream, streams }), { stream, us, node });
    }
  }
}

function note(kind, example) {
  const entry = kinds.get(kind) ?? {
    times: 0,
    example: `          ${JSON.stringify(example)
      .replaceAll(/x{100,}/g, 'x…')
      .slice(0, 1500)}`,
  };
  entry.times++;
  kinds.set(kind, entry);
}

/** `served`; the status of an answer without the handler; the code of a reset, or of the end of the connection; or `nothing`. */
function verdictOf({ shown, statuses, resets, code }, id) {
  if (shown.has(id)) return 'served';
  if (statuses.has(id)) return statuses.get(id);
  if (resets.has(id)) return `reset ${resets.get(id)}`;
  return code === undefined ? 'nothing' : `connection ${code}`;
}

/** Sends a connection, and pings behind it. @returns What the handler was shown, and what came back. */
function exchange(port, bytes, outcomes) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const decoder = new HeaderDecoder(4096);
    const outcome = { shown: new Map(), statuses: new Map(), resets: new Map(), code: undefined };
    let rest = Buffer.alloc(0);
    let fences = 0;
    let local = 0;
    const fence = () => socket.write(frameOf(PING, 0, 0, Buffer.from(`fence ${fences} `.slice(0, 8))));
    socket.on('connect', () => {
      local = socket.localPort;
      outcomes.set(local, outcome.shown);
      socket.write(bytes);
      fence();
    });
    socket.on('data', (piece) => {
      rest = Buffer.concat([rest, piece]);
      while (rest.length >= FRAME_HEAD && rest.length >= FRAME_HEAD + rest.readUIntBE(0, 3)) {
        const end = FRAME_HEAD + rest.readUIntBE(0, 3);
        take(rest[3], rest[4], rest.readUInt32BE(5), rest.subarray(FRAME_HEAD, end));
        rest = rest.subarray(end);
      }
    });
    socket.on('end', () => socket.destroy());
    socket.on('error', () => {});
    socket.setTimeout(2000, () => socket.destroy());
    socket.on('close', () => {
      outcomes.delete(local);
      resolve(outcome);
    });

    function take(type, flags, id, payload) {
      if (type === RST_STREAM) outcome.resets.set(id, payload.readUInt32BE(0));
      else if (type === GOAWAY) outcome.code = payload.readUInt32BE(4);
      else if (type === HEADERS) {
        const { fields } = decoder.decode(payload, 0, payload.length, { maxListSize: 1e6, maxFields: 1e4 });
        const status = Number(fields[fields.indexOf(':status') + 1]);
        if (status >= 200) outcome.statuses.set(id, status);
      } else if (type === PING && (flags & 1) === 1 && payload.toString('latin1', 0, 6) === 'fence ') {
        if (++fences === FENCES) socket.destroy();
        else fence();
      }
    }
  });
}
