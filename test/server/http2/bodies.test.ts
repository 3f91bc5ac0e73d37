import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { HttpError, type Request, Response } from '../../../src/index.ts';
import { answerOf, ask, codeOf, headOf, serveHttp2 } from '../../support/http2.ts';
import { type Frame, FrameParser, frame, HELLO, headers, number } from '../../support/http2-frames.ts';
import { deferred, serve, talk } from '../../support/serve.ts';
import { standsStill, until } from '../../support/until.ts';

const MiB = 1024 * 1024;
const POST = { ':method': 'POST', ':path': '/' };

function hashOf(bytes: Iterable<Uint8Array>): string {
  const hash = createHash('sha256');
  for (const piece of bytes) hash.update(piece);
  return hash.digest('hex');
}

describe('the body of a request over HTTP/2', () => {
  it('waits in memory when it is large and there is room, else on disk, and comes whole', async () => {
    const body = randomBytes(5 * MiB);
    for (const [maxMemoryForBodies, isInMemory] of [
      [64 * MiB, true],
      [16 * MiB, false],
    ] as const) {
      const { client } = await serveHttp2((request) => Response.text(`${request.body.isInMemory} ${hashOf(request.body.chunks())}`), {
        maxMemoryForBodies,
      });
      expect(await ask(client, POST, body)).toMatchObject({ status: 200, body: `${isInMemory} ${hashOf([body])}` });
    }
  });

  it('comes beside others on one connection', async () => {
    const { client } = await serveHttp2((request) => Response.text(hashOf(request.body.chunks())));
    const bodies = Array.from({ length: 20 }, (_, i) => randomBytes(i * 50_000));
    const answers = await Promise.all(bodies.map((body) => ask(client, POST, body)));
    expect(answers.map(({ body }) => body)).toEqual(bodies.map((body) => hashOf([body])));
  });

  it('may be empty', async () => {
    const { client } = await serveHttp2((request) => Response.text(String(request.body.size)));
    expect(await ask(client, POST, '')).toMatchObject({ status: 200, body: '0' });
  });

  it('is refused with 413 when more is announced than allowed, which the client reads while it sends nothing', async () => {
    const { client, server } = await serveHttp2(() => Response.text(''), { maxBodySize: 10 });
    const stream = client.request({ ...POST, 'content-length': 11 });
    expect(await answerOf(stream)).toMatchObject({ status: 413 });
    expect(await codeOf(stream)).toBe(0);
    expect(server.status().refused).toEqual({ 413: 1 });
    expect(await ask(client, '/')).toMatchObject({ status: 200 });
  });

  it('is refused with 413 as soon as more has come than allowed', async () => {
    const { client } = await serveHttp2(() => Response.text(''), { maxBodySize: 10 });
    const stream = client.request(POST);
    stream.write('x'.repeat(11)); // and no end
    expect(await answerOf(stream)).toMatchObject({ status: 413 });
    expect(await codeOf(stream)).toBe(0);
  });

  it('is asked for with 100 when the client waits for that', async () => {
    const { client } = await serveHttp2((request) => Response.text(request.body.text()));
    const stream = client.request({ ...POST, expect: '100-continue' });
    await once(stream, 'continue');
    stream.end('here');
    expect(await answerOf(stream)).toMatchObject({ status: 200, body: 'here' });
  });

  it('is answered with 408 on its stream alone when it comes too slowly', async () => {
    const { client, server } = await serveHttp2((request) => Response.text(request.path), { requestTimeout: 100 });
    const stream = client.request(POST);
    stream.write('x');
    expect(await answerOf(stream)).toMatchObject({ status: 408 });
    expect(server.status().refused).toEqual({ 408: 1 });
    expect(await ask(client, '/other')).toMatchObject({ status: 200, body: '/other' });
  });
});

describe('a streamed body over HTTP/2', () => {
  const streamBody = (): boolean => true;

  it('is read while it comes', async () => {
    const { client } = await serveHttp2(
      async (request) => {
        let text = '';
        for await (const piece of request.body.stream()) text += String(piece);
        return Response.text(`${request.body.size} ${text}`);
      },
      { streamBody },
    );
    const stream = client.request({ ...POST, 'content-length': 6 });
    stream.write('abc');
    stream.end('def');
    expect(await answerOf(stream)).toMatchObject({ body: '6 abcdef' });
  });

  it('goes out again as it comes', async () => {
    const { client } = await serveHttp2((request) => Response.stream('text/plain', request.body.stream()), { streamBody });
    const stream = client.request(POST);
    stream.setEncoding('utf8');
    for (const piece of ['one', 'two', 'three']) {
      stream.write(piece);
      const [echo] = (await once(stream, 'data')) as [string];
      expect(echo).toBe(piece);
    }
    stream.end();
    await once(stream, 'end');
  });

  it('makes its client wait while nobody reads it, and no other', async () => {
    const mayRead = deferred<void>();
    const { client } = await serveHttp2(
      async (request) => {
        if (request.path === '/other') return Response.text('other');
        await mayRead.promise;
        let size = 0;
        for await (const piece of request.body.stream()) size += (piece as Buffer).length;
        return Response.text(String(size));
      },
      { streamBody, maxBodySize: 64 * MiB },
    );
    const stream = client.request(POST);
    const answer = answerOf(stream);
    let sent = 0;
    const feed = (): void => {
      for (let isTaken = true; isTaken && sent < 16 * MiB; sent += 16 * 1024) isTaken = stream.write(Buffer.alloc(16 * 1024));
      if (sent === 16 * MiB) stream.end();
    };
    stream.on('drain', feed);
    feed();
    expect(await standsStill(() => sent)).toBeLessThan(MiB);
    expect(await ask(client, '/other')).toMatchObject({ body: 'other' });
    mayRead.resolve();
    expect(await answer).toMatchObject({ body: String(16 * MiB) });
  });

  it('is asked for with 100 when its handler reads', async () => {
    const mayRead = deferred<void>();
    const { client } = await serveHttp2(
      async (request) => {
        await mayRead.promise;
        let text = '';
        for await (const piece of request.body.stream()) text += String(piece);
        return Response.text(text);
      },
      { streamBody },
    );
    const stream = client.request({ ...POST, expect: '100-continue' });
    let isAsked = false;
    stream.once('continue', () => {
      isAsked = true;
      stream.end('here');
    });
    await new Promise((resolve) => client.ping(resolve));
    expect(isAsked).toBe(false);
    mayRead.resolve();
    expect(await answerOf(stream)).toMatchObject({ body: 'here' });
  });

  it('fails for its handler when the client resets the stream', async () => {
    const failed = deferred<unknown>();
    const { client } = await serveHttp2(
      async (request) => {
        try {
          for await (const _ of request.body.stream()) {
            // until it breaks off
          }
        } catch (error) {
          failed.resolve(error);
        }
        return Response.text('');
      },
      { streamBody },
    );
    const stream = client.request(POST);
    stream.on('error', () => {});
    stream.write('x', () => stream.close(8));
    const error = await failed.promise;
    expect(error).toBeInstanceOf(HttpError);
    expect(error).toMatchObject({ status: 400, code: 'body-incomplete' });
  });

  it('fails with 413 for its handler, whose answer is sent', async () => {
    const { client } = await serveHttp2(
      async (request) => {
        for await (const _ of request.body.stream()) {
          // until it is too much
        }
        return Response.text('');
      },
      { streamBody, maxBodySize: 10 },
    );
    const stream = client.request(POST);
    stream.write('x'.repeat(20));
    expect(await answerOf(stream)).toMatchObject({ status: 413 });
  });

  it('need not be sent to its end once it is answered', async () => {
    const { client } = await serveHttp2(() => Response.text('enough'), { streamBody });
    const stream = client.request(POST);
    expect(await answerOf(stream)).toMatchObject({ status: 200, body: 'enough' });
    expect(await codeOf(stream)).toBe(0);
  });
});

describe('a request that its client gives up', () => {
  it('is told by request.signal, and others go on', async () => {
    const seen = deferred<Request>();
    const { client, server } = await serveHttp2((request) => {
      if (request.path === '/other') return Response.text('other');
      seen.resolve(request);
      return new Promise<Response>((resolve) => request.signal.addEventListener('abort', () => resolve(Response.text('late'))));
    });
    const stream = client.request({ ':path': '/' });
    const code = codeOf(stream);
    const request = await seen.promise;
    expect(request.signal.aborted).toBe(false);
    stream.close(8);
    await code;
    await until(
      () => request.signal.aborted || undefined,
      () => 'the signal',
    );
    expect(request.signal.reason).toMatchObject({ name: 'AbortError' });
    expect(await ask(client, '/other')).toMatchObject({ body: 'other' });
    expect(server.status().inFlight).toBe(0);
  });

  it('keeps its place until its handler has ended: handlers that a client has started and left are no more than its streams', async () => {
    const mayEnd = deferred<void>();
    let began = 0;
    const { port, server } = await serve(
      async () => {
        began++;
        await mayEnd.promise;
        return Response.text('');
      },
      { h2c: true, threads: 0 },
    );
    const client = await talk(port);
    client.send(HELLO);
    for (let id = 1; id < 400; id += 2) client.send(Buffer.concat([headers(id), frame('RST_STREAM', 0, id, number(8))]));
    client.send(frame('PING', 0, 0, Buffer.alloc(8)));
    const framesOf = (text: string): Frame[] => new FrameParser().push(Buffer.from(text, 'latin1'));
    await client.until((text) => framesOf(text).some(({ type }) => type === 'PING'));
    expect(began).toBe(128);
    expect(server.status().inFlight).toBe(128);
    expect(framesOf(client.received).filter(({ code }) => code === 'REFUSED_STREAM')).toHaveLength(72);
    mayEnd.resolve();
    await until(
      () => (server.status().inFlight === 0 ? true : undefined),
      () => 'the handlers',
    );
    client.send(headers(401));
    await client.until((text) => framesOf(text).some(({ type, id }) => type === 'HEADERS' && id === 401));
  });

  it('is told by request.signal when the connection goes', async () => {
    const seen = deferred<Request>();
    const { client } = await serveHttp2((request) => {
      seen.resolve(request);
      return new Promise<Response>(() => {});
    });
    const stream = client.request({ ':path': '/' });
    stream.on('error', () => {});
    headOf(stream).catch(() => {});
    const request = await seen.promise;
    client.destroy();
    await until(
      () => request.signal.aborted || undefined,
      () => 'the signal',
    );
  });
});
