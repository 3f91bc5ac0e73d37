import { describe, expect, it } from 'vitest';
import { type Handler, Response } from '../../../src/index.ts';
import type { ServerOptions } from '../../../src/server/options.ts';
import { ask, connectTo, headOf, serveHttp2 } from '../../support/http2.ts';
import { ACK, END_HEADERS, type Frame, FrameParser, frame, HELLO, headers, request, settings } from '../../support/http2-frames.ts';
import { deferred, type Served, serve, type Talk, talk } from '../../support/serve.ts';
import { until } from '../../support/until.ts';

/** The frames that have come, but settings and windows. */
function framesOf(client: Talk): Frame[] {
  const frames = new FrameParser().push(Buffer.from(client.received, 'latin1'));
  return frames.filter(({ type }) => type !== 'SETTINGS' && type !== 'WINDOW_UPDATE');
}

/** What a GOAWAY says. */
function said({ payload, code }: Frame): [lastId: number, code: unknown] {
  return [payload.readUInt32BE(0), code];
}

async function speak(options: ServerOptions = {}): Promise<Served & { client: Talk }> {
  return served(({ path }) => Response.text(path), options);
}

async function served(handler: Handler, options: ServerOptions = {}): Promise<Served & { client: Talk }> {
  const served = await serve(handler, { h2c: true, ...options });
  const client = await talk(served.port);
  client.send(HELLO);
  return { ...served, client };
}

describe('an HTTP/2 connection ends', () => {
  it('with GOAWAY when it has been at rest for keepAliveTimeout', async () => {
    const { client } = await speak({ keepAliveTimeout: 50 });
    client.send(headers(1));
    await client.closed();
    const frames = framesOf(client);
    expect(frames.map(({ type }) => type)).toEqual(['HEADERS', 'DATA', 'GOAWAY']);
    expect(said(frames[2] as Frame)).toEqual([1, 'NO_ERROR']);
  });

  it('also when its client sends nothing but pings', async () => {
    const { client } = await speak({ keepAliveTimeout: 50 });
    const timer = setInterval(() => client.send(frame('PING', 0, 0, Buffer.alloc(8))), 5);
    await client.closed();
    clearInterval(timer);
    expect(framesOf(client).at(-1)).toMatchObject({ type: 'GOAWAY', code: 'NO_ERROR' });
  });

  it('when its client says nothing for headersTimeout', async () => {
    const { port } = await serve(() => Response.text(''), { h2c: true, headersTimeout: 50 });
    const client = await talk(port);
    client.send('PRI * HTTP/2.0\r\n');
    expect(await client.closed()).toBe('');
  });

  it('when a header block is not complete after headersTimeout, however it trickles in', async () => {
    const { client } = await speak({ headersTimeout: 100 });
    const whole = headers(1, request('GET', '/', ['x-long', 'x'.repeat(1000)]));
    let at = 0;
    const timer = setInterval(() => client.send(whole.subarray(at, ++at)), 5);
    await client.closed();
    clearInterval(timer);
    expect(at).toBeLessThan(whole.length);
    expect(framesOf(client).map(({ type }) => type)).toEqual(['GOAWAY']);
  });

  it('not while a body comes in frames that are never whole when they are read', async () => {
    const { port } = await serve((incoming) => Response.text(String(incoming.body.size)), { h2c: true, headersTimeout: 100 });
    const client = await talk(port);
    client.send(HELLO);
    client.send(headers(1, request('POST'), 0));
    const piece = frame('DATA', 0, 1, 'x'.repeat(100));
    let sent = 0;
    client.send(piece.subarray(0, 5));
    const began = performance.now();
    await until(
      () => {
        client.send(Buffer.concat([piece.subarray(5), piece.subarray(0, 5)]));
        sent++;
        return performance.now() - began > 400 ? true : undefined;
      },
      () => 'the time to pass',
    );
    client.send(Buffer.concat([piece.subarray(5), frame('DATA', 1, 1)]));
    await client.until(() => framesOf(client).length === 2);
    expect(String(framesOf(client)[1]?.payload)).toBe(String((sent + 1) * 100));
  });

  it('when its client has ended its side and has its answers', async () => {
    const { client } = await speak();
    client.send(headers(1));
    client.end();
    await client.closed();
    expect(
      framesOf(client)
        .map(({ type }) => type)
        .toSorted(),
    ).toEqual(['DATA', 'GOAWAY', 'HEADERS']);
    expect(client.isReset).toBe(false);
  });

  it.each([
    ['its stream', 65_535],
    ['the connection', 1_000_000],
  ])(
    'when its client has ended its side without giving %s the window that an answer needs: none can come any more',
    async (_what, initial) => {
      const { client } = await served(() => Response.text('x'.repeat(200_000)));
      client.send(settings([4, initial]));
      client.send(headers(1));
      client.end();
      await client.closed();
      const sizes = framesOf(client)
        .filter(({ type }) => type === 'DATA')
        .map(({ payload }) => payload.length);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(65_535);
      expect(framesOf(client).filter(({ type }) => type === 'RST_STREAM')).toMatchObject([{ id: 1, code: 'CANCEL' }]);
    },
  );

  it('when its client has ended its side, has heard that it was noticed, and leaves only then', async () => {
    const [reached, left] = [deferred<void>(), deferred<void>()];
    const { client } = await served(({ signal }) => {
      signal.addEventListener('abort', () => left.resolve());
      reached.resolve();
      return new Promise<Response>(() => {});
    });
    client.send(headers(1));
    await reached.promise;
    client.end();
    await client.until(() => framesOf(client).some(({ type }) => type === 'GOAWAY'));
    client.socket.destroy(); // nothing is unread there, so no reset tells it
    await left.promise;
  });

  it('when its client has left by GOAWAY and has its answers', async () => {
    const { client } = await speak();
    client.send(headers(1));
    client.send(frame('GOAWAY', 0, 0, Buffer.alloc(8)));
    await client.closed();
    expect(framesOf(client).map(({ type }) => type)).toEqual(['HEADERS', 'DATA']);
  });

  it('with GOAWAY that names the error when its client breaks the protocol', async () => {
    const { client } = await speak();
    client.send(headers(2));
    await client.closed();
    expect(said(framesOf(client)[0] as Frame)).toEqual([0, 'PROTOCOL_ERROR']);
    expect(client.isReset).toBe(false);
  });

  it('behind a response that says Connection: close', async () => {
    const { port } = await serve(() => Response.text('bye').withHeader('Connection', 'close'), { h2c: true });
    const client = await talk(port);
    client.send(HELLO);
    client.send(headers(1));
    await client.closed();
    const goodbyes = framesOf(client).filter(({ type }) => type === 'GOAWAY');
    expect(goodbyes.map(said)).toEqual([
      [2 ** 31 - 1, 'NO_ERROR'],
      [1, 'NO_ERROR'],
    ]);
  });
});

describe('a server that stops', () => {
  it('tells its HTTP/2 clients in two steps, serves what comes between them, and finishes what is open', async () => {
    const mayAnswer = deferred<void>();
    const { port, server } = await serve(
      async ({ path }) => {
        if (path === '/slow') await mayAnswer.promise;
        return Response.text(path);
      },
      { h2c: true },
    );
    const client = await talk(port);
    client.send(HELLO);
    client.send(headers(1, request('GET', '/slow')));
    await until(
      () => (server.status().inFlight === 1 ? true : undefined),
      () => 'the request',
    );
    const closed = server.close();
    await client.until(() => framesOf(client).length === 2);
    client.send(headers(3, request('GET', '/between')));
    client.send(frame('PING', ACK, 0, 'farewell')); // what came before it is served
    await client.until(() => framesOf(client).length === 5);
    client.send(headers(5, request('GET', '/ignored')));
    mayAnswer.resolve();
    await client.closed();
    client.end();
    await closed;
    const frames = framesOf(client);
    expect(frames.map(({ type, id }) => `${String(type)} ${id}`).toSorted()).toEqual([
      'DATA 1',
      'DATA 3',
      'GOAWAY 0',
      'GOAWAY 0',
      'HEADERS 1',
      'HEADERS 3',
      'PING 0',
    ]);
    expect(frames.filter(({ type }) => type === 'GOAWAY').map(said)).toEqual([
      [2 ** 31 - 1, 'NO_ERROR'],
      [3, 'NO_ERROR'],
    ]);
  });

  it('ends event streams, and connections at rest', async () => {
    async function* events(): AsyncGenerator<string> {
      yield 'one';
      await new Promise(() => {});
    }
    const { client, port, server } = await serveHttp2(() => Response.events(events()));
    const idle = connectTo(port);
    await new Promise((resolve) => idle.once('remoteSettings', resolve));
    const stream = client.request({ ':path': '/' });
    await headOf(stream);
    stream.resume();
    const ended = new Promise((resolve) => stream.once('end', resolve));
    await server.close();
    await ended;
    expect(stream.rstCode).toBe(0);
  });

  it('finishes fifty open streams', async () => {
    const mayAnswer = deferred<void>();
    const { client, server } = await serveHttp2(async ({ path }) => {
      await mayAnswer.promise;
      return Response.text(path);
    });
    const answers = Array.from({ length: 50 }, (_, i) => ask(client, `/${i}`));
    await until(
      () => (server.status().inFlight === 50 ? true : undefined),
      () => 'the requests',
    );
    const closed = server.close();
    mayAnswer.resolve();
    expect((await Promise.all(answers)).map(({ body }) => body)).toEqual(Array.from({ length: 50 }, (_, i) => `/${i}`));
    await closed;
  });
});

describe('a header block that never ends', () => {
  it('is not waited for beyond headersTimeout', async () => {
    const { client } = await speak({ headersTimeout: 50 });
    const [head] = [headers(1)];
    head.writeUInt8((head[4] as number) & ~END_HEADERS, 4);
    client.send(head);
    await client.closed();
    expect(framesOf(client).map(({ type }) => type)).toEqual(['GOAWAY']);
  });
});
