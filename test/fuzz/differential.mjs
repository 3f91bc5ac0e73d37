/**
 * The same bytes to node:http and to filrouge: what is the handler shown, and who refuses what?
 *
 *     npm run differential -- --seed 7 --count 100000
 *
 * Each stream goes to both over a socket of its own; the client then ends its side and reads to the end. Compared are the requests that came
 * whole, one after the other (method, target, body), and at the first that differs: who served it, who refused it, and with what error.
 * Every difference must be of a kind that `kinds.mjs` names by both verdicts and by the bytes at that place; any other makes the run fail.
 */
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { parseArgs } from 'node:util';
import { END, HeadEvent, RequestReader } from '../../.build/modules/h1/request-reader.js';
import { ProtocolError } from '../../.build/modules/http/errors/protocol-error.js';
import { DEFAULT_LIMITS } from '../../.build/modules/http/request/head-limits.js';
import { parseTarget } from '../../.build/modules/http/target.js';
import { Response, startServer } from '../../dist/index.js';
import { randomOf, streamOf } from './corpus.mjs';
import { kindOf } from './kinds.mjs';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    count: { type: 'string', default: '100000' },
    lanes: { type: 'string', default: '32' },
  },
});
const seed = Number(values.seed);
const count = Number(values.count);

/** What each handler saw, and how it ended: by the client's port. */
const atNode = new Map();
const atUs = new Map();
const theirs = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  // What node's parser gives is noted when it gives it: its events come a tick later, and never when an error follows in the same packet.
  const entry = { method: request.method, target: request.url, body: '', isWhole: false };
  atNode.get(request.socket.remotePort)?.requests.push(entry);
  const push = request.push;
  request.push = (piece) => {
    if (piece === null) entry.isWhole = true;
    else entry.body += piece.toString('latin1');
    return push.call(request, piece);
  };
  request.resume();
  request.on('end', () => response.end('x'));
});
theirs.httpAllowHalfOpen = true; // else node cuts what it still owes when the client ends its side
theirs.on('clientError', (error, socket) => {
  const outcome = atNode.get(socket.remotePort);
  if (outcome) outcome.error ??= error.code;
  socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
});
await new Promise((resolve) => theirs.listen(0, '127.0.0.1', resolve));
const ours = await startServer(
  (request) => {
    atUs
      .get(request.remotePort)
      ?.requests.push({ method: request.method, target: request.target, body: request.body.bytes().toString('latin1'), isWhole: true });
    return Response.text('x');
  },
  { host: '127.0.0.1', port: 0, log: 'off', workers: 0, signals: false },
);

const kinds = new Map();
let requests = 0;
let done = 0;
await Promise.all(Array.from({ length: Number(values.lanes) }, lane));
theirs.close();
await ours.close({ timeout: 0 });

console.log(
  `seed ${seed}: ${count.toLocaleString('en')} streams with ${requests.toLocaleString('en')} requests that one of the two served`,
);
for (const [kind, { times, example }] of [...kinds].toSorted((a, b) => b[1].times - a[1].times)) {
  console.log(`${String(times).padStart(8)}  ${kind}${kind.startsWith('UNEXPLAINED') ? `\n${example}` : ''}`);
}
if ([...kinds.keys()].some((kind) => kind.startsWith('UNEXPLAINED'))) process.exitCode = 1;

async function lane() {
  while (done++ < count) {
    const text = streamOf(randomOf(seed * 1_000_003 + done)); // of its own, since the lanes run in no fixed order
    const [node, us] = await Promise.all([exchange(theirs.address().port, text, atNode), exchange(ours.address.port, text, atUs)]);
    requests += Math.max(node.requests.length, us.requests.length);
    const kind = compare(text, node, us);
    const entry = kinds.get(kind) ?? {
      times: 0,
      example: [text, node, us].map((value) => `          ${JSON.stringify(value).slice(0, 1000)}`).join('\n'),
    };
    entry.times++;
    kinds.set(kind, entry);
  }
}

/** The kind of the first difference, or `the same`. */
function compare(text, node, us) {
  const model = verdictsOf(text, text.length || 1);
  const nodes = node.requests.filter(({ isWhole }) => isWhole);
  // Our handler never sees OPTIONS * and expectations: they are answered before it.
  let own = 0;
  let theirsAt = 0;
  for (const request of model.requests) {
    const next = nodes[theirsAt];
    const isShown = !request.isOurs || isSameRequest(us.requests[own++], request);
    if (!isShown) return 'UNEXPLAINED: our handler was not shown what our machine read';
    if (!isSameRequest(next, request)) return differenceAt(verdictsOf(text, 1).requests[theirsAt].start, { request }, next);
    theirsAt++;
  }
  if (own !== us.requests.length) return 'UNEXPLAINED: our handler was shown what our machine did not read';
  if (theirsAt === nodes.length) return 'the same';
  return differenceAt(verdictsOf(text, 1).end, { error: model.error }, nodes[theirsAt]);

  function differenceAt(at, verdict, request) {
    return kindOf({ before: text.slice(0, at), rest: text.slice(at), ours: verdict, node: { request, error: node.error } });
  }
}

function isSameRequest(one, other) {
  return one?.method === other.method && one.target === other.target && one.body === other.body;
}

/**
 * What our machine makes of a stream: each whole request, and how it ends.
 *
 * @param step Bytes read at a time: with 1, `start` and `end` are the places where requests begin.
 */
function verdictsOf(text, step) {
  const reader = new RequestReader(DEFAULT_LIMITS);
  const bytes = Buffer.from(text, 'latin1');
  const whole = [];
  let current;
  let start = 0;
  try {
    for (let at = 0; at < bytes.length; at += step) {
      reader.push(bytes.subarray(at, at + step));
      for (let event = reader.next(); event !== undefined; event = reader.next()) {
        if (event === END) {
          whole.push(current);
          start = at + 1;
        } else if (event instanceof HeadEvent) {
          checkHead(event);
          current = { start, method: event.method, target: event.target, body: '', isOurs: event.target !== '*' };
        } else current.body += event.toString('latin1');
      }
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { requests: whole, end: start, error: `${error.status} ${error.code}` };
  }
  return { requests: whole, end: start, error: reader.isClosed ? 'closed' : 'incomplete' };
}

/** What the server refuses of what the machine has read. */
function checkHead({ target, length }) {
  if (target !== '*' && !parseTarget(target)) throw new ProtocolError(400, 'bad-target', 'No path');
  if (length > 10 * 1024 * 1024) throw new ProtocolError(413, 'body-too-large', 'Too large');
}

/** Sends a stream, ends, reads to the end. @returns What the handler was shown, and the error that ended it. */
function exchange(port, text, outcomes) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let local = 0;
    socket.on('connect', () => {
      local = socket.localPort;
      outcomes.set(local, { requests: [], error: undefined });
      socket.end(text, 'latin1');
    });
    socket.on('data', () => {});
    socket.on('end', () => socket.destroy());
    socket.on('error', () => {});
    socket.setTimeout(500, () => socket.destroy()); // a server that waits for more shows nothing more
    socket.on('close', () => {
      resolve(outcomes.get(local) ?? { requests: [], error: undefined });
      outcomes.delete(local);
    });
  });
}
