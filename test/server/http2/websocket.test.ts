import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { describe, expect, it } from 'vitest';
import { match, type Request, Response } from '../../../src/index.ts';
import { type Closing, websocket } from '../../../src/websocket.ts';
import { closeFrame, frame, parseFrames, type SeenFrame, TEXT } from '../../support/frames.ts';
import { answerOf, codeOf, headOf, serveHttp2 } from '../../support/http2.ts';
import { deferred } from '../../support/serve.ts';
import { until } from '../../support/until.ts';

const ASK = { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/chat', 'sec-websocket-version': '13' };

/** Asks for a websocket, once the server has said that it may be asked. */
async function connect(client: ClientHttp2Session, fields: Record<string, string> = {}): Promise<ClientHttp2Stream> {
  if (!client.remoteSettings.enableConnectProtocol) await new Promise((resolve) => client.once('remoteSettings', resolve));
  return client.request({ ...ASK, ':scheme': 'http', ...fields });
}

/** The frames that come on a stream. */
function framesOf(stream: ClientHttp2Stream): (count: number) => Promise<SeenFrame[]> {
  let text = '';
  stream.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
  });
  return (count) =>
    until(
      () => (parseFrames(text).length >= count ? parseFrames(text) : undefined),
      () => `${count} frames`,
    );
}

const echo = (request: Request): Response => {
  if (!match(request, 'GET /chat')) return Response.empty(404);
  return websocket(request, (socket) => socket.onMessage((data) => socket.send(data)), { protocols: ['a', 'b'] });
};

describe('a websocket over HTTP/2 (RFC 8441)', () => {
  it('is opened with an extended CONNECT, which a handler sees as GET', async () => {
    const { client } = await serveHttp2(echo);
    const stream = await connect(client, { 'sec-websocket-protocol': 'b' });
    const head = await headOf(stream);
    expect(head).toMatchObject({ ':status': 200, 'sec-websocket-protocol': 'b' });
    for (const name of ['sec-websocket-accept', 'upgrade', 'connection', 'content-length']) expect(head[name], name).toBeUndefined();
    const frames = framesOf(stream);
    stream.write(frame(TEXT, 'one'));
    expect(await frames(1)).toMatchObject([{ opcode: TEXT, payload: Buffer.from('one') }]);
    stream.write(frame(TEXT, 'x'.repeat(100_000)));
    expect((await frames(2))[1]?.payload).toHaveLength(100_000);
    const code = codeOf(stream);
    stream.end(closeFrame(1000));
    await frames(3);
    expect(await code).toBe(0);
  });

  it('is refused like any other request', async () => {
    const { client } = await serveHttp2(echo);
    expect(await answerOf(await connect(client, { ':path': '/other' }))).toMatchObject({ status: 404 });
    expect(await answerOf(await connect(client, { 'sec-websocket-version': '12' }))).toMatchObject({ status: 426 });
  });

  it('ends when its client resets the stream', async () => {
    const closed = deferred<Closing>();
    const { client, server } = await serveHttp2((request) => websocket(request, (socket) => void socket.closed.then(closed.resolve)));
    const stream = await connect(client);
    stream.on('error', () => {});
    await headOf(stream);
    stream.close(8);
    expect(await closed.promise).toMatchObject({ code: 1006 });
    expect(server.status().inFlight).toBe(0);
  });

  it('is closed with 1001 when the server stops', async () => {
    const { client, server } = await serveHttp2(echo);
    const stream = await connect(client);
    await headOf(stream);
    const frames = framesOf(stream);
    const closed = server.close();
    const [close] = await frames(1);
    expect(close?.payload.readUInt16BE()).toBe(1001);
    stream.end(closeFrame(1001));
    await closed;
  });

  it('takes frames that came before it was opened', async () => {
    const mayOpen = deferred<void>();
    const { client } = await serveHttp2(async (request) => {
      await mayOpen.promise;
      return echo(request);
    });
    const stream = await connect(client);
    stream.write(frame(TEXT, 'early'));
    await new Promise((resolve) => client.ping(resolve));
    mayOpen.resolve();
    expect(await framesOf(stream)(1)).toMatchObject([{ payload: Buffer.from('early') }]);
  });

  it('is cut off when its client takes nothing of it for writeTimeout, as any response is, and others go on', async () => {
    const closed = deferred<void>();
    const { client, server } = await serveHttp2(
      ({ path }) => {
        if (path === '/other') return Response.text('other');
        return Response.upgrade('websocket', (connection) => {
          connection.on('close', () => closed.resolve());
          connection.write(Buffer.alloc(1024 * 1024));
        });
      },
      { writeTimeout: 150 },
    );
    const stream = await connect(client);
    stream.on('error', () => {});
    const code = codeOf(stream);
    expect(await headOf(stream)).toMatchObject({ ':status': 200 });
    await closed.promise;
    stream.resume();
    expect(await code).toBe(8);
    expect(await answerOf(client.request({ ':path': '/other' }))).toMatchObject({ status: 200 });
    expect(server.status()).toMatchObject({ inFlight: 0, connections: 1 });
  });

  it('waits for a client that does not read, and holds up no other stream', async () => {
    const sent: number[] = [];
    const { client } = await serveHttp2((request) => {
      if (request.path === '/other') return Response.text('other');
      return websocket(request, async (socket) => {
        for (let i = 0; i < 40; i++) {
          socket.send('x'.repeat(50_000));
          await socket.drained();
          sent.push(i);
        }
      });
    });
    const stream = await connect(client);
    await headOf(stream); // and nothing is read
    expect(await answerOf(client.request({ ':path': '/other' }))).toMatchObject({ body: 'other' });
    expect(sent.length).toBeLessThan(10);
    expect(await framesOf(stream)(40)).toHaveLength(40);
  });

  it('is not what a plain GET may become: the answer says what this resource speaks', async () => {
    const { client } = await serveHttp2(() => Response.upgrade('echo', () => {}));
    expect(await answerOf(client.request({ ':path': '/' }))).toMatchObject({ status: 426, body: 'This resource speaks echo' });
  });

  it('reports what the one who takes the stream throws, and resets it', async () => {
    const errors: unknown[] = [];
    const { client } = await serveHttp2(
      () =>
        Response.upgrade('websocket', () => {
          throw new Error('broken');
        }),
      { onError: (error) => void errors.push(error), threads: 0 },
    );
    const stream = await connect(client);
    expect(await codeOf(stream)).toBe(8);
    expect(errors).toMatchObject([{ message: 'broken' }]);
  });
});
