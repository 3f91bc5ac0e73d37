/**
 * The same bytes to node:http and to filrouge: what is the handler shown, and who refuses what?
 *
 *     npm run build && npm run differential -- --seed 7 --count 100000
 *
 * Each stream goes to both over a socket of its own; the client then ends its side and reads to the end. Compared are the requests the handlers
 * saw, one after the other (method, target, body). Every difference must belong to a kind that docs/http-support.md explains.
 */
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { parseArgs } from 'node:util';
import { END, HeadEvent, RequestReader } from '../../dist/h1/connection.js';
import { DEFAULT_LIMITS } from '../../dist/h1/limits.js';
import { ProtocolError } from '../../dist/h1/protocol-error.js';
import { Response, startServer } from '../../dist/index.js';
import { randomOf, streamOf } from './corpus.mjs';
import { createTranscriber } from './invariant.mjs';

/** Why the two may differ, by what we say; the first that fits. `node` and `ours` are what the handlers saw. */
const KINDS = [
  ['node loses the connection for CONNECT and serves nothing behind it', ({ text }) => /(?:^|\n)CONNECT /.test(text)],
  ['we refuse TRACE with 405', ({ verdict }) => /405/.test(verdict)],
  ['we refuse methods that are not implemented with 501', ({ verdict }) => /501 method/.test(verdict)],
  ['we refuse a version that is not HTTP/1.x; node serves HTTP/2.0 and 0.9', ({ verdict }) => /505/.test(verdict)],
  ['we refuse a missing, repeated or malformed Host; node checks only that there is one', ({ verdict }) => /bad-host/.test(verdict)],
  [
    'we refuse targets without a meaning: broken escapes, NUL, backslash, an empty authority, `*` without OPTIONS',
    ({ verdict, text }) => /bad-target/.test(verdict) || hasBadTarget(text),
  ],
  ['we answer `OPTIONS *` ourselves; node calls the handler', ({ node }) => node.some((line) => line.startsWith('OPTIONS *'))],
  ['we refuse transfer codings that node hands on undecoded', ({ verdict }) => /transfer-coding/.test(verdict)],
  ['we refuse request lines that node reads: two spaces, no version', ({ verdict }) => /bad-request-line/.test(verdict)],
  ['we refuse fields that node reads', ({ verdict }) => /bad-field/.test(verdict)],
  ['we refuse lengths that node reads: repeated ones, lists', ({ verdict }) => /bad-content-length|body-too-large/.test(verdict)],
  ['we refuse chunks that node reads', ({ verdict }) => /bad-chunk/.test(verdict)],
  ['we refuse expectations; node asks the handler', ({ verdict }) => /417/.test(verdict)],
  [
    'node refuses a method it does not know; we hand it to the handler',
    ({ node, ours }) =>
      ours.some((line) => !node.includes(line) && /^(?:get|[^ ]*[^A-Z -][^ ]*|[A-Z-]+) /.test(line) && !isNodeMethod(line)),
  ],
  ['node serves nothing behind a request with Upgrade, or takes it for another protocol', ({ text }) => /upgrade/i.test(text)],
  ['node refuses raw bytes or values that we read', ({ ours, node }) => ours.length > node.length && /[\x80-\xff]/.test(ours.join(''))],
  ['node goes on behind `Connection: close` or an HTTP/1.0 request; we ignore what follows', ({ ours, node }) => node.length > ours.length],
  [
    'node drops what came before an error that follows in the same packet',
    ({ ours, node }) => ours.length > node.length && node.every((line, i) => line === ours[i]),
  ],
];

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '100000' },
    lanes: { type: 'string', default: '32' },
  },
});
const seed = Number(values.seed);
const count = Number(values.count);
const random = randomOf(seed);
const transcribe = createTranscriber({ RequestReader, HeadEvent, END, ProtocolError, DEFAULT_LIMITS });

const seenByNode = new Map();
const seenByUs = new Map();
const theirs = createServer((request, response) => {
  const pieces = [];
  request.on('data', (piece) => pieces.push(piece));
  request.on('end', () => {
    note(seenByNode, request.socket.remotePort, request.method, request.url, Buffer.concat(pieces));
    response.end('x');
  });
});
theirs.on('clientError', (_error, socket) => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'));
await new Promise((resolve) => theirs.listen(0, '127.0.0.1', resolve));
const ours = await startServer(
  (request) => {
    note(seenByUs, request.remotePort, request.method, request.target, request.body.bytes());
    return Response.text('x');
  },
  { host: '127.0.0.1', port: 0, workers: 0, signals: false },
);

const kinds = new Map();
let requests = 0;
let done = 0;
await Promise.all(Array.from({ length: Number(values.lanes) }, lane));
theirs.close();
await ours.close({ timeout: 0 });

console.log(
  `seed ${seed}: ${count.toLocaleString('en')} streams with ${requests.toLocaleString('en')} requests that at least one of the two served`,
);
for (const [kind, { times, example }] of [...kinds].toSorted((a, b) => b[1].times - a[1].times)) {
  console.log(`${String(times).padStart(8)}  ${kind}${kind.startsWith('UNEXPLAINED') ? `\n          ${example}` : ''}`);
}
if ([...kinds.keys()].some((kind) => kind.startsWith('UNEXPLAINED'))) process.exitCode = 1;

async function lane() {
  while (done++ < count) {
    const text = streamOf(random);
    const [node, us] = await Promise.all([exchange(theirs.address().port, text, seenByNode), exchange(ours.address.port, text, seenByUs)]);
    requests += Math.max(node.length, us.length);
    const kind = kindOf(text, node, us);
    const entry = kinds.get(kind) ?? {
      times: 0,
      example: `${JSON.stringify(text)}\n          node ${JSON.stringify(node)}\n          ours ${JSON.stringify(us)}`,
    };
    entry.times++;
    kinds.set(kind, entry);
  }
}

function kindOf(text, node, us) {
  if (JSON.stringify(node) === JSON.stringify(us)) return 'the same';
  const verdict = /error\(.*\)$/.exec(transcribe(Buffer.from(text, 'latin1'), []))?.[0] ?? '';
  return KINDS.find(([, fits]) => fits({ text, verdict, node, ours: us }))?.[0] ?? `UNEXPLAINED ${verdict}`;
}

/** Sends a stream, ends, reads to the end. @returns What the handler was shown. */
function exchange(port, text, seen) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let local = 0;
    socket.on('connect', () => {
      local = socket.localPort;
      seen.set(local, []);
      socket.end(text, 'latin1');
    });
    socket.on('data', () => {});
    socket.on('error', () => {});
    socket.setTimeout(2000, () => socket.destroy()); // a server that waits for more shows nothing more
    socket.on('close', () => {
      resolve(seen.get(local) ?? []);
      seen.delete(local);
    });
  });
}

function note(seen, port, method, target, body) {
  seen.get(port)?.push(`${method} ${target} ${body.toString('latin1')}`);
}

function hasBadTarget(text) {
  return /^[A-Za-z-]+ \S*(?:%(?![0-9A-Fa-f]{2})|%00|\\|%5c)\S* HTTP/im.test(text);
}

function isNodeMethod(line) {
  return ['GET', 'POST', 'PUT', 'HEAD', 'OPTIONS', 'DELETE', 'PATCH', 'M-SEARCH'].includes(line.split(' ', 1)[0]);
}
