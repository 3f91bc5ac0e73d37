/**
 * The door filrouge/socket.io, asked by the real socket.io-client.
 */
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { Adapter } from 'socket.io-adapter';
import { describe, expect, it } from 'vitest';
import { Request, Response } from '../../../src/index.ts';
import { createSocketIO, type SocketIOOptions } from '../../../src/socket.io.ts';
import { deferred, serve, talk } from '../../support/serve.ts';
import { until } from '../../support/until.ts';
import { clientOf, connected, next, serveIO, WAYS } from './served.ts';

type Done = (...args: unknown[]) => void;

describe.each(WAYS)('a client %s', (_way, transports) => {
  const options = { transports: [...transports] };

  it('sends and gets events, text and bytes as they are', async () => {
    const { io, port } = await serveIO();
    io.on('connection', (socket) => socket.on('echo', (...args: unknown[]) => socket.emit('echoed', ...args)));
    const client = await connected(port, options);
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    client.emit('echo', 'héllo ❤', { nested: [bytes, 1, null] }, bytes);
    const [text, object, raw] = await next(client, 'echoed');
    expect(text).toBe('héllo ❤');
    expect(object).toEqual({ nested: [bytes, 1, null] });
    expect(raw).toEqual(bytes);
  });

  it('gets what it asks for acknowledged, and acknowledges itself', async () => {
    const { io, port } = await serveIO();
    io.on('connection', (socket) => {
      socket.on('add', (a: number, b: number, done: Done) => done(a + b));
      socket.on('ask me', async (done: Done) => done(await socket.timeout(5000).emitWithAck('what?', 1)));
    });
    const client = await connected(port, options);
    client.on('what?', (value: number, done: Done) => done(`heard ${value}`));
    expect(await client.timeout(5000).emitWithAck('add', 1, 2)).toBe(3);
    expect(await client.timeout(5000).emitWithAck('ask me')).toBe('heard 1');
  });

  it('hears of an acknowledgement that does not come', async () => {
    const { io, port } = await serveIO();
    const answers: unknown[] = [];
    io.on('connection', (socket) => socket.timeout(50).emit('what?', (...args: unknown[]) => answers.push(args[0])));
    const client = await connected(port, options);
    await expect(client.timeout(50).emitWithAck('nobody listens')).rejects.toThrow('operation has timed out');
    const [error] = await until(
      () => (answers.length > 0 ? answers : undefined),
      () => 'the time-out of the server',
    );
    expect(String(error)).toContain('operation has timed out');
  });

  it('is in rooms, which hear what others do not', async () => {
    const { io, port } = await serveIO();
    io.on('connection', (socket) => {
      socket.on('join', async (room: string, done: Done) => {
        await socket.join(room);
        done();
      });
      socket.on('leave', async (room: string, done: Done) => {
        await socket.leave(room);
        done();
      });
      socket.on('say', (room: string, text: string) => socket.to(room).emit('said', text));
      socket.on('shout', (text: string) => socket.broadcast.emit('said', text));
    });
    const [ada, bob, cem] = await Promise.all([connected(port, options), connected(port, options), connected(port, options)]);
    const heard: string[] = [];
    for (const [name, client] of Object.entries({ ada, bob, cem })) client.on('said', (text: string) => heard.push(`${name}: ${text}`));
    await ada.emitWithAck('join', 'tea');
    await bob.emitWithAck('join', 'tea');
    ada.emit('say', 'tea', 'hello');
    await until(
      () => heard.includes('bob: hello') || undefined,
      () => 'what was said in the room',
    );
    cem.emit('shout', 'all');
    await until(
      () => heard.length === 3 || undefined,
      () => `what was said to all: ${heard.join()}`,
    );
    expect(heard.toSorted()).toEqual(['ada: all', 'bob: all', 'bob: hello']);
    await bob.emitWithAck('leave', 'tea');
    cem.emit('say', 'tea', 'again');
    const [text] = await next(ada, 'said');
    expect([text, heard.filter((line) => line === 'bob: again')]).toEqual(['again', []]);
  });

  it('is in the namespaces it asks for, whose events are apart', async () => {
    const { io, port } = await serveIO();
    io.of('/admin').on('connection', (socket) => socket.on('who', (done: Done) => done('admin')));
    io.on('connection', (socket) => socket.on('who', (done: Done) => done('main')));
    const main = await connected(port, options);
    const admin = main.io.socket('/admin'); // on the same connection
    await next(admin, 'connect');
    expect([await main.emitWithAck('who'), await admin.emitWithAck('who')]).toEqual(['main', 'admin']);
    io.of('/admin').emit('news', 1);
    expect(await next(admin, 'news')).toEqual([1]);
    const lost = main.io.socket('/none');
    const [error] = await next(lost, 'connect_error');
    expect((error as Error).message).toBe('Invalid namespace');
  });

  it('is let in by what it says in auth, for each namespace', async () => {
    const { io, port } = await serveIO();
    io.of('/admin').use((socket, proceed) => {
      const { token } = socket.handshake.auth as { token?: string };
      if (token !== 'right') return proceed(Object.assign(new Error('not you'), { data: { code: 7 } }));
      (socket.data as { claims?: unknown }).claims = { user: 'ada' };
      proceed();
    });
    io.of('/admin').on('connection', (socket) => socket.emit('claims', (socket.data as { claims: unknown }).claims));
    await connected(port, options); // without auth: accepted
    const refused = clientOf(port, { ...options, auth: { token: 'wrong' } }, '/admin');
    const [error] = await next(refused, 'connect_error');
    expect([(error as Error).message, (error as { data?: unknown }).data]).toEqual(['not you', { code: 7 }]);
    const accepted = clientOf(port, { ...options, auth: { token: 'right' } }, '/admin');
    expect(await next(accepted, 'claims')).toEqual([{ user: 'ada' }]);
  });

  it('is told when the server stops, and the server ends', async () => {
    const { io, port, server } = await serveIO();
    const left: string[] = [];
    io.on('connection', (socket) => socket.on('disconnect', (reason) => left.push(reason)));
    const client = await connected(port, { ...options, reconnection: false });
    const { clients } = io.engine as unknown as { clients: Record<string, { transport: { name: string; writable: boolean } }> };
    await until(
      () => Object.values(clients).some(({ transport }) => transport.name === transports.at(-1) && transport.writable) || undefined,
      () => 'a client that has upgraded, or that waits in a poll',
    );
    const gone = next(client, 'disconnect');
    await server.close();
    expect((await gone)[0]).toBe('transport close'); // after which clients come again by themselves
    expect(left).toHaveLength(1);
    expect(Object.keys(clients)).toEqual([]);
  });

  it('gets large messages, compressed where that is asked for', async () => {
    const { io, port } = await serveIO({ perMessageDeflate: { threshold: 1024 }, maxHttpBufferSize: 5_000_000 });
    io.on('connection', (socket) => socket.on('echo', (text: string, done: Done) => done(text)));
    const client = await connected(port, options);
    const text = 'filrouge '.repeat(200_000);
    expect(await client.timeout(10_000).emitWithAck('echo', text)).toBe(text);
  });
});

describe('io.answer', () => {
  it('leaves other paths to others, and serves the client of socket.io', async () => {
    const { port } = await serveIO();
    const origin = `http://127.0.0.1:${port}`;
    expect(await (await fetch(`${origin}/socket.iox/`)).text()).toBe('other');
    expect(await (await fetch(`${origin}/`)).text()).toBe('other');
    const script = await fetch(`${origin}/socket.io/socket.io.js`);
    expect([script.status, script.headers.get('content-type')]).toEqual([200, 'application/javascript; charset=utf-8']);
    expect(await script.text()).toContain('Socket.IO v4');
    const io = createSocketIO({ path: '/other/place/', serveClient: false });
    expect(io.answer(new Request({ target: '/socket.io/?EIO=4&transport=polling' }))).toBeUndefined();
    const answer = await io.answer(new Request({ target: '/other/place/?EIO=4&transport=polling' }));
    expect(answer?.status).toBe(200);
    io.engine.close();
  });

  it('serves under the path that is asked for', async () => {
    const { io, port } = await serveIO({ path: '/chat/io' });
    io.on('connection', (socket) => socket.emit('hello'));
    await next(clientOf(port, { path: '/chat/io' }), 'hello');
  });

  it('goes through the other helpers as any answer does: CORS for pages of other origins', async () => {
    const { port } = await serveIO({ cors: { origin: 'https://app.example', credentials: true } });
    const answer = await fetch(`http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`, {
      headers: { Origin: 'https://app.example' },
    });
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, 'https://app.example']);
    await answer.text();
  });

  it('is 503 for new clients while the server stops', async () => {
    const io = createSocketIO();
    const reached = deferred<void>();
    const { port, server } = await serve(async (request) => {
      reached.resolve();
      await once(request.stopping, 'abort');
      return io.answer(request) ?? Response.empty(404);
    });
    const client = await talk(port);
    client.send('GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n');
    await reached.promise;
    const closed = server.close();
    expect((await client.answers(1))[0]?.status).toBe(503);
    await closed;
  });
});

describe('websockets alone', () => {
  const transports: SocketIOOptions['transports'] = ['websocket'];

  it('are what clients that poll are told to use, with 400', async () => {
    const { port } = await serveIO({ transports, cors: { origin: '*' } });
    const answer = await fetch(`http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`, { headers: { Origin: 'https://a.example' } });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*'); // so that a page may read it
    expect(await answer.json()).toEqual({
      code: 0,
      message: expect.stringContaining("connect with { transports: ['websocket'] }") as string,
    });
    const [error] = await next(clientOf(port, { transports: ['polling'], reconnection: false }), 'connect_error');
    expect(error).toMatchObject({ type: 'TransportError', description: 400 });
  });

  it('work', async () => {
    const { io, port } = await serveIO({ transports });
    io.on('connection', (socket) => socket.emit('hello', 1));
    expect(await next(clientOf(port, { transports: ['websocket'] }), 'hello')).toEqual([1]);
  });
});

describe('the options', () => {
  it.each([
    [{ pingTimout: 1 }, 'unknown option "pingTimout": did you mean "pingTimeout"?'],
    [{ destroyUpgrade: true }, 'unknown option "destroyUpgrade"'],
    [{ path: 'chat' }, 'path is not a path'],
    [{ path: '/' }, 'path is not a path'],
    [{ transports: [] }, 'transports is not a list'],
    [{ transports: ['webtransport'] }, 'transports is not a list'],
  ])('refuse %j', (options, message) => {
    expect(() => createSocketIO(options as SocketIOOptions)).toThrow(message);
  });

  it('take an adapter of one`s own', async () => {
    const calls: unknown[] = [];
    class Own extends Adapter {
      override broadcast(...args: Parameters<Adapter['broadcast']>): void {
        calls.push(args[0]);
        super.broadcast(...args);
      }
    }
    const { io, port } = await serveIO({ adapter: Own });
    const client = await connected(port);
    io.emit('news', 1);
    expect(await next(client, 'news')).toEqual([1]);
    expect(calls).toMatchObject([{ data: ['news', 1] }]);
  });

  it('keep sessions over a lost connection, with what was emitted meanwhile', async () => {
    const { io, port } = await serveIO({ connectionStateRecovery: {} });
    io.on('connection', (socket) => {
      socket.on('join', (done: Done) => done(socket.join('tea')));
      (socket.data as { name?: string }).name ??= 'ada';
    });
    const client = await connected(port, { transports: ['websocket'], reconnectionDelay: 300 });
    await client.emitWithAck('join');
    io.emit('news', 0);
    await next(client, 'news'); // from now on it knows where it is
    const { id } = client;
    const heard: unknown[] = [];
    client.on('news', (value: unknown) => heard.push(value));
    const gone = next(client, 'disconnect');
    client.io.engine.close();
    await gone;
    io.to('tea').emit('news', 1);
    io.to('coffee').emit('news', 2);
    io.emit('news', Buffer.from('3'));
    await next(client, 'connect');
    await until(
      () => heard.length === 2 || undefined,
      () => 'what was missed',
    );
    expect([client.recovered, client.id, heard]).toEqual([true, id, [1, Buffer.from('3')]]);
  });
});

it('is compatible with the server-to-server use of socket.io-client that the documentation shows', async () => {
  const { version } = createRequire(import.meta.url)('socket.io-client/package.json') as { version: string };
  expect(version).toMatch(/^4\./);
  const { io, port } = await serveIO();
  io.of('/jobs').use((socket, proceed) =>
    proceed((socket.handshake.auth as { key?: string }).key === 'k' ? undefined : new Error('no key')),
  );
  io.of('/jobs').on('connection', (socket) => socket.on('next', (done: Done) => done({ job: 1 })));
  const jobs = clientOf(port, { transports: ['websocket'], auth: { key: 'k' } }, '/jobs');
  expect(await jobs.timeout(5000).emitWithAck('next')).toEqual({ job: 1 });
});
