/**
 * A client that speaks HTTP/2 in the clear, by node:http2.
 *
 * @module
 */
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import { onTestFinished } from 'vitest';
import type { Handler } from '../../src/exchange/respond.ts';
import type { ServerOptions } from '../../src/server/options.ts';
import { type Served, serve } from './serve.ts';

/** A response. */
export interface Answer2 {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** As UTF-8. */
  readonly body: string;
}

/** A server, and a client connected to it. */
export interface Served2 extends Served {
  readonly client: ClientHttp2Session;
}

/** Starts a server with `h2c` and connects to it. */
export async function serveHttp2(handler: Handler, options: ServerOptions = {}): Promise<Served2> {
  const served = await serve(handler, { h2c: true, ...options });
  return { ...served, client: connectTo(served.port) };
}

/** Connects to a server; the connection is destroyed when the test ends. */
export function connectTo(port: number, settings: { initialWindowSize?: number } = {}): ClientHttp2Session {
  const client = connect(`http://127.0.0.1:${port}`, { settings });
  client.on('error', () => {}); // the requests tell
  onTestFinished(() => client.destroy());
  return client;
}

/** Sends a request and reads its response. */
export async function ask(
  client: ClientHttp2Session,
  headers: OutgoingHttpHeaders | string = '/',
  body?: string | Uint8Array,
): Promise<Answer2> {
  const stream = client.request(typeof headers === 'string' ? { ':path': headers } : headers, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  return answerOf(stream);
}

/** Reads the response on a stream. */
export async function answerOf(stream: ClientHttp2Stream): Promise<Answer2> {
  const head = headOf(stream);
  head.catch(() => {});
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece as Buffer);
  const headers = await head;
  return { status: Number(headers[':status']), headers, body: Buffer.concat(pieces).toString() };
}

/** The head of a response, as soon as it is there. */
export function headOf(stream: ClientHttp2Stream): Promise<IncomingHttpHeaders> {
  return new Promise((resolve, reject) => {
    stream.once('response', resolve);
    stream.once('error', reject);
    stream.once('close', () => reject(new Error(`The stream was closed with code ${stream.rstCode} before its response`)));
  });
}

/** The code with which a stream ends. */
export function codeOf(stream: ClientHttp2Stream): Promise<number> {
  return new Promise((resolve) => {
    stream.on('error', () => {});
    if (stream.closed) resolve(stream.rstCode);
    else stream.once('close', () => resolve(stream.rstCode));
  });
}
