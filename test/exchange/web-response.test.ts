import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { Request as UndiciRequest, Response as UndiciResponse, fetch as undiciFetch } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isWebResponse } from '../../src/exchange/web-response.ts';
import { answerWithFetch, toFetch } from '../../src/fetch.ts';
import { Request, Response } from '../../src/index.ts';
import { collectGarbage } from '../support/garbage.ts';
import { deferred, serve, talk } from '../support/serve.ts';

const TEXT = 'of the upstream, '.repeat(2000);

/** The classes that GraphQL Yoga brings along where it does not use those of Node. Loaded without its types, which are those of a browser. */
const { createFetch } = createRequire(import.meta.url)('@whatwg-node/fetch') as {
  createFetch(options: { skipPonyfill: boolean }): Pick<typeof globalThis, 'fetch' | 'Request' | 'Response'>;
};
const ponyfill = createFetch({ skipPonyfill: false });

/** A server of node:http that answers with a body of known length: at `/` compressed, elsewhere plain. */
async function upstream(): Promise<string> {
  const gzipped = gzipSync(TEXT);
  const server = createServer((req, res) => {
    const body = req.url === '/' ? gzipped : Buffer.from(TEXT);
    const coding = req.url === '/' ? { 'Content-Encoding': 'gzip' } : {};
    res.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': body.length, 'X-Kept': 'yes', ...coding });
    res.end(body);
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

function streamOfPieces(pieces: readonly string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => {
      for (const piece of pieces) controller.enqueue(Buffer.from(piece));
      controller.close();
    },
  });
}

describe('a web-standard Response that a handler returns', () => {
  it.each([
    ['of Node', (url: string) => fetch(url)],
    ['of npm undici', (url: string) => undiciFetch(url) as unknown as Promise<globalThis.Response>],
    ['of GraphQL Yoga', (url: string) => ponyfill.fetch(url)],
  ])('and that the fetch %s has decoded goes out whole, without the coding it had', async (_, get) => {
    const url = await upstream();
    const { port } = await serve(() => get(url));
    const response = await fetch(`http://127.0.0.1:${port}/`);
    expect(await response.text()).toBe(TEXT);
    expect(response.headers.get('content-encoding')).toBeNull();
    expect(response.headers.get('x-kept')).toBe('yes');
  });

  it('keeps the coding that the handler gave it', async () => {
    const body = gzipSync(TEXT);
    const { port } = await serve(() => new globalThis.Response(body, { headers: { 'Content-Encoding': 'gzip' } }));
    const response = await fetch(`http://127.0.0.1:${port}/`);
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(await response.text()).toBe(TEXT);
  });

  it('is not collected as garbage while it waits behind a slow answer', async () => {
    const url = await upstream();
    const first = deferred();
    const second = deferred();
    const { port } = await serve(async (request) => {
      if (request.path === '/slow') {
        await first.promise;
        return Response.text('slow');
      }
      const web = await fetch(`${url}plain`);
      setImmediate(second.resolve);
      return web;
    });
    const client = await talk(port);
    client.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /web HTTP/1.1\r\nHost: a\r\n\r\n');
    await second.promise;
    await collectGarbage();
    first.resolve(undefined);
    const answers = await client.answers(2);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers[1]?.body).toBe(TEXT);
  });

  it.each([
    ['of Node', () => new globalThis.Response('made by hand', { status: 201, headers: { 'X-A': '1' } })],
    ['of npm undici', () => new UndiciResponse('made by hand', { status: 201, headers: { 'X-A': '1' } }) as unknown as globalThis.Response],
    ['of GraphQL Yoga', () => new ponyfill.Response('made by hand', { status: 201, headers: { 'X-A': '1' } })],
  ])('is known by its shape: one %s, from the handler, through toFetch, and from an app', async (_, make) => {
    const { port } = await serve((request) => (request.path === '/app' ? answerWithFetch(request, make) : make()));
    for (const path of ['/', '/app']) {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      expect([response.status, response.headers.get('x-a'), await response.text()]).toEqual([201, '1', 'made by hand']);
    }
    const guest = await toFetch(make)(new globalThis.Request('http://a/'));
    expect([guest.status, guest.headers.get('x-a'), await guest.text()]).toEqual([201, '1', 'made by hand']);
  });

  it.each([
    ['text', () => new globalThis.Response('héllo'), '6'],
    ['no text', () => new globalThis.Response(''), '0'],
    ['JSON', () => globalThis.Response.json({ a: 1 }), '7'],
    ['bytes', () => new globalThis.Response(Uint8Array.of(1, 2, 3)), '3'],
    ['URLSearchParams', () => new globalThis.Response(new URLSearchParams({ a: '1' })), '3'],
    ['one piece of a stream that ends', () => new globalThis.Response(streamOfPieces(['abc'])), '3'],
    ['text, of npm undici', () => new UndiciResponse('héllo') as unknown as globalThis.Response, '6'],
  ])('has a Content-Length when it is made of %s, also for HEAD and through toFetch', async (_, make, length) => {
    const { port } = await serve((request) => {
      if (request.path === '/thrown') throw make() as unknown as Error;
      return make();
    });
    for (const [method, path] of [
      ['GET', ''],
      ['HEAD', ''],
      ['GET', 'thrown'],
    ] as const) {
      const response = await fetch(`http://127.0.0.1:${port}/${path}`, { method });
      expect([response.headers.get('content-length'), response.headers.get('transfer-encoding')]).toEqual([length, null]);
      expect((await response.arrayBuffer()).byteLength).toBe(method === 'GET' ? Number(length) : 0);
    }
    expect((await toFetch(make)(new globalThis.Request('http://a/'))).headers.get('content-length')).toBe(length);
    expect((await answerWithFetch(new Request(), make)).bytes()?.length).toBe(Number(length)); // bytes, not a stream: what a thread sends
  });

  it('is streamed when it has several pieces, and none is asked for before the client takes it', async () => {
    let made = 0;
    const pieces = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          if (++made > 3) controller.close();
          else controller.enqueue(Buffer.from(`${made}`));
        },
      },
      { highWaterMark: 0 },
    );
    const response = await answerWithFetch(new Request(), () => new globalThis.Response(pieces));
    expect([response.bytes(), made]).toEqual([undefined, 1]);
    expect((await response.collect()).toString()).toBe('123');
  });

  it('goes out with its head at once when its body is not there yet', async () => {
    const piece = deferred<string>();
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        controller.enqueue(Buffer.from(await piece.promise));
        controller.close();
      },
    });
    const { port } = await serve(() => new globalThis.Response(body));
    const response = await fetch(`http://127.0.0.1:${port}/`); // settles with the head
    piece.resolve('later');
    expect([response.headers.get('content-length'), await response.text()]).toEqual([null, 'later']);
  });

  it('is a 500 that onError sees when its body fails before anything of it is out', async () => {
    const errors: unknown[] = [];
    const failing = (): globalThis.Response =>
      new globalThis.Response(new ReadableStream({ pull: (controller) => controller.error(new Error('no database')) }));
    const { port } = await serve(failing, { onError: (error) => void errors.push(error) });
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(500);
    expect(errors).toEqual([new Error('no database')]);
  });

  it('is not what only looks a little like one', () => {
    expect(isWebResponse(Response.text('ours'))).toBe(false);
    expect(isWebResponse({ status: 200, headers: {}, body: null })).toBe(false);
    expect(isWebResponse({ status: 200, headers: new Headers(), body: 'text', bodyUsed: false, arrayBuffer() {} })).toBe(false);
    expect(isWebResponse(undefined)).toBe(false);
    expect(isWebResponse(new globalThis.Request('http://a/'))).toBe(false);
  });
});

describe('a web-standard Request that is handed to toFetch', () => {
  const init = { method: 'POST', headers: { 'X-A': '1' }, body: 'sent' };
  it.each([
    ['of Node', () => new globalThis.Request('http://a/b?c', init)],
    ['of npm undici', () => new UndiciRequest('http://a/b?c', init) as unknown as globalThis.Request],
    ['of GraphQL Yoga', () => new ponyfill.Request('http://a/b?c', init)],
  ])('is known by its shape: one %s', async (_, make) => {
    const fetch = toFetch((request) =>
      Response.text(`${request.method} ${request.target} ${request.header('x-a')} ${request.body.text()}`),
    );
    const response = await fetch(make());
    expect(await response.text()).toBe('POST /b?c 1 sent');
  });
});
