import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ClientHttp2Stream } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Response, sendEarlyHints } from '../../../src/index.ts';
import { answerOf, ask, codeOf, connectTo, headOf, serveHttp2 } from '../../support/http2.ts';
import { type Frame, FrameParser, frame, headers, number, PREFACE, request, settings } from '../../support/http2-frames.ts';
import { deferred, serve, talk } from '../../support/serve.ts';
import { standsStill, until } from '../../support/until.ts';

const MiB = 1024 * 1024;

/** A source of pieces without end, and how many have been asked of it. */
class Endless implements AsyncIterableIterator<Uint8Array> {
  asked = 0;
  isEnded = false;
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.asked++;
    return Promise.resolve({ done: false, value: Buffer.alloc(this.#size, 'x') });
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.isEnded = true;
    return Promise.resolve({ done: true, value: undefined });
  }
}

describe('a response over HTTP/2', () => {
  it('has no body for HEAD, and the length that GET would have', async () => {
    const { client } = await serveHttp2(() => Response.text('hello'));
    const answer = await ask(client, { ':method': 'HEAD', ':path': '/' });
    expect(answer).toMatchObject({ status: 200, body: '' });
    expect(answer.headers['content-length']).toBe('5');
  });

  it('has no body and no length with 204, and none with 304 but the length of the 200', async () => {
    const { client } = await serveHttp2(({ path }) =>
      path === '/204' ? Response.empty() : Response.empty(304).withHeader('Content-Length', '7'),
    );
    const none = await ask(client, '/204');
    expect(none).toMatchObject({ status: 204, body: '' });
    expect(none.headers['content-length']).toBeUndefined();
    expect((await ask(client, '/304')).headers).toMatchObject({ ':status': 304, 'content-length': '7' });
  });

  it('has no field of an HTTP/1.1 connection', async () => {
    const { client } = await serveHttp2(() =>
      Response.text('')
        .withHeader('Connection', 'x-private')
        .withHeader('X-Private', '1')
        .withHeader('Keep-Alive', 'timeout=5')
        .withHeader('X-Public', '2'),
    );
    const { headers } = await ask(client);
    expect(Object.keys(headers).toSorted()).toEqual([':status', 'content-length', 'content-type', 'date', 'x-public']);
  });

  it('may be a large text, or large bytes', async () => {
    const text = '€é🎈x'.repeat(200_000);
    const { client } = await serveHttp2(({ path }) =>
      path === '/text' ? Response.text(text) : Response.bytes('text/plain', Buffer.from(text)),
    );
    for (const path of ['/text', '/bytes']) {
      const { headers, body } = await ask(client, path);
      expect(body === text, path).toBe(true);
      expect(headers['content-length']).toBe(String(Buffer.byteLength(text)));
    }
  });

  it('may be a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'filrouge-h2-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'a.txt');
    writeFileSync(path, 'x'.repeat(300_000));
    const { client } = await serveHttp2(() => Response.file(path));
    const { headers, body } = await ask(client);
    expect(headers['content-length']).toBe('300000');
    expect(body).toBe('x'.repeat(300_000));
  });

  it('may be a stream of unknown length', async () => {
    const { client } = await serveHttp2(() => Response.stream('text/plain', ['one', '', 'two']));
    const { headers, body } = await ask(client);
    expect(headers['content-length']).toBeUndefined();
    expect(body).toBe('onetwo');
  });

  it('comes behind interim ones', async () => {
    const { client } = await serveHttp2((request) => {
      sendEarlyHints(request, ['</style.css>; rel=preload; as=style']);
      return Response.text('');
    });
    const stream = client.request({ ':path': '/' });
    const [hints] = (await once(stream, 'headers')) as [Record<string, unknown>];
    expect(hints).toMatchObject({ ':status': 103, link: '</style.css>; rel=preload; as=style' });
    expect(await answerOf(stream)).toMatchObject({ status: 200 });
  });

  it('is the answer to an error of the handler', async () => {
    const errors: unknown[] = [];
    const { client } = await serveHttp2(
      () => {
        throw new Error('broken');
      },
      { onError: (error) => void errors.push(error) },
    );
    expect(await ask(client)).toMatchObject({ status: 500 });
    expect(errors).toMatchObject([{ message: 'broken' }]);
  });

  it('is 503 when the handler takes longer than handlerTimeout, and its place is free only when the handler has ended', async () => {
    const mayEnd = deferred<void>();
    let ended = 0;
    const { client } = await serveHttp2(
      async ({ path }) => {
        if (path !== '/slow') return Response.text(path);
        await mayEnd.promise;
        ended++;
        return Response.text('late');
      },
      { handlerTimeout: 40, threads: 0 },
    );
    const slow = await Promise.all(Array.from({ length: 128 }, () => ask(client, '/slow')));
    expect(new Set(slow.map(({ status }) => status))).toEqual(new Set([503]));
    const refused = client.request({ ':path': '/next' });
    expect(await codeOf(refused)).toBe(7); // REFUSED_STREAM
    mayEnd.resolve();
    await until(
      () => (ended === 128 ? true : undefined),
      () => 'the handlers',
    );
    expect(await ask(client, '/next')).toMatchObject({ status: 200, body: '/next' });
  });
});

describe('a response over HTTP/2 that fails', () => {
  it('is another one while nothing of it is out', async () => {
    const errors: unknown[] = [];
    const once = Response.stream('text/plain', (async function* () {})());
    const { client } = await serveHttp2(() => once, { onError: (error) => void errors.push(error), threads: 0 });
    expect(await ask(client)).toMatchObject({ status: 200 });
    expect(await ask(client)).toMatchObject({ status: 500 });
    expect(errors).toHaveLength(1);
  });

  it('is broken off with INTERNAL_ERROR behind its head, and onError is called', async () => {
    const errors: unknown[] = [];
    async function* broken(): AsyncGenerator<string> {
      yield 'one';
      throw new Error('broken');
    }
    const { client } = await serveHttp2(() => Response.stream('text/plain', broken()), { onError: (error) => void errors.push(error) });
    const stream = client.request({ ':path': '/' });
    const code = codeOf(stream);
    expect(await headOf(stream)).toMatchObject({ ':status': 200 });
    stream.resume();
    expect(await code).toBe(2);
    await until(
      () => errors[0],
      () => 'onError',
    );
  });

  it('is broken off when it is shorter than announced', async () => {
    const { client } = await serveHttp2(() => Response.stream('text/plain', ['one'], 5), { onError: () => {} });
    const stream = client.request({ ':path': '/' });
    const code = codeOf(stream);
    stream.resume();
    expect(await code).toBe(2);
  });
});

describe('a client that reads slowly over HTTP/2', () => {
  it('is given no more pieces of a stream than it reads, and holds up no other stream', async () => {
    const source = new Endless(64 * 1024);
    const { client } = await serveHttp2(({ path }) =>
      path === '/' ? Response.stream('text/plain', source) : Response.text('x'.repeat(MiB)),
    );
    const slow = client.request({ ':path': '/' });
    slow.on('error', () => {});
    await headOf(slow); // and nothing is read
    const asked = await standsStill(() => source.asked);
    expect(asked).toBeLessThanOrEqual(8); // a thread sends four ahead
    expect((await ask(client, '/other')).body).toHaveLength(MiB);
    expect(source.asked).toBe(asked);
    slow.close(8);
    await until(
      () => source.isEnded || undefined,
      () => 'the source to be dropped',
    );
  });

  it('is cut off on a stream that takes nothing for writeTimeout, and goes on with others', async () => {
    const source = new Endless(64 * 1024);
    const { client } = await serveHttp2(({ path }) => (path === '/' ? Response.stream('text/plain', source) : Response.text('other')), {
      writeTimeout: 150,
    });
    const slow = client.request({ ':path': '/' });
    slow.on('error', () => {});
    const code = codeOf(slow);
    await headOf(slow);
    expect(await ask(client, '/other')).toMatchObject({ body: 'other' });
    await until(
      () => source.isEnded || undefined,
      () => 'the source to be dropped',
    );
    slow.resume();
    expect(await code).toBe(8);
    expect(await ask(client, '/other')).toMatchObject({ body: 'other' });
  });

  it('is cut off as a whole when it takes no byte for writeTimeout', async () => {
    const { port, server } = await serve(() => Response.text('x'.repeat(64 * MiB)), { h2c: true, writeTimeout: 150 });
    const client = await talk(port);
    client.send(PREFACE);
    client.send(settings([4, 2 ** 31 - 1])); // INITIAL_WINDOW_SIZE
    client.send(frame('WINDOW_UPDATE', 0, 0, number(2 ** 30)));
    client.send(headers(1));
    client.socket.pause();
    await until(
      () => (server.status().requests === 1 ? true : undefined),
      () => 'the request',
    );
    await until(
      () => (server.status().connections === 0 ? true : undefined),
      () => 'the connection to be cut',
    );
  });

  it('has small responses beside a large one, when it says nothing of priorities', async () => {
    const { port } = await serve(({ path }) => Response.text(path === '/large' ? 'x'.repeat(MiB) : 'small'), { h2c: true });
    const client = await talk(port);
    const frames = (): Frame[] => new FrameParser().push(Buffer.from(client.received, 'latin1'));
    const dataOn = (id: number): number =>
      frames().reduce((sum, { type, id: of, payload }) => (type === 'DATA' && of === id ? sum + payload.length : sum), 0);
    client.send(Buffer.concat([PREFACE, settings([4, 2 ** 20]), headers(1, request('GET', '/large'))]));
    await client.until(() => dataOn(1) === 65_535); // the window of the connection
    client.send(headers(3));
    await client.until(() => frames().some(({ type, id }) => type === 'HEADERS' && id === 3));
    client.send(frame('WINDOW_UPDATE', 0, 0, number(40_000)));
    await client.until(() => dataOn(1) + dataOn(3) === 65_535 + 40_000);
    expect(dataOn(3)).toBe(5);
  });

  it('has no more responses made than fit into some memory, until it lets them through', async () => {
    const size = 4 * MiB;
    const { port, server } = await serve(({ path }) => Response.text(path.padEnd(size)), { h2c: true, threads: 0 });
    const client = connectTo(port, { initialWindowSize: 0 });
    const streams = Array.from({ length: 20 }, (_, i) => client.request({ ':path': `/${i}` }));
    await headOf(streams[0] as ClientHttp2Stream);
    await new Promise((resolve) => client.ping(resolve));
    expect(server.status().requests).toBe(5);
    streams[7]?.close(8); // one that waits is never handled
    client.settings({ initialWindowSize: 65_535 });
    const answers = await Promise.all(streams.filter((_, i) => i !== 7).map((stream) => bodyOf(stream)));
    expect(answers).toEqual(answers.map(() => size));
    expect(server.status().requests).toBe(19);
  });
});

/** Reads the body of a response whose head may have come. @returns Its length. */
async function bodyOf(stream: ClientHttp2Stream): Promise<number> {
  let size = 0;
  for await (const piece of stream) size += (piece as Buffer).length;
  return size;
}
