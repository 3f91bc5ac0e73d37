/**
 * The ways in which listeners use `req`, `res` and `req.socket`: what the tests run against node:http and against a mounted listener.
 *
 * @module
 */
import { type IncomingMessage, METHODS, type ServerResponse } from 'node:http';
import { pipeline, Readable } from 'node:stream';

/** One use, and the bytes that a client sends for it. */
export interface Case {
  readonly name: string;
  /** What the client sends, without what makes the connection end. */
  readonly sends: string;
  /** @param note Adds to the events that both servers must agree on. */
  readonly listener: (req: IncomingMessage, res: ServerResponse, note: (event: string) => void) => void;
  /** True when the body is passed on as it comes. */
  readonly isStreamed?: boolean;
  /** What differs, as docs/helpers/node.md says; without it the servers agree. */
  readonly differs?: string;
}

const HEAD = 'Host: a\r\n\r\n';
const GET = `GET / HTTP/1.1\r\n${HEAD}`;
const big = (): Readable => Readable.from([Buffer.alloc(100_000, 'a'), Buffer.alloc(100_000, 'b')]);

export const CASES: readonly Case[] = [
  { name: 'end with text', sends: GET, listener: (_req, res) => void res.end('text') },
  { name: 'end without anything', sends: GET, listener: (_req, res) => void res.end() },
  { name: 'write, write, end', sends: GET, listener: (_req, res) => void Readable.from(['a', 'b', 'c']).pipe(res) },
  { name: 'HEAD', sends: `HEAD / HTTP/1.1\r\n${HEAD}`, listener: (_req, res) => void res.setHeader('Content-Length', 4).end('text') },
  { name: '204', sends: GET, listener: (_req, res) => void res.writeHead(204).end() },
  { name: '304', sends: GET, listener: (_req, res) => void res.writeHead(304, { ETag: '"1"' }).end() },
  {
    name: 'pipeline without a length',
    sends: GET,
    listener: (_req, res, note) => void pipeline(big(), res, (error) => note(error?.code ?? 'piped')),
  },
  {
    name: 'pipeline with a length',
    sends: GET,
    listener: (_req, res, note) => {
      res.setHeader('Content-Length', 200_000);
      pipeline(big(), res, (error) => note(error?.code ?? 'piped'));
    },
  },
  {
    name: 'pipeline from the request to the response',
    sends: 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
    listener: (req, res, note) => void pipeline(req, res, (error) => note(error?.code ?? 'piped')),
  },
  {
    name: 'a chunked body, streamed',
    sends: 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n',
    isStreamed: true,
    listener: (req, res) => void req.pipe(res),
  },
  {
    name: 'an answer before the body is read',
    sends: 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
    listener: (_req, res) => void res.writeHead(401).end('no'),
  },
  {
    name: 'an event of its own for the time-out of the response',
    sends: GET,
    listener: (_req, res, note) =>
      void res.setTimeout(1, () => {
        note('timeout');
        res.end('late');
      }),
  },
  {
    name: 'flushHeaders, then the body',
    sends: GET,
    listener: (_req, res) => {
      res.flushHeaders();
      setImmediate(() => res.end('text'));
    },
  },
  { name: 'end, then destroy', sends: GET, listener: (_req, res) => void res.end('text').destroy() },
  { name: 'destroy inside the body', sends: GET, listener: (_req, res) => void res.write('some', () => res.destroy()) },
  {
    name: 'destroySoon of the socket',
    sends: GET,
    listener: (req, res) => {
      res.end('text');
      req.socket.destroySoon();
    },
  },
  { name: 'two requests on a connection', sends: GET + GET, listener: (_req, res) => void res.end('text') },
  {
    name: 'a request that expects 100-continue',
    sends: 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi',
    listener: (req, res) => void req.pipe(res),
  },
  {
    name: 'a body that the client leaves unfinished',
    sends: 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel',
    isStreamed: true,
    listener: (_req, res) => void res.writeHead(401).end('no'),
  },
  {
    name: 'a reason phrase',
    sends: GET,
    listener: (_req, res) => {
      res.statusMessage = 'Fine';
      res.end();
    },
    differs: '`res.statusMessage`',
  },
  {
    name: 'destroy before the head',
    sends: GET,
    listener: (_req, res) => void res.destroy(),
    differs: 'a listener that breaks off before its head',
  },
  {
    name: 'a method that node:http does not know',
    sends: `FOO / HTTP/1.1\r\n${HEAD}`,
    listener: (_req, res) => void res.end(String(METHODS.length)),
    differs: 'methods that node:http does not know',
  },
  {
    name: 'the path as the client has spelled it',
    sends: `GET /a/../%62//c HTTP/1.1\r\n${HEAD}`,
    listener: (req, res) => void res.end(req.url),
    differs: 'the path in `req.url`',
  },
];
