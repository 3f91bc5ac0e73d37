/**
 * Where mounted listeners differ from node:http, and exactly how. Each has its row in docs/helpers/node.md.
 *
 * @module
 */
import { METHODS } from 'node:http';
import { Readable } from 'node:stream';
import { until } from '../support/until.ts';
import { asks, type Difference, GET, HALF } from './node-case.ts';

const CLOSES = '`Connection`, `Keep-Alive` of the listener; a socket that it closes after its response';
const TRAILERS = 'trailers (`res.addTrailers`, `req.trailers`)';
const EXPECT = '`Expect: 100-continue`, the event `checkContinue`, `res.writeContinue`';
const BREAKS = 'a listener that breaks off before its head';

const UPGRADES = '`Upgrade`, the event `upgrade`';
const LATE = 'a body that comes, or is not read, when the response has been sent';
const HEADS = 'HEAD without Content-Length';
const NO_LENGTH = 'a Content-Length that is not a whole number';
const LENGTHS = 'a body without Content-Length that is there as a whole';

const ERROR = [{ line: 'HTTP/1.1 500 Internal Server Error', body: 'Internal Server Error', isWhole: true }];
const OK = 'HTTP/1.1 200 OK';
const ENDED = ['1 res prefinish', '1 res finish', '1 res close true true true'];

/** Has the listener answer. */
let late = (): void => {};

const sockets = new WeakSet<object>();

const CONNECTIONS: readonly Difference[] = [
  {
    name: '`Connection: close`',
    sends: GET,
    listener: (_req, res) => void res.setHeader('Connection', 'close').end('text'),
    row: CLOSES,
    there: { isKept: false },
    here: { isKept: true },
  },
  {
    name: 'end, then destroy',
    isLoose: true,
    sends: GET,
    listener: (_req, res) => void res.end('text').destroy(),
    row: CLOSES,
    there: { isKept: false },
    here: { isKept: true },
  },
  {
    name: 'destroySoon of the socket',
    sends: GET,
    listener: (req, res) => {
      res.end('text');
      req.socket.destroySoon();
    },
    row: CLOSES,
    there: { isKept: false },
    here: { isKept: true },
  },
  {
    name: 'a response written to the socket, which ends it',
    sends: GET,
    listener: (req) => void req.socket.end('HTTP/1.1 400 Bad Request\r\nX-A: 1\r\n\r\nno'),
    row: CLOSES,
    there: { sent: [{ fields: ['x-a: 1'], body: 'no', isWhole: true }], isKept: false },
    here: { sent: [{ fields: ['transfer-encoding: chunked', 'x-a: 1'], body: 'no', isWhole: true }], isKept: true },
  },
  {
    name: 'a client that ends its side and waits for a slow listener',
    isLoose: true,
    sends: GET,
    listener: (_req, res, note) => {
      note('called');
      late = () => void (res.destroyed || res.end('text'));
    },
    play: async (client, noted) => {
      await noted('called');
      client.end();
      await until(
        () => client.isClosed || client.received !== '' || undefined,
        () => 'the end, or a sign that the server knows',
      );
      late();
    },
    row: 'a client that has ended its side while it waits',
    there: {
      sent: [],
      events: ['1 called', '1 res close false false false', '1 req aborted', '1 req error ECONNRESET', '1 req close complete'],
      isKept: false,
    },
    here: {
      events: ['1 called', ...ENDED, '1 req end', '1 req close complete'],
      sent: [{ line: 'HTTP/1.1 102 Processing' }, { line: OK, body: 'text', isWhole: true }],
      isKept: false,
    },
  },
];

const FRAMES: readonly Difference[] = [
  {
    name: 'writeHead, then end with the body',
    sends: GET,
    listener: (_req, res) => void res.writeHead(200).end('text'),
    row: LENGTHS,
    there: { sent: [{ fields: ['transfer-encoding: chunked'], body: 'text' }] },
    here: { sent: [{ fields: ['content-length: 4'], body: 'text' }] },
  },
  {
    name: 'HEAD, with text',
    sends: asks('HEAD'),
    listener: (_req, res) => void res.end('text'),
    row: HEADS,
    there: { sent: [{ fields: [] }] },
    here: { sent: [{ fields: ['transfer-encoding: chunked'] }] },
  },
  {
    name: 'HEAD, with pieces',
    sends: asks('HEAD'),
    listener: (_req, res) => void Readable.from(['a', 'b']).pipe(res),
    row: HEADS,
    there: { sent: [{ fields: [] }] },
    here: { sent: [{ fields: ['transfer-encoding: chunked'] }] },
  },
  {
    name: 'HEAD, without anything',
    sends: asks('HEAD'),
    listener: (_req, res) => void res.end(),
    row: HEADS,
    there: { sent: [{ fields: [] }] },
    here: { sent: [{ fields: ['transfer-encoding: chunked'] }] },
  },
  {
    name: 'an answer before a large body is read',
    sends: asks('POST', ['Content-Length: 1000000'], 'a'.repeat(1_000_000)),
    isStreamed: false,
    isLeft: true,
    listener: (_req, res) => void res.writeHead(401).end('no'),
    row: LATE,
    there: { events: [...ENDED, '1 req end', '1 req close complete'] },
    here: { events: ENDED },
  },
  {
    name: 'more bytes than announced',
    sends: GET,
    listener: (_req, res) => void res.setHeader('Content-Length', 2).end('text'),
    row: 'more bytes than the Content-Length of the listener',
    there: { sent: [{ body: 'te' }, { line: '', body: 'xt' }] },
    here: { sent: [{ body: 'te' }] },
  },
  {
    name: 'a length that is less than nothing',
    sends: GET,
    listener: (_req, res) => void res.setHeader('Content-Length', '-5').end('text'),
    isLoose: true,
    row: NO_LENGTH,
    there: { sent: [{ fields: ['content-length: -5'] }, { body: 'text' }] },
    here: { sent: ERROR, events: ['1 res prefinish', '1 res close true true true', '1 res finish', '1 req end', '1 req close complete'] },
  },
  {
    name: 'an answer before the body has come',
    sends: HALF,
    rest: 'lo',
    isStreamed: true,
    isLeft: true,
    listener: (_req, res) => void res.writeHead(401).end('no'),
    row: LATE,
    there: { events: [...ENDED, '1 req end', '1 req close complete'] },
    here: { events: ENDED },
  },
  {
    name: 'an answer before a large body has come, which the client then sends',
    sends: asks('POST', ['Content-Length: 60000'], 'a'),
    rest: 'b'.repeat(59_999),
    isStreamed: true,
    isLeft: true,
    listener: (_req, res) => void res.writeHead(401).end('no'),
    row: LATE,
    there: { events: [...ENDED, '1 req end', '1 req close complete'] },
    here: { events: ENDED },
  },
  {
    name: 'trailers of the listener',
    sends: GET,
    listener: (_req, res) => {
      res.writeHead(200, { Trailer: 'X-Sum' }).write('text');
      res.addTrailers({ 'X-Sum': '1' });
      res.end();
    },
    row: TRAILERS,
    there: { sent: [{ fields: ['trailer: X-Sum', 'transfer-encoding: chunked'], body: 'text' }] },
    here: { sent: [{ fields: ['content-length: 4'], body: 'text' }] },
  },
  {
    name: 'trailers of the client',
    isLoose: true,
    sends: asks('POST', ['Transfer-Encoding: chunked', 'Trailer: X-Sum'], '1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n'),
    listener: (req, res, note) =>
      void req.resume().on('end', () => {
        note(`sum ${req.trailers['x-sum'] ?? 'none'}`);
        res.end();
      }),
    row: TRAILERS,
    there: { events: ['1 sum 1', ...ENDED, '1 req end', '1 req close complete'] },
    here: { events: ['1 sum none', ...ENDED, '1 req end', '1 req close complete'] },
  },
  {
    name: 'a request that expects 100-continue and sends its body at once',
    sends: asks('POST', ['Expect: 100-continue', 'Content-Length: 2'], 'hi'),
    listener: (req, res) => void req.pipe(res),
    row: EXPECT,
    there: { sent: [{ line: 'HTTP/1.1 100 Continue' }, { line: OK, body: 'hi' }] },
    here: { sent: [{ line: OK, body: 'hi' }] },
  },
  {
    name: 'a server that refuses in checkContinue',
    sends: asks('POST', ['Expect: 100-continue', 'Content-Length: 2']),
    setUp: (server) => void server.on('checkContinue', (_req, res) => void res.writeHead(417).end()),
    isStreamed: true,
    isLeft: true,
    listener: (_req, res) => void res.end('text'),
    row: EXPECT,
    there: { sent: [{ line: 'HTTP/1.1 417 Expectation Failed' }], events: [], isKept: false },
    here: { sent: [{ line: 'HTTP/1.1 100 Continue' }, { line: OK, body: 'text' }], events: ENDED, isKept: false },
  },
  {
    name: 'a 100 that nobody has asked for',
    sends: GET,
    listener: (_req, res) => {
      res.writeContinue();
      res.end('text');
    },
    row: EXPECT,
    there: { sent: [{ line: 'HTTP/1.1 100 Continue' }, { line: OK, body: 'text' }] },
    here: { sent: [{ line: OK, body: 'text' }] },
  },
  {
    name: 'a reason phrase',
    sends: GET,
    listener: (_req, res) => {
      res.statusMessage = 'Fine';
      res.end();
    },
    row: '`res.statusMessage`',
    there: { sent: [{ line: 'HTTP/1.1 200 Fine' }] },
    here: { sent: [{ line: OK }] },
  },
];

const BROKEN: readonly Difference[] = [
  {
    name: 'destroy before the head',
    sends: GET,
    listener: (_req, res) => void res.destroy(),
    row: BREAKS,
    there: { sent: [], isKept: false },
    here: { sent: ERROR, isKept: true },
  },
  {
    name: 'destroy after writeHead, which sends nothing yet',
    sends: GET,
    listener: (_req, res) => void res.writeHead(200).destroy(),
    row: BREAKS,
    there: { sent: [], isKept: false },
    here: { sent: ERROR, isKept: true },
  },
  {
    name: 'end of the socket before the head',
    sends: GET,
    listener: (req) => void req.socket.end(),
    row: BREAKS,
    there: { sent: [], isKept: false },
    here: { sent: ERROR, isKept: true },
  },
  {
    name: 'destroy with an error before the head',
    sends: GET,
    listener: (_req, res) => void res.destroy(new Error('no')),
    row: BREAKS,
    there: { sent: [], isKept: false },
    here: { sent: ERROR, isKept: true },
  },
  {
    name: 'destroy of the request',
    sends: GET,
    isLoose: true,
    listener: (req) => void req.destroy(),
    row: BREAKS,
    there: { sent: [], isKept: false },
    here: { sent: ERROR, isKept: true },
  },
  {
    name: 'a time-out of the request, which has come: node:http destroys the socket',
    sends: GET,
    listener: (req, res) => void req.setTimeout(1, () => void res.end('late')),
    row: BREAKS,
    there: { sent: [], isKept: false },
    here: { sent: ERROR, isKept: true },
  },
  {
    name: 'a time-out of the socket, which node:http destroys',
    sends: GET,
    listener: (req, _res, note) => void req.socket.setTimeout(1, () => note('timeout')),
    row: BREAKS,
    there: { sent: [], isKept: false },
    here: { sent: ERROR, isKept: true },
  },
];

const TARGETS: readonly Difference[] = [
  {
    name: 'a method that node:http does not know',
    sends: asks('FOO'),
    listener: (_req, res) => void res.end(String(METHODS.length)),
    row: 'methods that node:http does not know',
    there: { sent: [{ line: 'HTTP/1.1 400 Bad Request' }], isKept: false },
    here: { sent: [{ line: 'HTTP/1.1 501 Not Implemented' }], isKept: true },
  },
  {
    name: 'the path as the client has spelled it',
    sends: 'GET /a/../%62//c HTTP/1.1\r\nHost: a\r\n\r\n',
    listener: (req, res) => void res.end(req.url),
    row: 'the path in `req.url`',
    there: { sent: [{ body: '/a/../%62//c' }] },
    here: { sent: [{ body: '/b/c' }] },
  },
  {
    name: 'an Upgrade that nobody takes',
    sends: asks('GET', ['Connection: Upgrade', 'Upgrade: other']),
    listener: (req, res) => void res.end(req.headers.upgrade ?? 'none'),
    row: UPGRADES,
    there: { sent: [{ body: 'other' }] },
    here: { sent: [{ body: 'none' }] },
  },
  {
    name: 'an Upgrade that the server takes',
    isLoose: true,
    sends: asks('GET', ['Connection: Upgrade', 'Upgrade: other']),
    setUp: (server) => void server.on('upgrade', (_req, socket) => void socket.end('HTTP/1.1 101 Other\r\n\r\n')),
    listener: (_req, res) => void res.end('text'),
    row: UPGRADES,
    there: { sent: [{ line: 'HTTP/1.1 101 Other' }], events: [], isKept: false },
    here: { sent: [{ line: OK, body: 'text' }], events: [...ENDED, '1 req end', '1 req close complete'], isKept: true },
  },
  {
    name: 'a switch of protocols without the event',
    sends: GET,
    listener: (req) =>
      void req.socket.write('HTTP/1.1 101 Other\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n', () => req.socket.destroySoon()),
    row: 'a listener that switches protocols by itself',
    there: { sent: [{ line: 'HTTP/1.1 101 Other' }], isKept: false },
    here: { sent: ERROR, isKept: true },
  },
  {
    name: 'CONNECT',
    sends: 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n',
    listener: (_req, res) => void res.end('text'),
    row: 'CONNECT',
    there: { sent: [], isKept: false },
    here: { sent: [{ line: 'HTTP/1.1 501 Not Implemented' }], isKept: false },
  },
  {
    name: 'OPTIONS of the server',
    sends: 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
    listener: (req, res) => void res.end(req.url),
    isLoose: true,
    row: '`OPTIONS *`',
    there: { sent: [{ line: OK, body: '*' }], events: [...ENDED, '1 req end', '1 req close complete'] },
    here: { sent: [{ line: 'HTTP/1.1 204 No Content', body: '' }], events: [] },
  },
  {
    name: 'a request of HTTP/1.0',
    sends: 'GET / HTTP/1.0\r\nHost: a\r\n\r\n',
    answers: 1,
    listener: (req, res) => void res.end(req.httpVersion),
    row: '`req.httpVersion` of a client of HTTP/1.0',
    there: { sent: [{ line: OK, fields: [], body: '1.0' }] },
    here: { sent: [{ line: OK, fields: ['content-length: 3'], body: '1.1' }] },
  },
  {
    name: 'the field Connection of the request',
    sends: asks('GET', ['Connection: keep-alive']),
    listener: (req, res) => void res.end(req.headers.connection),
    row: '`req.headers.connection`',
    there: { sent: [{ body: 'keep-alive' }] },
    here: { sent: [{ body: 'close' }] },
  },
  {
    name: 'the socket of several requests on a connection',
    sends: GET + GET,
    listener: ({ socket }, res) => {
      res.end(sockets.has(socket) ? 'known' : 'new');
      sockets.add(socket);
    },
    row: '`req.socket` of several requests on a connection',
    there: { sent: [{ body: 'new' }, { body: 'known' }] },
    here: { sent: [{ body: 'new' }, { body: 'new' }] },
  },
  {
    name: 'the address on a dual-stack socket',
    sends: GET,
    host: '::',
    listener: (req, res) => void res.end(req.socket.remoteAddress),
    row: '`::ffff:192.0.2.1`, the address on a dual-stack socket',
    there: { sent: [{ body: '::ffff:127.0.0.1' }] },
    here: { sent: [{ body: '127.0.0.1' }] },
  },
  {
    name: 'the address of the socket',
    sends: GET,
    listener: ({ socket }, res) =>
      void res.end(JSON.stringify([Object.keys(socket.address()), socket.localAddress ?? null, typeof socket.localPort])),
    row: '`socket.address()`, `localAddress`',
    there: { sent: [{ body: '[["address","family","port"],"127.0.0.1","number"]' }] },
    here: { sent: [{ body: '[[],null,"number"]' }] },
  },
];

export const DIFFERENCES: readonly Difference[] = [...CONNECTIONS, ...FRAMES, ...BROKEN, ...TARGETS];
