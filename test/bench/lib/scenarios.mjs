/**
 * What is measured: requests, their right answers, how they are loaded, and what is counted.
 *
 * @module
 */
import {
  BROWSER_HEADERS,
  FIELDS,
  HELLO,
  JSON_VALUE,
  LARGE_UPLOAD,
  makeCatalogue,
  makeLarge,
  makePage,
  makeText,
  ROUTES,
  SMALL_UPLOAD,
  STREAMED,
  UPLOAD,
} from '../content.mjs';

/**
 * @typedef {object} Ask One request and the body that it must be answered with.
 * @property {string} [method] Default GET.
 * @property {string} path
 * @property {Record<string, string>} [headers]
 * @property {string} [body]
 * @property {string} answer
 * @property {number} [status] Default 200.
 *
 * @typedef {object} Metric Something counted in each round.
 * @property {string} key
 * @property {string} title With its unit.
 * @property {number} [digits] After the point.
 * @property {boolean} [isLessBetter]
 *
 * @typedef {object} Scenario
 * @property {string} name For `--only`.
 * @property {string} title
 * @property {string} how One sentence, printed above its table.
 * @property {string} needs What a server must be able to do; see `lacks` in peers.mjs.
 * @property {readonly Ask[]} asks Taken in turn.
 * @property {'wrk' | 'h2load' | 'fixedRate' | 'websocket' | 'idle' | 'startup'} load
 * @property {readonly Metric[]} metrics The first is the one that ratios are made of.
 * @property {number} [connections] Default 64.
 * @property {number} [pipeline] Requests in one write.
 * @property {number} [underWay] Messages on each websocket.
 * @property {boolean} [isSecure] Over TLS.
 * @property {boolean} [isHttp2] Over HTTP/2; see http2.mjs.
 * @property {number} [streams] Requests at a time on each connection.
 * @property {number} [idle] Connections that only wait, where they are not as many as asked for.
 * @property {Ask} [login] Asked first; the cookie that it gives goes with all others.
 * @property {boolean} [hasUpstream] Another server stands behind, on the core of the load.
 * @property {boolean} [isClosing] The server must close after the answer.
 * @property {boolean} [isCompressed] The answer must come in gzip.
 * @property {number} [longer] So many times the usual seconds.
 * @property {number} [rounds] At most so many.
 * @property {readonly string[]} [only] Only these peers.
 * @property {readonly Variant[]} [variants] The contestants, where they are not simply all peers.
 *
 * @typedef {object} Variant A peer, started in a certain way, on all cores.
 * @property {string} peer
 * @property {string} title
 * @property {Record<string, string>} env
 */

export const RATE = { key: 'rate', title: 'requests/s' };
/** Says what one core could serve, also where the machine is busy with other things. */
export const CPU = { key: 'cpu', title: 'server, µs a request', digits: 1, isLessBetter: true };
const MESSAGE_RATE = { key: 'rate', title: 'messages/s' };
const MESSAGE_CPU = { ...CPU, title: 'server, µs a message' };
const MEMORY = { key: 'mib', title: 'MiB', digits: 1, isLessBetter: true };
const P99 = { key: 'p99', title: 'p99, ms', digits: 2, isLessBetter: true };
const BYTES = { 'Content-Type': 'application/octet-stream' };
const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };
const KIBIBYTE = 'x'.repeat(1024);
const MEBIBYTE = 1024 * 1024;
const hello = [{ path: '/', answer: HELLO }];
const json = [{ path: '/json', answer: JSON.stringify(JSON_VALUE) }];

/** Usual ones: wrk, and requests a second. */
function throughput(scenario) {
  return { needs: 'hello', asks: hello, load: 'wrk', metrics: [RATE], ...scenario };
}

function echo(size) {
  const body = KIBIBYTE.repeat(size);
  return [{ method: 'POST', path: '/echo', headers: BYTES, body, answer: body }];
}

const LOGIN = { method: 'POST', path: '/login', headers: FORM, body: 'name=Ada', answer: 'Hello, Ada' };
const PAGE_OF_ADA = { path: '/page', answer: makeCatalogue('Ada', 2) };

/** What an ordinary application is asked, in turn: half of it pages, and one login in ten. */
const MIX = [
  PAGE_OF_ADA,
  ...json,
  PAGE_OF_ADA,
  { path: '/static/page.html', answer: makePage() },
  PAGE_OF_ADA,
  LOGIN,
  PAGE_OF_ADA,
  ...json,
  PAGE_OF_ADA,
  { method: 'POST', path: '/upload', ...SMALL_UPLOAD },
];

/** Through a proxy, from a server of ours behind it. */
function proxied(scenario) {
  return throughput({
    how: 'From a server behind, which shares the core of the load: proxy, @fastify/http-proxy, proxy_pass with kept connections.',
    needs: 'proxy',
    hasUpstream: true,
    only: ['filrouge', 'fastify', 'nginx'],
    metrics: [RATE, CPU],
    ...scenario,
  });
}

/** A large file, or a range of it. */
function file(scenario) {
  const only = ['filrouge', 'node', 'fastify', 'express', 'polka', 'nginx', 'go'];
  return throughput({ needs: 'static', connections: 8, only, metrics: [RATE, CPU], ...scenario });
}

/** The handler called inline and in a thread, beside Node's own server. */
function inThread(scenario, { title = 'node:http', env = {} } = {}) {
  return throughput({
    metrics: [RATE, P99, CPU],
    variants: [
      { peer: 'node', title, env },
      { peer: 'filrouge', title: 'filrouge, inline', env: {} },
      { peer: 'filrouge', title: 'filrouge, 1 thread', env: { BENCH_THREADS: '1' } },
    ],
    ...scenario,
  });
}

/** A body of so many KiB. */
function threadsEcho(size, title) {
  return inThread({
    name: `threads-echo${size}`,
    title: `Handler threads, POST ${title}`,
    how: 'The body is read and sent back, inline and through a thread; servers and load share all cores.',
    asks: echo(size),
  });
}

/** In processes of node:cluster: ours starts them by itself. */
function processes(peer, title, count) {
  const env = peer === 'filrouge' ? {} : { BENCH_PEER: peer === 'node' ? 'node-http' : peer };
  return {
    peer,
    title: `${title}, ${count} ${count === 1 ? 'process' : 'processes'}`,
    env: { ...env, BENCH_WORKERS: String(count) },
  };
}

/** @type {readonly Scenario[]} */
export const SCENARIOS = [
  throughput({ name: 'hello', title: 'Plaintext, one at a time', how: '64 connections, one request at a time on each.' }),
  throughput({ name: 'pipelined', title: 'Plaintext, pipelined ×16', how: '64 connections, 16 requests in one write.', pipeline: 16 }),
  throughput({ name: 'pipelined32', title: 'Plaintext, pipelined ×32', how: '64 connections, 32 requests in one write.', pipeline: 32 }),
  throughput({ name: 'json', title: 'JSON', how: 'A small object, made text of for each request.', asks: json }),
  throughput({ name: 'echo', title: 'POST 1 KiB', how: 'The body is read and sent back.', needs: 'echo', asks: echo(1) }),
  throughput({ name: 'echo64', title: 'POST 64 KiB', how: 'The body is read and sent back.', needs: 'echo', asks: echo(64) }),
  throughput({
    name: 'form',
    title: 'Form',
    how: 'Two fields, URL-encoded, parsed with what the framework or its own organisation has for it.',
    needs: 'form',
    asks: [{ method: 'POST', path: '/form', headers: FORM, body: 'name=Ada+Lovelace&age=36', answer: 'Ada Lovelace is 36' }],
  }),
  throughput({
    name: 'static',
    title: 'Static file, 32 KiB',
    how: 'One file, served with what the framework or its own organisation has for it.',
    needs: 'static',
    asks: [{ path: '/static/page.html', answer: makePage() }],
  }),
  file({
    name: 'file1',
    title: 'Static file, 1 MiB',
    how: 'As above; 8 connections. polka serves with sirv.',
    asks: [{ path: '/static/file1.bin', answer: makeLarge(MEBIBYTE) }],
  }),
  file({
    name: 'file16',
    title: 'Static file, 16 MiB',
    how: 'As above.',
    asks: [{ path: '/static/file16.bin', answer: makeLarge(16 * MEBIBYTE) }],
    metrics: [{ ...RATE, digits: 1 }, CPU],
    longer: 3,
  }),
  file({
    name: 'range',
    title: 'Range of 256 KiB of a file',
    how: 'From the middle of the file of 16 MiB.',
    asks: [{ path: '/static/file16.bin', headers: { Range: 'bytes=5242880-5505023' }, status: 206, answer: makeLarge(256 * 1024) }],
  }),
  throughput({
    name: 'upload',
    title: 'Multipart, 3 files of 100 KiB',
    how: 'The sizes of the files are summed: readForm, @fastify/multipart, and multer with its memory storage in express; 8 connections.',
    connections: 8,
    asks: [{ method: 'POST', path: '/upload', ...UPLOAD }],
    metrics: [RATE, CPU, MEMORY],
    only: ['filrouge', 'fastify', 'express', 'hono'],
  }),
  throughput({
    name: 'upload5',
    title: 'Multipart, a file of 5 MiB',
    how: 'As above; 4 connections.',
    connections: 4,
    asks: [{ method: 'POST', path: '/upload', ...LARGE_UPLOAD }],
    metrics: [{ ...RATE, digits: 1 }, CPU, MEMORY],
    longer: 2,
    only: ['filrouge', 'fastify', 'express', 'hono'],
  }),
  throughput({
    name: 'fields',
    title: 'Multipart, 20 fields',
    how: 'The lengths of their values are summed.',
    asks: [{ method: 'POST', path: '/fields', ...FIELDS }],
    metrics: [RATE, CPU, MEMORY],
    only: ['filrouge', 'fastify', 'express', 'hono'],
  }),
  throughput({
    name: 'page',
    title: 'Page with a session',
    how: 'The session is opened, changed and saved in its cookie; a template with 20 items: createSessions and html; @fastify/secure-session and eta; cookie-session, which only signs, and eta; signed cookies and html of hono.',
    login: LOGIN,
    asks: [PAGE_OF_ADA],
    only: ['filrouge', 'fastify', 'express', 'hono'],
  }),
  proxied({ name: 'proxy', title: 'Proxy, small GET', asks: [{ path: '/up/', answer: HELLO }] }),
  proxied({ name: 'proxy64', title: 'Proxy, 64 KiB', asks: [{ path: '/up/large', answer: '0123456789abcdef'.repeat(4096) }] }),
  proxied({
    name: 'proxy1m',
    title: 'Proxy, 1 MiB',
    asks: [{ path: '/up/static/file1.bin', answer: makeLarge(MEBIBYTE) }],
    connections: 8,
  }),
  throughput({
    name: 'text',
    title: '1 MiB of text, compressed',
    how: 'gzip for each request anew, at level 6; 4 connections.',
    needs: 'text',
    connections: 4,
    asks: [{ path: '/text', headers: { 'Accept-Encoding': 'gzip' }, answer: makeText() }],
    isCompressed: true,
    metrics: [{ ...RATE, digits: 1 }],
    longer: 2,
  }),
  throughput({
    name: 'routes',
    title: '100 routes',
    how: 'Each with one parameter, all asked in turn.',
    needs: 'api',
    asks: Array.from({ length: ROUTES }, (_, n) => ({ path: `/api/r${n}/${n + 1000}`, answer: `${n} ${n + 1000}` })),
  }),
  throughput({
    name: 'browser',
    title: '20 header fields of a browser',
    how: 'Plaintext, asked with the fields and cookies of a browser, about 1.3 KiB.',
    asks: [{ path: '/', headers: BROWSER_HEADERS, answer: HELLO }],
  }),
  throughput({
    name: 'close',
    title: 'One connection per request',
    how: 'Plaintext; each request on a connection of its own. Bun closes without saying so, which wrk takes for an error before it connects again.',
    asks: [{ path: '/', headers: { Connection: 'close' }, answer: HELLO }],
    isClosing: true,
  }),
  throughput({ name: 'many', title: '1,000 connections', how: 'Plaintext, one request at a time on each.', connections: 1000 }),
  throughput({ name: 'tls', title: 'TLS, one at a time', how: 'Plaintext as above, over TLS 1.3.', needs: 'tls', isSecure: true }),
  throughput({
    name: 'sustained',
    title: 'Sustained',
    how: 'JSON without a pause, 20 times as long as the others.',
    asks: json,
    metrics: [RATE, P99],
    longer: 20,
    rounds: 1,
    only: ['filrouge', 'node', 'fastify', 'hono'],
  }),
  {
    name: 'latency',
    title: 'Latency at a fixed rate',
    how: 'JSON at a fixed rate, whatever the server does: each time runs from when its request was due, so that waiting behind a slow answer counts.',
    needs: 'hello',
    asks: json,
    load: 'fixedRate',
    metrics: [
      { key: 'p50', title: 'p50, ms', digits: 3, isLessBetter: true },
      { key: 'p99', title: 'p99, ms', digits: 3, isLessBetter: true },
      { key: 'p999', title: 'p99.9, ms', digits: 3, isLessBetter: true },
      { key: 'done', title: 'requests/s answered' },
      { key: 'lateP99', title: 'load itself late, p99, ms', digits: 3, isLessBetter: true },
    ],
    longer: 2,
    rounds: 3,
  },
  {
    name: 'idle',
    title: 'Memory per idle connection',
    how: '10,000 connections, each after one request: resident memory with them less that before, over their number.',
    needs: 'idle',
    asks: hello,
    load: 'idle',
    metrics: [
      { key: 'kib', title: 'KiB a connection', digits: 2, isLessBetter: true },
      { key: 'mib', title: 'MiB in all', digits: 1, isLessBetter: true },
    ],
    rounds: 3,
  },
  {
    name: 'startup',
    title: 'Start and memory',
    how: 'From the start of the process to its first right answer; resident memory then, and after a load of JSON.',
    needs: 'hello',
    asks: json,
    load: 'startup',
    metrics: [
      { key: 'ms', title: 'first answer, ms', isLessBetter: true },
      { key: 'rest', title: 'MiB at rest', digits: 1, isLessBetter: true },
      { key: 'loaded', title: 'MiB after load', digits: 1, isLessBetter: true },
    ],
  },
  throughput({
    name: 'workers',
    title: 'Processes',
    how: 'JSON from 1 and 2 worker processes; servers and load share all cores.',
    asks: json,
    metrics: [RATE, P99],
    variants: [
      processes('node', 'node:http', 1),
      ...[1, 2].map((count) => processes('filrouge', 'filrouge', count)),
      processes('node', 'node:http', 2),
      ...[1, 2].map((count) => processes('fastify', 'fastify', count)),
    ],
  }),
  throughput({
    name: 'threads',
    title: 'Handler threads',
    how: 'JSON, the handler called inline and in threads; servers and load share all cores.',
    asks: json,
    metrics: [RATE, P99],
    variants: [
      { peer: 'node', title: 'node:http', env: {} },
      { peer: 'filrouge', title: 'filrouge, inline', env: {} },
      { peer: 'filrouge', title: 'filrouge, 1 thread', env: { BENCH_THREADS: '1' } },
      { peer: 'filrouge', title: 'filrouge, 2 threads', env: { BENCH_THREADS: '2' } },
    ],
  }),
  throughput({
    name: 'mounted',
    title: 'Mounted applications',
    how: 'Plaintext from an application of hono and of express: inside filrouge, and on a server of its own. hono also with the global Request and Response left alone, as inside filrouge.',
    variants: [
      { peer: 'node', title: 'node:http', env: {} },
      { peer: 'filrouge', title: 'filrouge, hono inside', env: { BENCH_MOUNTED: 'hono' } },
      { peer: 'hono', title: 'hono', env: {} },
      { peer: 'hono', title: 'hono, globals left alone', env: { BENCH_GLOBALS: 'left' } },
      { peer: 'filrouge', title: 'filrouge, express inside', env: { BENCH_MOUNTED: 'express' } },
      { peer: 'express', title: 'express', env: {} },
    ],
  }),
  throughput({
    name: 'application',
    title: 'An ordinary application',
    how: 'Of ten requests five are pages with a session, two JSON, one a static file of 32 KiB, one a login, one an upload of 100 KiB; servers and load share all cores; 32 connections. php-fpm has 8 processes, and nginx serves the static file.',
    connections: 32,
    login: LOGIN,
    asks: MIX,
    metrics: [RATE, P99],
    variants: [
      { peer: 'filrouge', title: 'filrouge, inline', env: {} },
      { peer: 'filrouge', title: 'filrouge, 2 threads', env: { BENCH_THREADS: '2' } },
      { peer: 'fastify', title: 'fastify', env: {} },
      { peer: 'express', title: 'express', env: {} },
      { peer: 'hono', title: 'hono', env: {} },
      { peer: 'php', title: 'php-fpm behind nginx', env: {} },
    ],
  }),
  threadsEcho(1, '1 KiB'),
  threadsEcho(64, '64 KiB'),
  threadsEcho(1024, '1 MiB'),
  inThread({
    name: 'threads-stream',
    title: 'Handler threads, a stream of 1 MiB',
    how: 'A generator gives it in pieces of 16 KiB, inline and in a thread; 8 connections; servers and load share all cores.',
    connections: 8,
    asks: [{ path: '/stream', answer: STREAMED.piece.repeat(STREAMED.pieces) }],
  }),
  inThread(
    {
      name: 'threads-websocket',
      title: 'Handler threads, websockets',
      how: 'A text of 100 characters is sent back, inline and in a thread; 32 connections with 4 messages under way on each; servers and load share all cores.',
      load: 'websocket',
      asks: [], // each message that comes back is looked at
      connections: 32,
      underWay: 4,
      metrics: [MESSAGE_RATE, P99, MESSAGE_CPU],
    },
    { title: 'ws on node:http', env: { BENCH_SOCKETS: '1' } },
  ),
];

/** Scenarios whose figures show quickly whether something became slower. */
export const QUICK = ['hello', 'pipelined', 'json', 'echo', 'static', 'browser', 'close'];
