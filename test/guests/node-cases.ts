/**
 * The ways in which listeners use `req`, `res` and `req.socket`, and in which clients leave, that are the same under node:http and mounted.
 *
 * @module
 */
import type { ServerResponse } from 'node:http';
import { pipeline, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Talk } from '../support/serve.ts';
import { asks, type Case, GET, HALF, POST } from './node-case.ts';

const big = (): Readable => Readable.from([Buffer.alloc(100_000, 'a'), Buffer.alloc(100_000, 'b')]);
const huge = (): Readable => Readable.from(Array.from({ length: 100 }, () => Buffer.alloc(100_000, 'a')));

/** Pipes and tells how it went. */
function piped(source: NodeJS.ReadableStream, res: ServerResponse, note: (event: string) => void): void {
  pipeline(source, res, (error) => note(error?.code ?? 'piped'));
}

async function readLate(client: Talk): Promise<void> {
  client.socket.pause();
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve)); // the sockets of both ends fill
  client.socket.resume();
}

const ANSWERS: readonly Case[] = [
  { name: 'end with text', sends: GET, listener: (_req, res) => void res.end('text') },
  { name: 'end without anything', sends: GET, listener: (_req, res) => void res.end() },
  { name: 'write, write, end', sends: GET, listener: (_req, res) => void Readable.from(['a', 'b', 'c']).pipe(res) },
  { name: 'pipeline without a length', sends: GET, isLoose: true, listener: (_req, res, note) => piped(big(), res, note) },
  {
    name: 'pipeline with a length',
    sends: GET,
    listener: (_req, res, note) => piped(big(), res.setHeader('Content-Length', 200_000), note),
  },
  { name: 'pipeline from the request to the response', sends: POST, listener: (req, res, note) => piped(req, res, note) },
  {
    name: 'a chunked body',
    sends: asks('POST', ['Transfer-Encoding: chunked'], '3\r\none\r\n0\r\n\r\n'),
    listener: (req, res) => void req.pipe(res),
  },
  {
    name: 'fields, with several lines of one name',
    sends: GET,
    listener: (_req, res) => void res.writeHead(201, { 'Set-Cookie': ['a=1', 'b=2'], 'X-A': '1', 'Content-Type': 'text/x' }).end('a'),
  },
  {
    name: 'flushHeaders, then the body',
    sends: GET,
    listener: (_req, res) => {
      res.flushHeaders();
      setImmediate(() => res.end('text'));
    },
  },
  {
    name: 'a response to a client that reads late',
    sends: GET,
    isLoose: true,
    listener: (_req, res, note) => piped(huge(), res, note),
    play: readLate,
  },
  { name: 'two requests on a connection', sends: GET + GET, listener: (_req, res) => void res.end('text') },
  {
    name: 'eight pipelined requests with bodies',
    sends: POST.repeat(8),
    listener: (req, res) => void req.resume().on('end', () => res.end('text')),
  },
  {
    name: 'early hints, processing',
    sends: GET,
    listener: (_req, res) => {
      res.writeEarlyHints({ link: '</a.css>; rel=preload' });
      res.writeProcessing();
      res.end('text');
    },
  },
  {
    name: 'a client that closes the connection with its request',
    sends: asks('GET', ['Connection: close']),
    listener: (_req, res) => void res.end('text'),
  },
];

const BODILESS: readonly Case[] = [
  { name: 'HEAD, with a length', sends: asks('HEAD'), listener: (_req, res) => void res.setHeader('Content-Length', 4).end('text') },
  { name: '204', sends: GET, listener: (_req, res) => void res.writeHead(204).end() },
  { name: '204 with text', sends: GET, listener: (_req, res) => void res.writeHead(204).end('text') },
  { name: '304', sends: GET, listener: (_req, res) => void res.writeHead(304, { ETag: '"1"' }).end() },
  { name: '304 with pieces', sends: GET, listener: (_req, res) => void Readable.from(['a', 'b']).pipe(res.writeHead(304)) },
];

const EARLY: readonly Case[] = [
  { name: 'an answer before the body is read', sends: POST, isStreamed: false, listener: (_req, res) => void res.writeHead(401).end('no') },
  {
    name: 'a request that expects 100-continue and waits for it',
    sends: asks('POST', ['Expect: 100-continue', 'Content-Length: 2']),
    listener: (req, res) => void req.pipe(res),
    play: async (client) => {
      await client.until(/100 Continue/);
      client.send('hi');
    },
  },
];

const ENDS: readonly Case[] = [
  { name: 'destroy inside the body', sends: GET, listener: (_req, res) => void res.write('some', () => res.destroy()) },
  {
    name: 'destroy with an error inside the body',
    sends: GET,
    listener: (_req, res) => void res.write('some', () => res.destroy(new Error('no'))),
  },
  {
    name: 'destroy after flushHeaders',
    sends: GET,
    listener: (_req, res) => {
      res.flushHeaders();
      setImmediate(() => res.destroy());
    },
  },
  {
    name: 'destroy of the socket inside the body',
    sends: GET,
    listener: (req, res) => void res.write('some', () => req.socket.destroy()),
  },
  {
    name: 'end of the socket inside the body',
    sends: GET,
    listener: (req, res) => void res.write('some', () => req.socket.end()),
  },
  {
    name: 'end of the socket inside a body with a length',
    sends: GET,
    listener: (req, res) => {
      res.setHeader('Content-Length', 10).write('some');
      req.socket.end();
    },
  },
  {
    name: 'a time-out of the response',
    sends: GET,
    listener: (_req, res, note) =>
      void res.setTimeout(1, () => {
        note('timeout');
        res.end('late');
      }),
  },
  {
    name: 'a time-out that is not reached',
    sends: GET,
    listener: (req, res) => {
      req.setTimeout(5000);
      res.setTimeout(5000);
      res.end('text');
    },
  },
];

const MORE: readonly Case[] = [
  {
    name: 'a large response with a length to a client that reads late',
    sends: GET,
    isLoose: true,
    listener: (_req, res, note) => piped(huge(), res.setHeader('Content-Length', 10_000_000), note),
    play: readLate,
  },
  {
    name: 'writes that wait for drain',
    sends: GET,
    isLoose: true,
    listener: (_req, res) => {
      let left = 40;
      const write = (): void => {
        while (left-- > 0) if (!res.write(Buffer.alloc(100_000, 'a'))) return void res.once('drain', write);
        res.end();
      };
      write();
    },
    play: readLate,
  },
  {
    name: 'an empty piece, and no more',
    sends: GET,
    listener: (_req, res) => {
      res.write('');
      res.end();
    },
  },
  {
    name: 'fewer bytes than announced, then end of the socket',
    sends: GET,
    listener: (req, res) => void res.setHeader('Content-Length', 10).write('some', () => req.socket.destroy()),
  },
  {
    name: 'a write behind the end',
    sends: GET,
    listener: (_req, res, note) => {
      res.end('text');
      res.write('more', (error) => note(`write ${(error as NodeJS.ErrnoException | null)?.code}`));
    },
  },
  {
    name: 'end twice',
    sends: GET,
    listener: (_req, res, note) => {
      res.end('text', () => note('ended'));
      res.end(() => note('ended again'));
    },
  },
  {
    name: 'a head that is written twice',
    sends: GET,
    listener: (_req, res, note) => {
      res.writeHead(200);
      try {
        res.writeHead(500);
      } catch (error) {
        note((error as NodeJS.ErrnoException).code ?? '');
      }
      res.end();
    },
  },
  {
    name: 'what a listener reads of the request',
    sends: 'PUT /a/b?c=d&c=e HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a: 2\r\nCookie: a=1\r\nContent-Type: text/x\r\nContent-Length: 2\r\n\r\nhi',
    listener: (req, res) => {
      const { method, url, httpVersion, headers, socket } = req;
      const { connection: _, ...others } = headers;
      const all = [method, url, httpVersion, others, socket.remoteAddress, socket.remoteFamily, typeof socket.remotePort];
      void text(req).then((body) => res.end(JSON.stringify([...all, body])));
    },
  },
  {
    name: 'a body that is read with a pause',
    sends: POST,
    listener: (req, res) =>
      void req.once('data', () => {
        req.pause();
        setImmediate(() => req.on('end', () => res.end('text')).resume());
      }),
  },
  {
    name: 'a body as an iterator',
    sends: asks('POST', ['Transfer-Encoding: chunked'], '3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n'),
    listener: (req, res) => void text(req).then((all) => res.end(all)),
  },
  {
    name: 'a body of no bytes',
    sends: asks('POST', ['Content-Length: 0']),
    listener: (req, res) => void text(req).then((all) => res.end(`<${all}>`)),
  },
  {
    name: 'a body of chunks, without any',
    sends: asks('POST', ['Transfer-Encoding: chunked'], '0\r\n\r\n'),
    listener: (req, res) => void text(req).then((all) => res.end(`<${all}>`)),
  },
  {
    name: 'a slow body, in pieces',
    sends: HALF,
    isStreamed: true,
    listener: (req, res, note) => {
      req.once('data', () => note('data'));
      void text(req).then((all) => res.end(all));
    },
    play: async (client, noted) => {
      await noted('data');
      client.send('lo');
    },
  },
  {
    name: 'a time-out of the request inside its body',
    sends: HALF,
    isStreamed: true,
    listener: (req, res, note) => {
      req.resume().on('end', () => res.end('text'));
      req.setTimeout(1, () => note('timeout'));
    },
    play: async (client, noted) => {
      await noted('timeout');
      client.send('lo');
    },
  },
  { name: 'DELETE without a body', sends: asks('DELETE'), listener: (req, res) => void text(req).then(() => res.writeHead(204).end()) },
  {
    name: 'HTTP/1.0, in pieces',
    sends: 'GET / HTTP/1.0\r\n\r\n',
    answers: 2,
    listener: (_req, res) => void Readable.from(['a', 'b']).pipe(res),
  },
];

const leave = (client: Talk): void => void client.socket.resetAndDestroy();

const LEAVES: readonly Case[] = [
  {
    name: 'a client that leaves before its body',
    sends: asks('POST', ['Content-Length: 5']),
    isStreamed: true,
    listener: (req, _res, note) => {
      note('called');
      req.resume();
    },
    play: async (client, noted) => {
      await noted('called');
      leave(client);
    },
  },
  {
    name: 'a client that leaves inside its body',
    sends: HALF,
    isStreamed: true,
    listener: (req, _res, note) => void req.on('data', () => note('data')),
    play: async (client, noted) => {
      await noted('data');
      leave(client);
    },
  },
  {
    name: 'a client that leaves inside its body, which nobody reads',
    sends: HALF,
    isStreamed: true,
    listener: (_req, _res, note) => note('called'),
    play: async (client, noted) => {
      await noted('called');
      leave(client);
    },
  },
  {
    name: 'a client that leaves inside its body, which goes to a pipeline',
    sends: HALF,
    isStreamed: true,
    listener: (req, res, note) => piped(req, res, note),
    play: async (client) => {
      await client.until(/hel/);
      leave(client);
    },
  },
  {
    name: 'a client that leaves while it waits',
    sends: GET,
    listener: (_req, _res, note) => note('called'),
    play: async (client, noted) => {
      await noted('called');
      leave(client);
    },
  },
  {
    name: 'a client that leaves while it waits, after its body',
    sends: POST,
    listener: (req, _res, note) => void req.resume().on('end', () => note('called')),
    play: async (client, noted) => {
      await noted('called');
      leave(client);
    },
  },
  {
    name: 'a client that leaves inside the answer',
    sends: GET,
    listener: (_req, res) => void res.write('some'),
    play: async (client) => {
      await client.until(/some/);
      leave(client);
    },
  },
  {
    name: 'a client that leaves inside an answer that is piped',
    sends: GET,
    listener: (_req, res, note) => piped(huge(), res, note),
    play: async (client) => {
      await client.until(/aaa/);
      leave(client);
    },
  },
];

export const CASES: readonly Case[] = [...ANSWERS, ...BODILESS, ...EARLY, ...ENDS, ...MORE, ...LEAVES];
