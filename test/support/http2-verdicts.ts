/**
 * What must follow when a client breaks a rule of HTTP/2 (RFC 9113 §5.4): the stream, or the connection, and nothing else.
 *
 * @module
 */
import { expect } from 'vitest';
import { type Request, Response } from '../../src/index.ts';
import type { ServerOptions } from '../../src/server/options.ts';
import { type Code, connectHttp2, type Http2Client } from './http2-client.ts';
import { HELLO } from './http2-frames.ts';
import { serve } from './serve.ts';

/** A stream that no test uses for anything else. */
export const OTHER = 9001;

/** What the server of these tests answers: the method and path of a request, and its body. `/large` has 100 KB. */
export function echo(request: Request): Response {
  if (request.path === '/large') return Response.text('x'.repeat(100_000));
  return Response.text(`${request.method} ${request.path} ${request.body.text()}`);
}

/** Starts that server, and connects to it. */
export async function speak(options: ServerOptions = {}, hello: Uint8Array = HELLO): Promise<Http2Client> {
  const { port } = await serve(echo, { h2c: true, ...options });
  return connectHttp2(port, { hello });
}

/** Sends frames that break a rule of the connection: it must end with that code, and the server must go on. */
export async function breaksConnection(code: Code, lastId: number, ...frames: Uint8Array[]): Promise<void> {
  const client = await speak();
  client.send(...frames);
  await isBroken(client, code, lastId);
}

/** Waits for the end of a connection with that code. Another client is still served. */
export async function isBroken(client: Http2Client, code: Code, lastId: number): Promise<void> {
  const { isReset: _, ...ending } = await client.ending();
  expect(ending).toEqual({ code, lastId });
  expect(client.frames.at(-1)).toMatchObject({ type: 'GOAWAY', id: 0 });
  const another = await connectHttp2(client.socket.remotePort as number);
  expect(await another.ask(1, '/other')).toMatchObject({ status: 200, body: 'GET /other ' });
}

/** Sends frames that break a rule of one stream: it must be reset with that code, and the connection must go on. */
export async function breaksStream(code: Code, id: number, ...frames: Uint8Array[]): Promise<void> {
  const client = await speak();
  client.send(...frames);
  expect(await client.resetOf(id)).toBe(code);
  await goesOn(client);
}

/** Sends frames that break no rule. */
export async function breaksNothing(...frames: Uint8Array[]): Promise<Http2Client> {
  const client = await speak();
  client.send(...frames);
  await goesOn(client);
  expect(client.frames.filter(({ type }) => type === 'RST_STREAM' || type === 'GOAWAY')).toEqual([]);
  return client;
}

/** The connection still serves requests. */
export async function goesOn(client: Http2Client): Promise<void> {
  expect(await client.ask(OTHER, '/next')).toMatchObject({ status: 200, body: 'GET /next ' });
  expect(client.frames.some(({ type }) => type === 'GOAWAY')).toBe(false);
}
