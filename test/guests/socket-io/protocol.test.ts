/**
 * Engine.IO protocol 4 and Socket.IO protocol 5 by a raw client: what is on the wire, for polling over fetch and for websockets over ws.
 */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { SocketIOOptions } from '../../../src/socket.io.ts';
import { until } from '../../support/until.ts';
import { lineTo, Poller, urlOf } from './raw.ts';
import { serveIO } from './served.ts';

type Done = (...args: unknown[]) => void;

/** What is wrong with a request, as the engine says it. */
async function refusal(port: number, query: string, init?: RequestInit): Promise<[number, unknown]> {
  const response = await fetch(urlOf(port, query), init);
  return [response.status, await response.json()];
}

describe('the handshake of Engine.IO', () => {
  it('opens a session by polling', async () => {
    const { port } = await serveIO();
    const response = await fetch(urlOf(port, 'EIO=4&transport=polling'));
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/plain; charset=UTF-8']);
    const text = await response.text();
    const open = JSON.parse(text.slice(1)) as Record<string, unknown>;
    expect(text[0]).toBe('0');
    expect(open).toEqual({
      sid: expect.any(String) as unknown,
      upgrades: ['websocket'],
      pingInterval: 25_000,
      pingTimeout: 20_000,
      maxPayload: 1_000_000,
    });
  });

  it('opens a session by websocket, which can be upgraded to nothing', async () => {
    const { port } = await serveIO();
    const { next } = await lineTo(port);
    const open = JSON.parse(String(await next()).slice(1)) as Record<string, unknown>;
    expect(open).toEqual({
      sid: expect.any(String) as unknown,
      upgrades: [],
      pingInterval: 25_000,
      pingTimeout: 20_000,
      maxPayload: 1_000_000,
    });
  });

  it('refuses what is not a handshake', async () => {
    const { port } = await serveIO();
    expect(await refusal(port, 'EIO=4')).toEqual([400, { code: 0, message: 'Transport unknown' }]);
    expect(await refusal(port, 'EIO=4&transport=abc')).toEqual([400, { code: 0, message: 'Transport unknown' }]);
    expect(await refusal(port, 'EIO=4&transport=polling&sid=abc')).toEqual([400, { code: 1, message: 'Session ID unknown' }]);
    expect(await refusal(port, 'EIO=4&transport=polling', { method: 'POST' })).toEqual([400, { code: 2, message: 'Bad handshake method' }]);
    expect(await refusal(port, 'EIO=4&transport=websocket')).toEqual([400, { code: 3, message: 'Bad request' }]);
    expect(await refusal(port, 'EIO=3&transport=polling')).toEqual([400, { code: 5, message: 'Unsupported protocol version' }]);
  });

  it('refuses a websocket with the engine`s own words', async () => {
    const { port } = await serveIO({ allowRequest: (_req, decide) => decide('not today', false) });
    const socket = new WebSocket(urlOf(port, 'EIO=4&transport=websocket', 'ws'));
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toBe('Unexpected server response: 400');
    expect(await refusal(port, 'EIO=4&transport=polling')).toEqual([403, { code: 4, message: 'not today' }]);
  });
});

describe('the heartbeat', () => {
  const options: SocketIOOptions = { pingInterval: 100, pingTimeout: 300 };

  it('asks by polling, and keeps a client that answers', async () => {
    const { port } = await serveIO({ ...options, pingTimeout: 10_000 });
    const poller = await Poller.begin(port);
    for (let i = 0; i < 3; i++) {
      expect(await poller.poll()).toEqual(['2']);
      expect(await poller.post('3')).toEqual({ status: 200, text: 'ok' });
    }
  });

  it('closes a client that does not answer', async () => {
    const { io, port } = await serveIO(options);
    const left: string[] = [];
    io.on('connection', (socket) => socket.on('disconnect', (reason) => left.push(reason)));
    const { socket, next } = await lineTo(port);
    await next();
    socket.send('40');
    expect(await next()).toMatch(/^40/);
    expect(await next()).toBe('2');
    await once(socket, 'close');
    expect(left).toEqual(['ping timeout']);
  });
});

describe('the transports', () => {
  it('take several packets of a client at once, and give what has gathered at once', async () => {
    const { io, port } = await serveIO();
    io.on('connection', (socket) => socket.on('echo', (text: string) => socket.emit('echoed', text)));
    const poller = await Poller.begin(port);
    await poller.connect();
    expect(await poller.post('42["echo","a"]', '42["echo","❤"]')).toEqual({ status: 200, text: 'ok' });
    expect(await poller.poll()).toEqual(['42["echoed","a"]', '42["echoed","❤"]']);
  });

  it('let a poll wait until there is something', async () => {
    const { io, port } = await serveIO();
    const poller = await Poller.begin(port);
    await poller.connect();
    const poll = poller.poll();
    io.emit('news', 1);
    expect(await poll).toEqual(['42["news",1]']);
  });

  it('close a session that polls twice at the same time, or sends what is no packet', async () => {
    const { port } = await serveIO();
    const poller = await Poller.begin(port);
    await poller.connect();
    const url = urlOf(port, `EIO=4&transport=polling&sid=${poller.sid}`);
    const statuses = await Promise.all([fetch(url), fetch(url)].map(async (response) => (await response).status));
    expect(statuses.toSorted()).toEqual([200, 400]); // which the engine answers, and closes
    const other = await Poller.begin(port);
    await other.post('abc');
    const [status, body] = await refusal(port, `EIO=4&transport=polling&sid=${other.sid}`);
    expect([status, (body as { code: number }).code]).toEqual([400, 1]);
  });

  it('are upgraded by a probe, behind which nothing comes by polling any more', async () => {
    const { io, port } = await serveIO();
    const poller = await Poller.begin(port);
    await poller.connect();
    const { socket, next } = await lineTo(port, poller.sid);
    socket.send('2probe');
    expect(await next()).toBe('3probe');
    expect(await poller.poll()).toEqual(['6']); // the pending poll is released
    socket.send('5');
    await until(
      () => io.engine.clientsCount === 1 || undefined,
      () => 'one client',
    );
    io.emit('news', 1);
    expect(await next()).toBe('42["news",1]');
    expect(await refusal(port, `EIO=4&transport=polling&sid=${poller.sid}`)).toEqual([400, { code: 3, message: 'Bad request' }]);
  });

  it('close a websocket whose probe names a session that is not there', async () => {
    const { port } = await serveIO();
    const socket = new WebSocket(urlOf(port, 'EIO=4&transport=websocket&sid=nobody', 'ws'));
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toBe('Unexpected server response: 400');
  });

  it('refuse a body larger than maxHttpBufferSize', async () => {
    const { port } = await serveIO({ maxHttpBufferSize: 1000 });
    const poller = await Poller.begin(port);
    await poller.connect();
    expect((await poller.post(`42["echo","${'x'.repeat(2000)}"]`)).status).toBe(413);
  });
});

describe('the packets of Socket.IO', () => {
  it('connect to namespaces, or say why not', async () => {
    const { io, port } = await serveIO();
    io.of('/admin').use((_socket, proceed) => proceed(new Error('no')));
    const { socket, next } = await lineTo(port);
    await next();
    socket.send('40');
    expect(await next()).toMatch(/^40\{"sid":"[^"]+"\}$/);
    socket.send('40/admin,{"token":1}');
    expect(await next()).toBe('44/admin,{"message":"no"}');
    socket.send('40/none,');
    expect(await next()).toBe('44/none,{"message":"Invalid namespace"}');
  });

  it('are acknowledged both ways, by their numbers', async () => {
    const { io, port } = await serveIO();
    const answers: unknown[] = [];
    io.on('connection', (socket) => {
      socket.on('add', (a: number, b: number, done: Done) => done(a + b));
      socket.emit('what?', (answer: unknown) => answers.push(answer));
    });
    const { socket, next } = await lineTo(port);
    await next();
    socket.send('40');
    await next();
    expect(await next()).toBe('420["what?"]');
    socket.send('430["this"]');
    socket.send('4217["add",1,2]');
    expect(await next()).toBe('4317[3]');
    expect(answers).toEqual(['this']);
  });

  it('carry bytes: placeholders by text, then each as a frame of its own, or as base64 by polling', async () => {
    const { io, port } = await serveIO();
    io.on('connection', (socket) => socket.on('echo', (...args: unknown[]) => socket.emit('echoed', ...args)));
    const { socket, next } = await lineTo(port);
    await next();
    socket.send('40');
    await next();
    socket.send('452-["echo",{"_placeholder":true,"num":0},[{"_placeholder":true,"num":1}]]');
    socket.send(Buffer.from([1, 2, 3]));
    socket.send(Buffer.from([4]));
    expect(await next()).toBe('452-["echoed",{"_placeholder":true,"num":0},[{"_placeholder":true,"num":1}]]');
    expect([await next(), await next()]).toEqual([Buffer.from([1, 2, 3]), Buffer.from([4])]);

    const poller = await Poller.begin(port);
    await poller.connect();
    await poller.post('451-["echo",{"_placeholder":true,"num":0}]', `b${Buffer.from([1, 2, 3]).toString('base64')}`);
    expect(await poller.poll()).toEqual(['451-["echoed",{"_placeholder":true,"num":0}]', 'bAQID']);
  });

  it('end one namespace, or the session', async () => {
    const { io, port } = await serveIO();
    const left: string[] = [];
    io.on('connection', (socket) => socket.on('disconnect', (reason) => left.push(reason)));
    const poller = await Poller.begin(port);
    await poller.connect();
    await poller.post('41');
    await poller.connect(); // once more, in the same session
    await poller.post('1');
    expect(left).toEqual(['client namespace disconnect', 'transport close']);
    expect((await refusal(port, `EIO=4&transport=polling&sid=${poller.sid}`))[0]).toBe(400);
  });

  it('close a client that does not connect to any namespace', async () => {
    const { port } = await serveIO({ connectTimeout: 50 });
    const { socket } = await lineTo(port);
    await once(socket, 'close');
  });
});
