/**
 * Handlers of node:http's event `upgrade` as answers of ours.
 */
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type Duplex, Readable } from 'node:stream';
import { Server as Engine } from 'engine.io';
import { Socket as EngineClient } from 'engine.io-client';
import { createServer as createVite } from 'vite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Response } from '../../src/index.ts';
import { answerWithNode, type NodeUpgradeHandler, toNodeListener, upgradeWithNode } from '../../src/node.ts';
import type { ServerOptions } from '../../src/server/options.ts';
import { answerOf, ask, codeOf, headOf, serveHttp2 } from '../support/http2.ts';
import { isOverTls } from '../support/over.ts';
import { deferred, serve, type Talk, talk } from '../support/serve.ts';
import { standsStill, until } from '../support/until.ts';

const ASK = 'GET /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n';
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';

interface Mounted {
  readonly port: number;
  readonly errors: unknown[];
  close(): Promise<void>;
}

/** Mounts a handler. */
async function mount(handler: NodeUpgradeHandler, options: ServerOptions = {}): Promise<Mounted> {
  const errors: unknown[] = [];
  const all = { onError: (error: unknown) => void errors.push(error), ...options };
  const { port, server } = await serve((request) => upgradeWithNode(request, handler), all);
  return { port, errors, close: () => server.close() };
}

/** Sends a request for an upgrade. */
async function asked(port: number, rest = '\r\n'): Promise<Talk> {
  const client = await talk(port);
  client.send(ASK + rest);
  return client;
}

const echo: NodeUpgradeHandler = (_req, socket, head) => {
  socket.write(SWITCH);
  socket.write(head);
  socket.pipe(socket);
};

describe('upgradeWithNode', () => {
  it('shows the handler the request with Upgrade, and what the client has sent behind it', async () => {
    const seen = deferred<IncomingMessage>();
    const { port } = await mount((req, socket, head) => {
      seen.resolve(req);
      echo(req, socket, head);
    });
    const client = await asked(port, 'X-A: 1\r\n\r\nearly');
    expect(await client.until(/early$/)).toMatch(/^HTTP\/1\.1 101 [^\r]*\r\n(?:[^\r]+\r\n)*\r\nearly$/);
    const { method, url, headers, socket } = await seen.promise;
    expect([method, url, headers]).toEqual(['GET', '/a', { host: 'a', connection: 'Upgrade', upgrade: 'echo', 'x-a': '1' }]);
    expect([socket.remoteAddress, 'encrypted' in socket && socket.encrypted]).toEqual(['127.0.0.1', isOverTls]);
  });

  it('passes the fields of the 101 on, and bytes both ways as they are', async () => {
    const { port } = await mount((_req, socket) => {
      socket.write('HTTP/1.1 101 Switching\r\nUpgrade: echo/2\r\nConnection: Upgrade\r\nX-Own: 1\r\nX-Own: 2\r\n\r\nhello ');
      socket.pipe(socket);
    });
    const client = await asked(port);
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    client.send(bytes);
    const text = await client.until((all) => all.endsWith(bytes.toString('latin1')));
    const [head = '', rest] = text.split(/\r\n\r\n(.*)/s);
    expect(head.split('\r\n').toSorted()).toEqual([
      'Connection: Upgrade',
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: echo/2',
      'X-Own: 1',
      'X-Own: 2',
    ]);
    expect(rest).toBe(`hello ${bytes.toString('latin1')}`);
  });

  it('ends each side when the other does, and loses nothing on the way', async () => {
    const { port } = await mount((_req, socket) => {
      socket.write(SWITCH);
      let size = 0;
      socket.on('data', (piece: Buffer) => {
        size += piece.length;
      });
      socket.on('end', () => socket.end(`${size} bytes`));
    });
    const client = await asked(port);
    client.send('x'.repeat(3_000_000));
    client.end();
    expect(await client.closed()).toMatch(/\r\n\r\n3000000 bytes$/);
  });

  it('closes the connection when the handler destroys its socket, behind what it has written', async () => {
    const { port } = await mount((_req, socket) => {
      socket.write(`${SWITCH}${'x'.repeat(500_000)}`);
      socket.end('last');
      socket.on('finish', () => socket.destroy());
    });
    const text = await (await asked(port)).closed();
    expect(text.endsWith('last')).toBe(true);
    expect(text.length).toBeGreaterThan(500_000);
  });

  it.skipIf(isOverTls)('closes the socket of the handler when the client resets its connection', async () => {
    const { promise, resolve } = deferred<Duplex>();
    const { port } = await mount((_req, socket) => {
      socket.write(SWITCH);
      resolve(socket);
    });
    const client = await asked(port);
    await client.until(/\r\n\r\n/);
    const socket = await promise;
    const closed = once(socket, 'close');
    client.socket.resetAndDestroy();
    await closed;
  });

  it('reads no faster than the handler, and writes no faster than the client', async () => {
    const { promise, resolve } = deferred<Duplex>();
    const { port } = await mount((_req, socket) => {
      socket.write(SWITCH);
      socket.pause();
      resolve(socket);
    });
    const client = await asked(port);
    await client.until(/\r\n\r\n/);
    const socket = await promise;
    const piece = Buffer.alloc(64 * 1024, 'x');
    for (let i = 0; i < 800; i++) client.send(piece); // 50 MiB: more than two sockets of this machine hold
    await standsStill(() => client.socket.writableLength);
    expect(client.socket.writableLength).toBeGreaterThan(20 * 1024 * 1024);
    client.socket.pause();
    let written = 0;
    Readable.from(
      (function* () {
        for (; written < 800; written++) yield piece;
      })(),
      { highWaterMark: 1 },
    ).pipe(socket, { end: false });
    await standsStill(() => written);
    expect(written).toBeLessThan(500);
    let size = 0;
    socket.on('data', (bytes: Buffer) => {
      size += bytes.length;
    });
    socket.resume();
    await until(
      () => size === 800 * piece.length || undefined,
      () => `50 MiB, of which ${size} bytes have come`,
    );
    client.socket.resume();
    await client.until((text) => text.length > 800 * piece.length);
  });

  it('keeps the order of small and large pieces, alone and corked, while the client does not read and when it does', async () => {
    const pieces = Array.from({ length: 1200 }, (_, i) => `${i};`.padEnd(i % 100 === 99 ? 300_000 : i % 7, '.'));
    const stuck = deferred<Duplex>();
    const { port } = await mount(async (_req, socket) => {
      socket.write(SWITCH);
      await once(socket, 'data'); // joined
      let isFull = false;
      for (const [i, piece] of pieces.entries()) {
        if (i % 3 === 0) socket.cork();
        const hasRoom = socket.write(i % 2 === 0 ? piece : Buffer.from(piece));
        if (i % 3 === 2) socket.uncork();
        if (hasRoom || i % 3 !== 2) continue;
        if (!isFull) stuck.resolve(socket);
        isFull = true;
        await once(socket, 'drain');
      }
      socket.end();
    });
    const client = connect(port, '127.0.0.1');
    client.write(`${ASK}\r\ngo`);
    await stuck.promise;
    const text = (await client.setEncoding('latin1').toArray()).join('');
    expect(text.slice(text.indexOf('\r\n\r\n') + 4) === pieces.join('')).toBe(true);
  });

  it('passes on the head and body a handler refuses with, and ends the connection', async () => {
    const { port } = await mount((_req, socket) => {
      socket.end('HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 4\r\nContent-Type: text/plain\r\n\r\nwho?');
    });
    const text = await (await asked(port)).closed();
    expect(text).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
    expect(text).toMatch(/\r\nWWW-Authenticate: Basic\r\n/);
    expect(text).toMatch(/\r\nConnection: close\r\n/i);
    expect(text).toMatch(/\r\n\r\nwho\?$/);
  });

  it('passes on a bare refusal that is written and destroyed at once, as older examples do', async () => {
    const { port, errors } = await mount((_req, socket) => {
      socket.write('HTTP/1.1 404 Not Found\r\n\r\n');
      socket.destroy();
    });
    expect(await (await asked(port)).closed()).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
    expect(errors).toEqual([]);
  });

  it('is 400 when the handler closes the socket without an answer, and no error of the server', async () => {
    const { port, errors } = await mount((_req, socket) => void socket.destroy());
    const [answer] = await (await asked(port)).answers(1);
    expect([answer?.status, answer?.body]).toEqual([400, expect.stringContaining('refused')]);
    expect(errors).toEqual([]);
  });

  it('is 500 when the handler throws, or rejects, before its head', async () => {
    const boom = new Error('boom');
    const thrown = await mount(() => {
      throw boom;
    });
    expect((await (await asked(thrown.port)).answers(1))[0]?.status).toBe(500);
    const rejected = await mount(async () => {
      await Promise.reject(boom);
    });
    expect((await (await asked(rejected.port)).answers(1))[0]?.status).toBe(500);
    expect([thrown.errors, rejected.errors]).toEqual([[boom], [boom]]);
  });

  it('closes the connection when the handler rejects after its 101, and onError sees it', async () => {
    const gate = deferred<void>();
    const { port, errors } = await mount(async (_req, socket) => {
      socket.write(SWITCH);
      await gate.promise;
      throw new Error('late');
    });
    const client = await asked(port);
    await client.until(/\r\n\r\n/);
    gate.resolve();
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 101 /);
    expect(errors).toMatchObject([{ message: 'late' }]);
  });

  it.each<[string, NodeUpgradeHandler]>([
    [
      'throws at once',
      (_req, socket) => {
        socket.write(SWITCH);
        throw new Error('behind');
      },
    ],
    [
      'rejects at once',
      async (_req, socket) => {
        socket.write(SWITCH);
        throw new Error('behind');
      },
    ],
    [
      'writes later, and rejects then',
      async (_req, socket) => {
        await Promise.resolve();
        socket.write(SWITCH);
        throw new Error('behind');
      },
    ],
    [
      'writes in the next turn, and rejects then',
      async (_req, socket) => {
        await new Promise(setImmediate);
        socket.write(SWITCH);
        throw new Error('behind');
      },
    ],
  ])('sends the 101 of a handler that %s behind it, and closes; onError sees it', async (_what, handler) => {
    const { port, errors } = await mount(handler);
    expect(await (await asked(port)).closed()).toMatch(/^HTTP\/1\.1 101 /);
    expect(errors).toMatchObject([{ message: 'behind' }]);
  });

  it('is 503 when the handler never answers, and closes its socket', async () => {
    const closed = deferred<void>();
    const { port } = await mount((_req, socket) => void socket.on('close', () => closed.resolve()), { handlerTimeout: 100 });
    expect((await (await asked(port)).answers(1))[0]?.status).toBe(503);
    await closed.promise;
  });

  it('is 500 for an answer that is not HTTP', async () => {
    const { port, errors } = await mount((_req, socket) => void socket.end('hello\r\n\r\n'));
    expect((await (await asked(port)).answers(1))[0]?.status).toBe(500);
    expect(errors).toHaveLength(1);
  });

  it('is 426 for a request that offers no upgrade or has a body, and calls nobody (RFC 9110 §15.5.22)', async () => {
    let calls = 0;
    const { port } = await mount(() => void calls++);
    const plain = await talk(port);
    plain.send('GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n');
    const [answer] = await plain.answers(1);
    expect([answer?.status, answer?.headers['upgrade'], answer?.headers['connection']]).toEqual([426, 'websocket', 'Upgrade']);
    expect((await (await asked(port, 'Content-Length: 1\r\n\r\nx')).answers(1))[0]?.status).toBe(426);
    expect(calls).toBe(0);
  });

  it('refuses a handler that is no function', async () => {
    const { port, errors } = await mount('no' as unknown as NodeUpgradeHandler);
    expect((await (await asked(port)).answers(1))[0]?.status).toBe(500);
    expect(errors).toMatchObject([{ code: 'bad-option' }]);
  });

  it('ends the socket of the handler when the server stops, and the server ends with the connection', async () => {
    const ended = deferred<void>();
    const { port, close } = await mount((_req, socket) => {
      socket.write(SWITCH);
      socket.resume();
      socket.on('end', () => {
        ended.resolve();
        socket.end('bye');
      });
    });
    const client = await asked(port);
    await client.until(/\r\n\r\n/);
    const closing = close();
    await ended.promise;
    expect(await client.closed()).toMatch(/bye$/);
    client.end();
    await closing;
  });

  it('leaves no socket behind on the server of another, where connections cannot be taken over', async () => {
    const closed = deferred<void>();
    const listener = toNodeListener((request) =>
      upgradeWithNode(request, (_req, socket) => {
        socket.on('close', () => closed.resolve());
        socket.write(SWITCH);
      }),
    );
    const host = await listening(createServer(listener));
    const req = httpRequest({ port: host, headers: { Connection: 'Upgrade', Upgrade: 'echo' } }).end();
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    expect(res.statusCode).toBe(426);
    await closed.promise;
  });
});

/** Listens until the test ends. @returns The port. */
async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => server.close().closeAllConnections());
  return (server.address() as AddressInfo).port;
}

describe('upgradeWithNode over HTTP/2 (RFC 8441)', () => {
  const CONNECT = { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/', ':scheme': 'http', 'sec-websocket-version': '13' };

  it('makes the 101 of ws the 200 of the stream, without what belongs to HTTP/1.1', async () => {
    const wss = new WebSocketServer({ noServer: true });
    const { client } = await serveHttp2((request) =>
      upgradeWithNode(request, (req, socket, head) =>
        wss.handleUpgrade(req, socket, head, (ws) => ws.on('message', (data) => ws.send(data, { binary: false }))),
      ),
    );
    await once(client, 'remoteSettings');
    const stream = client.request(CONNECT);
    const head = await headOf(stream);
    expect(head[':status']).toBe(200);
    for (const name of ['sec-websocket-accept', 'upgrade', 'connection']) expect(head[name], name).toBeUndefined();
    stream.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
    const [frame] = (await once(stream, 'data')) as [Buffer];
    expect([...frame]).toEqual([0x81, 2, 0x68, 0x69]);
    const code = codeOf(stream);
    stream.end(Buffer.from([0x88, 0x80, 0, 0, 0, 0]));
    expect(await code).toBe(0);
  });

  it('makes a refusal the response of the stream, and keeps the connection', async () => {
    const { client } = await serveHttp2((request) =>
      request.path === '/'
        ? upgradeWithNode(request, (_req, socket) => void socket.end('HTTP/1.1 401 No\r\n\r\nwho?'))
        : Response.text('here'),
    );
    await once(client, 'remoteSettings');
    const goaways: number[] = [];
    client.on('goaway', (code: number) => goaways.push(code));
    const refused = client.request(CONNECT);
    const code = codeOf(refused);
    expect(await answerOf(refused)).toMatchObject({ status: 401, body: 'who?' });
    expect(await code).toBe(0); // the stream has ended at both sides, though its client has not ended its own
    expect(await ask(client, '/here')).toMatchObject({ status: 200, body: 'here' });
    expect(goaways).toEqual([]);
  });
});

describe('what upgradeWithNode is given', () => {
  it('may be a ws server without a server of its own', async () => {
    const wss = new WebSocketServer({ noServer: true, perMessageDeflate: true });
    wss.on('connection', (ws) => ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary })));
    const { port, close } = await mount((req, socket, head) =>
      wss.handleUpgrade(req, socket, head, (ws) => void wss.emit('connection', ws, req)),
    );
    const client = new WebSocket(`ws://127.0.0.1:${port}/`);
    onTestFinished(() => client.terminate());
    await once(client, 'open');
    expect(client.extensions).toContain('permessage-deflate');
    const large = 'x'.repeat(1_000_000);
    client.send(large);
    expect(String((await once(client, 'message'))[0])).toBe(large);
    const closed = once(client, 'close');
    void close();
    expect((await closed)[0]).toBe(1006);
  });

  it('may be the engine of Socket.IO, with polling through answerWithNode: a client upgrades from one to the other', async () => {
    const engine = new Engine();
    engine.on('connection', (socket: { on(event: string, listener: (data: string) => void): void; send(data: string): void }) =>
      socket.on('message', (data) => socket.send(`echo ${data}`)),
    );
    onTestFinished(() => void engine.close());
    const { port } = await serve((request) =>
      request.header('upgrade') === undefined
        ? answerWithNode(request, (req, res) => engine.handleRequest(req, res))
        : upgradeWithNode(request, (req, socket, head) => engine.handleUpgrade(req, socket, head)),
    );
    const client = new EngineClient(`http://127.0.0.1:${port}`, { transports: ['polling', 'websocket'] });
    onTestFinished(() => void client.close());
    const answers: string[] = [];
    client.on('message', (data: string) => answers.push(data));
    await new Promise<void>((resolve) => client.on('open', resolve));
    client.send('polled');
    await new Promise<void>((resolve) => client.on('upgrade', () => resolve()));
    client.send('pushed');
    await until(
      () => answers.length === 2 || undefined,
      () => 'two answers',
    );
    expect([answers, client.transport.name]).toEqual([['echo polled', 'echo pushed'], 'websocket']);
  });

  it('may be the HMR of Vite, on the port of the pages', { timeout: 30_000 }, async () => {
    const host = createServer(); // Vite listens for its event `upgrade`, and is given it by us
    const vite = await createVite({
      configFile: false,
      logLevel: 'silent',
      appType: 'custom',
      optimizeDeps: { noDiscovery: true },
      server: { middlewareMode: true, hmr: { server: host }, watch: null },
    });
    onTestFinished(() => vite.close());
    const { port } = await serve((request) =>
      request.header('upgrade') === undefined
        ? answerWithNode(request, vite.middlewares)
        : upgradeWithNode(request, (req, socket, head) => host.emit('upgrade', req, socket, head)),
    );
    const code = await (await fetch(`http://127.0.0.1:${port}/@vite/client`)).text();
    const token = /wsToken = "([^"]+)"/.exec(code)?.[1] ?? '';
    expect(token).not.toBe('');
    const client = new WebSocket(`ws://127.0.0.1:${port}/?token=${token}`, 'vite-hmr');
    onTestFinished(() => client.terminate());
    const [first] = (await once(client, 'message')) as [Buffer];
    expect(JSON.parse(String(first))).toEqual({ type: 'connected' });
    vite.ws.send({ type: 'full-reload' });
    const [second] = (await once(client, 'message')) as [Buffer];
    expect(JSON.parse(String(second))).toEqual({ type: 'full-reload' });
  });

  it('may be a proxy that passes the upgrade on to another server', async () => {
    const upstream = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    onTestFinished(() => upstream.close());
    await once(upstream, 'listening');
    upstream.on('connection', (ws) => ws.on('message', (data) => ws.send(`upstream ${(data as Buffer).toString()}`)));
    const target = (upstream.address() as AddressInfo).port;
    const { port } = await mount((req, socket, head) => {
      const there = connect(target, '127.0.0.1', () => {
        there.write(`${req.method} ${req.url} HTTP/1.1\r\n`);
        for (let i = 0; i < req.rawHeaders.length; i += 2) there.write(`${req.rawHeaders[i]}: ${req.rawHeaders[i + 1]}\r\n`);
        there.write('\r\n');
        there.write(head);
        there.pipe(socket).pipe(there);
      });
      there.on('error', () => socket.destroy());
      socket.on('close', () => there.destroy());
    });
    const client = new WebSocket(`ws://127.0.0.1:${port}/`);
    onTestFinished(() => client.terminate());
    await once(client, 'open');
    client.send('hi');
    expect(String((await once(client, 'message'))[0])).toBe('upstream hi');
  });
});
