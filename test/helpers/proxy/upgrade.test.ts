import { Duplex } from 'node:stream';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { tunnelTo } from '../../../src/helpers/proxy/tunnel.ts';
import { Request, Response } from '../../../src/index.ts';
import { proxy } from '../../../src/proxy.ts';
import { websocket } from '../../../src/websocket.ts';
import { type Served, serve, talk } from '../../support/serve.ts';
import { until } from '../../support/until.ts';
import { linesOf, namesOf, OK, through, upstream, type Visit } from './upstream.ts';

const UPGRADE =
  'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
const SWITCHED =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-One: 1\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';

/** A proxied connection that has switched. */
async function switched(): Promise<{ client: Awaited<ReturnType<typeof talk>>; visit: Visit; served: Served }> {
  const up = await upstream();
  const served = await serve((request) => proxy(request, up.target));
  const client = await talk(served.port);
  client.send(UPGRADE);
  const visit = await up.visit();
  await visit.has(/\r\n\r\n$/);
  visit.send(SWITCHED);
  await client.until(/^HTTP\/1\.1 101 [\s\S]*\r\n\r\n$/);
  return { client, visit, served };
}

describe('proxy passes a websocket', () => {
  it('with its handshake, and then all bytes both ways', async () => {
    const { client, visit } = await switched();
    const lines = linesOf(visit.text);
    expect(lines).toContain('upgrade: websocket');
    expect(lines).toContain('connection: upgrade');
    expect(lines).toContain('sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==');
    expect(linesOf(client.received)).toEqual(
      expect.arrayContaining([
        'x-one: 1',
        'upgrade: websocket',
        'connection: Upgrade',
        'sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
      ]),
    );
    client.send('\x81\x00up');
    await visit.has(/\x81\x00up$/);
    visit.send('\x81\x00down');
    await client.until(/\x81\x00down$/);
  });

  it('with bytes that came right behind the 101, or right behind the request', async () => {
    const up = await upstream();
    const client = await through(up.target);
    client.send(`${UPGRADE}early`);
    const visit = await up.visit();
    await visit.has(/\r\n\r\n$/);
    visit.send(`${SWITCHED}first`);
    await client.until(/\r\n\r\nfirst$/);
    await visit.has(/\r\n\r\nearly$/);
  });

  it('and says no with the words of the upstream', async () => {
    const up = await upstream('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
    const client = await through(up.target);
    client.send(`${UPGRADE}GET /next HTTP/1.1\r\nHost: a\r\n\r\n`);
    const answers = await client.answers(2); // the connection goes on as HTTP
    expect(answers.map(({ status, body }) => [status, body])).toEqual([
      [403, 'no'],
      [403, 'no'],
    ]);
  });

  it('and lets go of a no that the handler does not want', async () => {
    const up = await upstream('HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n');
    const { port } = await serve(async (request) => {
      expect((await proxy(request, up.target)).status).toBe(403);
      return Response.text('mine');
    });
    const client = await talk(port);
    client.send(UPGRADE);
    expect((await client.answers(1))[0]?.body).toBe('mine');
    await (await up.visit()).closed();
  });

  it('and says 426 with what the upstream wants instead (RFC 9110 §15.5.22)', async () => {
    const up = await upstream('HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: foo/2\r\nContent-Length: 0\r\n\r\n');
    const client = await through(up.target);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.answers(1))[0]?.headers).toMatchObject({ upgrade: 'foo/2', connection: 'Upgrade' });
  });

  it('until the upstream ends it, and the client gets all of it', async () => {
    const { client, visit } = await switched();
    visit.send('x'.repeat(500_000));
    visit.socket.end('bye');
    expect(await client.closed()).toMatch(/x{500000}bye$/);
    client.end();
    await visit.closed();
  });

  it('until the client ends it: the upstream may still answer', async () => {
    const { client, visit } = await switched();
    visit.socket.allowHalfOpen = true;
    client.send('last');
    client.end();
    await visit.has(/last$/);
    visit.socket.end('answer');
    expect(await client.closed()).toMatch(/answer$/);
  });

  it('until one of them breaks: the other is cut', async () => {
    const one = await switched();
    one.client.socket.resetAndDestroy();
    await one.visit.closed();
    const two = await switched();
    two.visit.socket.resetAndDestroy();
    await two.client.closed();
  });

  it('until the server stops: the upstream is told, and what it still says arrives', async () => {
    const { client, visit, served } = await switched();
    visit.socket.on('end', () => visit.socket.end('goodbye'));
    const closed = served.server.close({ timeout: 60_000 });
    expect(await client.closed()).toMatch(/goodbye$/);
    client.end();
    await closed;
  });

  it('no faster than the other end takes it', async () => {
    const { client, visit } = await switched();
    client.socket.pause();
    const piece = Buffer.alloc(64 * 1024);
    let sent = 0;
    while (visit.socket.write(piece) && sent < 200e6) sent += piece.length;
    visit.socket.on('drain', () => {
      while (sent < 200e6 && visit.socket.write(piece)) sent += piece.length;
    });
    let last = -1;
    let stillFor = 0;
    await until(
      async () => {
        const other = await talk(visit.socket.localPort ?? 0); // a turn of the loop and the network
        other.socket.destroy();
        stillFor = sent === last ? stillFor + 1 : 0;
        last = sent;
        return stillFor === 20 || undefined;
      },
      () => 'an upstream that is held back',
    );
    expect(sent).toBeLessThan(50e6);
  });
});

describe('a tunnel', () => {
  const takeover = { stopping: new AbortController().signal, report: () => {} };

  /** One end, which takes a piece when it is told to. */
  function end(): { stream: Duplex; take: () => void; taken: string } {
    const waiting: (() => void)[] = [];
    const one = {
      taken: '',
      take: () => waiting.shift()?.(),
      stream: new Duplex({
        read() {},
        write(piece: Buffer, _encoding, done) {
          waiting.push(() => {
            one.taken += piece.toString();
            done();
          });
        },
      }),
    };
    return one;
  }

  it('waits for the client to take what the upstream said before it closed', async () => {
    const [client, up] = [end(), end()];
    tunnelTo(up.stream)(client.stream, Buffer.alloc(0), takeover);
    up.stream.allowHalfOpen = false; // as the socket of a client is
    up.stream.push('bye');
    up.stream.push(null);
    await new Promise((resolve) => up.stream.once('close', resolve));
    expect(client.stream.destroyed).toBe(false);
    client.take();
    await new Promise((resolve) => client.stream.once('finish', resolve));
    expect(client.taken).toBe('bye');
  });

  it('closes the connection to the upstream when the client is gone, and to the client when the upstream has gone before', async () => {
    const [client, up] = [end(), end()];
    tunnelTo(up.stream)(client.stream, Buffer.alloc(0), takeover);
    client.stream.destroy();
    await new Promise((resolve) => up.stream.once('close', resolve));
    const late = end();
    tunnelTo(up.stream)(late.stream, Buffer.alloc(0), takeover);
    expect(late.stream.destroyed).toBe(true);
  });

  it('ends at once when the server is stopping already', async () => {
    const [client, up] = [end(), end()];
    tunnelTo(up.stream)(client.stream, Buffer.alloc(0), { ...takeover, stopping: AbortSignal.abort() });
    await new Promise((resolve) => up.stream.once('finish', resolve));
    expect(client.stream.destroyed).toBe(false);
  });
});

describe('proxy passes no upgrade', () => {
  it('to a protocol in which further requests would pass by our routes: h2c, HTTP, TLS', async () => {
    const up = await upstream(OK);
    for (const offer of ['h2c', 'HTTP/2.0', 'TLS/1.0', 'h2c, h2']) {
      const client = await through(up.target);
      client.send(
        `GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: ${offer}\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n`,
      );
      expect((await client.answers(1))[0]?.status).toBe(200);
    }
    for (const { text } of up.visits) expect(namesOf(text)).not.toContain('upgrade');
    expect(up.visits.length).toBeGreaterThan(0);
  });

  it('that Connection does not name, that has a body, or that comes in HTTP/1.0 (RFC 9110 §7.8)', async () => {
    const up = await upstream(OK);
    for (const request of [
      'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\nx',
      'GET / HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ]) {
      const client = await through(up.target);
      client.send(request);
      await client.until(/ 200 OK[\s\S]*ok$/);
    }
    for (const { text } of up.visits) expect(namesOf(text)).not.toContain('upgrade');
  });

  it('to a protocol that nobody offered: 502, and the connection is closed', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    const up = await upstream('HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n');
    const client = await through(up.target);
    client.send(UPGRADE);
    expect((await client.answers(1))[0]?.status).toBe(502);
    await (await up.visit()).closed();
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n'); // and 101 to one who asked for nothing
    expect((await client.answers(2))[1]?.status).toBe(502);
    log.mockRestore();
  });

  it('that nobody takes over: the connection to the upstream is closed after a while', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const up = await upstream(SWITCHED);
    const headers = { Connection: 'Upgrade', Upgrade: 'websocket' };
    expect((await proxy(new Request({ headers }), up.target)).status).toBe(101);
    expect((await up.visit()).isClosed).toBe(false);
    vi.advanceTimersByTime(5000);
    await (await up.visit()).closed();
  });
});

describe('a websocket of ours behind a proxy of ours', () => {
  it('echoes text and bytes, large ones too, and closes with the code it was given', async () => {
    const echo = await serve((request) =>
      websocket(request, (socket) => socket.onMessage((data) => socket.send(data)), { maxMessageSize: 4e6 }),
    );
    const { port } = await serve((request) => proxy(request, `http://127.0.0.1:${echo.port}`));
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
    const received: string[] = [];
    socket.on('message', (data: Buffer) => received.push(data.toString('latin1')));
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send('hello');
    socket.send(Buffer.alloc(3e6, 'z'));
    await until(
      () => received.length === 2 || undefined,
      () => 'two messages',
    );
    expect([received[0], received[1]?.length]).toEqual(['hello', 3e6]);
    const closed = new Promise((resolve) => socket.once('close', (code) => resolve(code)));
    socket.close(4321, 'done');
    expect(await closed).toBe(4321);
  });

  it('agrees on a subprotocol and compression with the upstream', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: true, handleProtocols: () => 'b' });
    await new Promise((resolve) => server.once('listening', resolve));
    server.on('connection', (socket) => socket.on('message', (data: Buffer) => socket.send(data.toString().toUpperCase())));
    const { port } = await serve((request) => proxy(request, `http://127.0.0.1:${(server.address() as { port: number }).port}`));
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, ['a', 'b']);
    await new Promise((resolve) => socket.once('open', resolve));
    expect([socket.protocol, socket.extensions]).toEqual(['b', 'permessage-deflate']);
    const answer = new Promise<Buffer>((resolve) => socket.once('message', resolve));
    socket.send('x'.repeat(5000));
    expect((await answer).toString()).toBe('X'.repeat(5000));
    socket.terminate();
    server.close();
  });
});
