/**
 * The ways in which listeners use `req`, `res` and `req.socket`, and in which clients leave, that are the same under node:http and mounted.
 *
 * @module
 */
import type { ServerResponse } from 'node:http';
import { pipeline, Readable } from 'node:stream';
import type { Talk } from '../support/serve.ts';
import { asks, type Case, GET, HALF, POST } from './node-case.ts';

const big = (): Readable => Readable.from([Buffer.alloc(100_000, 'a'), Buffer.alloc(100_000, 'b')]);
const huge = (): Readable => Readable.from(Array.from({ length: 100 }, () => Buffer.alloc(100_000, 'a')));

/** Pipes and tells how it went. */
function piped(source: NodeJS.ReadableStream, res: ServerResponse, note: (event: string) => void): void {
  pipeline(source, res, (error) => note(error?.code ?? 'piped'));
}

const ANSWERS: readonly Case[] = [
  { name: 'end with text', sends: GET, listener: (_req, res) => void res.end('text') },
  { name: 'end without anything', sends: GET, listener: (_req, res) => void res.end() },
  { name: 'write, write, end', sends: GET, listener: (_req, res) => void Readable.from(['a', 'b', 'c']).pipe(res) },
  { name: 'pipeline without a length', sends: GET, listener: (_req, res, note) => piped(big(), res, note) },
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
    play: async (client, _noted) => {
      client.socket.pause();
      await new Promise((resolve) => setImmediate(resolve));
      client.socket.resume();
    },
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
  { name: 'an answer before the body is read', sends: POST, listener: (_req, res) => void res.writeHead(401).end('no') },
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

export const CASES: readonly Case[] = [...ANSWERS, ...BODILESS, ...EARLY, ...ENDS, ...LEAVES];
