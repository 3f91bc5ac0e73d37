/**
 * Our handlers under the tools that call listeners without a connection, with requests that they make up.
 */
import { Readable } from 'node:stream';
import Shot from '@hapi/shot';
import inject from 'light-my-request';
import { describe, expect, it } from 'vitest';
import { match, type Request, Response, readJson } from '../../src/index.ts';
import { toNodeListener } from '../../src/node.ts';

async function answer(request: Request): Promise<Response> {
  if (match(request, 'GET /hello')) return Response.text(`hello ${request.rawQuery}`).withCookie('a', '1').withCookie('b', '2');
  if (match(request, 'POST /json')) return Response.json(readJson(request));
  if (match(request, 'POST /upload')) {
    let size = 0;
    for await (const piece of request.body.stream()) size += (piece as Buffer).length;
    return Response.text(String(size));
  }
  if (match(request, 'GET /stream')) return Response.stream('text/plain', ['one ', 'two']);
  if (match(request, 'GET /fields')) {
    return Response.json([request.host, request.headerAll('x-a'), request.header('cookie'), request.remoteAddress]);
  }
  if (match(request, 'GET /broken')) throw new Error('no');
  return Response.empty(404);
}

const listener = toNodeListener(answer, { streamBody: ({ path }) => path === '/upload', onError: () => {} });

/** What both tools take and give, as far as it is used here. */
interface Asked {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: string;
  readonly headers?: Record<string, string>;
  readonly payload?: string | Buffer | Readable;
}
interface Told {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly payload: string;
}

const TOOLS: Readonly<Record<string, (asked: Asked) => Promise<Told>>> = {
  'light-my-request': (asked) => inject(listener, { ...asked, remoteAddress: '192.0.2.7' }),
  '@hapi/shot': (asked) => Shot.inject(listener as Parameters<typeof Shot.inject>[0], { ...asked, remoteAddress: '192.0.2.7' }),
};

describe.each(Object.entries(TOOLS))('%s', (_name, ask) => {
  it('gets an answer with its fields', async () => {
    const { statusCode, headers, payload } = await ask({ method: 'GET', url: '/hello?a=1' });
    expect([statusCode, payload, headers['content-type']]).toEqual([200, 'hello a=1', 'text/plain; charset=utf-8']);
    expect(headers['set-cookie']).toEqual([expect.stringMatching(/^a=1;/), expect.stringMatching(/^b=2;/)]);
  });

  it('posts JSON', async () => {
    const headers = { 'Content-Type': 'application/json' };
    const { statusCode, payload } = await ask({ method: 'POST', url: '/json', headers, payload: '{"a":[1,"é"]}' });
    expect([statusCode, JSON.parse(payload)]).toEqual([200, { a: [1, 'é'] }]);
  });

  it('is told of bad JSON', async () => {
    const headers = { 'Content-Type': 'application/json' };
    expect((await ask({ method: 'POST', url: '/json', headers, payload: '{' })).statusCode).toBe(400);
  });

  it('sends bytes, and a stream, to a handler that reads them as they come', async () => {
    const bytes = await ask({ method: 'POST', url: '/upload', payload: Buffer.alloc(100_000) });
    expect([bytes.statusCode, bytes.payload]).toEqual([200, '100000']);
    const payload = Readable.from([Buffer.alloc(100_000), Buffer.alloc(5)]);
    const stream = await ask({ method: 'POST', url: '/upload', headers: { 'Transfer-Encoding': 'chunked' }, payload });
    expect([stream.statusCode, stream.payload]).toEqual([200, '100005']);
  });

  it('gets a stream', async () => {
    expect(await ask({ method: 'GET', url: '/stream' })).toMatchObject({ statusCode: 200, payload: 'one two' });
  });

  it('sends fields, and the address of a client', async () => {
    const { payload } = await ask({ method: 'GET', url: '/fields', headers: { Host: 'example.org', 'X-A': '1', Cookie: 'a=1' } });
    expect(JSON.parse(payload)).toEqual(['example.org', ['1'], 'a=1', '192.0.2.7']);
  });

  it('gets errors, and nothing but the head for HEAD', async () => {
    expect((await ask({ method: 'GET', url: '/broken' })).statusCode).toBe(500);
    expect((await ask({ method: 'GET', url: '/nowhere' })).statusCode).toBe(404);
    expect(await ask({ method: 'HEAD', url: '/hello' })).toMatchObject({ statusCode: 200, payload: '' });
  });
});
