import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it, onTestFinished } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import { Response } from '../../../src/index.ts';
import type { ServerOptions } from '../../../src/server/options.ts';
import { type Closing, type WebSocketConnection, type WebSocketOptions, websocket } from '../../../src/websocket.ts';
import { PING, parseFrames } from '../../support/frames.ts';
import { deferred, type Served, serve, talk } from '../../support/serve.ts';
import { standsStill, until } from '../../support/until.ts';

type OnOpen = (socket: WebSocketConnection) => void | Promise<void>;

/** A server for one function, and a client of it. */
async function opened(onOpen: OnOpen, options: WebSocketOptions = {}, server: ServerOptions = {}): Promise<Served & { client: WebSocket }> {
  const served = await serve((request) => websocket(request, onOpen, options), server);
  return { ...served, client: await connected(served.port) };
}

async function connected(port: number, options: ClientOptions = {}, protocols: string[] = []): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${port}/chat`, protocols, options);
  client.on('error', () => {});
  await once(client, 'open');
  return client;
}

async function nextMessage(client: WebSocket): Promise<string> {
  const [data] = (await once(client, 'message')) as [Buffer];
  return data.toString();
}

async function closing(client: WebSocket): Promise<[code: number, reason: string]> {
  const [code, reason] = (await once(client, 'close')) as [number, Buffer];
  return [code, reason.toString()];
}

const settled = <T>(values: readonly T[], what: string): Promise<T> =>
  until(
    () => values[0],
    () => what,
  );

it('exchanges text and bytes, empty ones too, in their order', async () => {
  const seen: (string | Buffer)[] = [];
  const { client } = await opened((socket) =>
    socket.onMessage((data) => {
      seen.push(data);
      socket.send(data);
    }),
  );
  const answers: [string, boolean][] = [];
  client.on('message', (data: Buffer, isBinary) => answers.push([data.toString(), isBinary]));
  for (const data of ['fil rouge ❤', Buffer.from('bytes'), '', Buffer.alloc(0)]) client.send(data);
  await until(
    () => (answers.length === 4 ? true : undefined),
    () => 'four answers',
  );
  expect(seen).toEqual(['fil rouge ❤', Buffer.from('bytes'), '', Buffer.alloc(0)]);
  expect(answers).toEqual([
    ['fil rouge ❤', false],
    ['bytes', true],
    ['', false],
    ['', true],
  ]);
  client.close();
});

it('is a loop over the messages, which ends with the connection', async () => {
  const { promise, resolve } = deferred<string[]>();
  const { client } = await opened(async (socket) => {
    const messages: string[] = [];
    for await (const message of socket) messages.push(String(message));
    resolve(messages);
  });
  client.send('one');
  client.send('two');
  client.close();
  expect(await promise).toEqual(['one', 'two']);
});

it('may be read by a loop after a loop: what the first leaves waits for the second', async () => {
  const { promise, resolve } = deferred<string[]>();
  const { client } = await opened(async (socket) => {
    const messages: string[] = [];
    for await (const message of socket) {
      messages.push(`first ${String(message)}`);
      break;
    }
    for await (const message of socket) messages.push(`second ${String(message)}`);
    resolve(messages);
  });
  for (const text of ['a', 'b', 'c']) client.send(text);
  client.close();
  expect(await promise).toEqual(['first a', 'second b', 'second c']);
});

it('keeps the messages that come before onOpen is ready to read', async () => {
  const gate = deferred<void>();
  const { promise, resolve } = deferred<string>();
  const { client } = await opened(async (socket) => {
    await gate.promise;
    socket.onMessage((message) => resolve(String(message)));
  });
  client.send('early');
  client.ping();
  await once(client, 'pong'); // so the message is there
  gate.resolve();
  expect(await promise).toBe('early');
  client.close();
});

it('drops what nobody reads, so that one who only sends still hears the goodbye', async () => {
  const { promise, resolve } = deferred<Closing>();
  const { client } = await opened((socket) => void socket.closed.then(resolve));
  for (let i = 0; i < 1000; i++) client.send('x'.repeat(1000));
  client.close(4000, 'bye');
  expect(await promise).toEqual({ code: 4000, reason: 'bye' });
});

it('reads no faster than its loop: the client has to wait, and nothing is lost', async () => {
  const gate = deferred<void>();
  const { promise, resolve } = deferred<number>();
  const { client } = await opened(async (socket) => {
    let count = 0;
    for await (const message of socket) {
      if (count === 0) await gate.promise;
      count += message.length;
    }
    resolve(count);
  });
  const piece = Buffer.alloc(64 * 1024);
  for (let i = 0; i < 800; i++) client.send(piece); // 50 MiB: more than two sockets of this machine hold
  await standsStill(() => 800 * piece.length - client.bufferedAmount);
  expect(client.bufferedAmount).toBeGreaterThan(20 * 1024 * 1024);
  gate.resolve();
  client.close();
  expect(await promise).toBe(800 * piece.length);
});

it.each([
  ['bytes', 64, Buffer.alloc(128 * 1024)],
  ['text', 64, 'x'.repeat(128 * 1024)],
  ['one long text', 1, 'x'.repeat(12 * 1024 * 1024)],
])('says when the system has taken what was sent: %s', async (_what, count, message) => {
  const order: string[] = [];
  const { promise, resolve } = deferred<void>();
  const gate = deferred<void>();
  const { client } = await opened(async (socket) => {
    await gate.promise;
    for (let i = 0; i < count; i++) socket.send(message);
    const drained = Promise.all([socket.drained(), socket.drained()]).then(() => order.push('drained'));
    socket.send('last');
    order.push('sent');
    await drained;
    await socket.drained(); // nothing waits now
    resolve();
  });
  client.pause();
  gate.resolve();
  await until(
    () => (order.length > 0 ? true : undefined),
    () => 'the sending',
  );
  expect(order).toEqual(['sent']);
  client.resume();
  await promise;
  expect(order).toEqual(['sent', 'drained']);
  client.terminate();
});

it('sends text, bytes and pings in their order to a client that does not read for a while', async () => {
  const open = deferred<WebSocketConnection>();
  const { client } = await opened((connection) => open.resolve(connection));
  const socket = await open.promise;
  client.pause();
  const sent: string[] = [];
  const send = (i: number): void => {
    const text = `${i} ${'x'.repeat(i % 7 === 0 ? 100_000 : 100)}`;
    sent.push(text.slice(0, 10));
    socket.send(i % 3 === 0 ? Buffer.from(text) : text);
    if (i % 50 === 0) socket.ping();
  };
  for (let i = 0; i < 500; i++) send(i);
  const received: string[] = [];
  client.on('message', (data: Buffer) => received.push(data.toString('latin1', 0, 10)));
  client.resume();
  await until(
    () => (received.length >= 400 ? true : undefined),
    () => 'most messages',
  );
  for (let i = 500; i < 520; i++) send(i);
  await until(
    () => (received.length === 520 ? true : undefined),
    () => `all messages: ${received.length}`,
  );
  expect(received).toEqual(sent);
  client.close();
});

it('does not wait for ever for a client that is gone', async () => {
  const { promise, resolve } = deferred<void>();
  const open = deferred<WebSocket>();
  const { client } = await opened(async (socket) => {
    while (!(await isBlocked(socket))) socket.send(Buffer.alloc(1024 * 1024));
    (await open.promise).terminate();
    await socket.drained();
    resolve();
  });
  client.pause();
  open.resolve(client);
  await promise;
});

/** Whether more than the system takes at once has been sent. */
async function isBlocked(socket: WebSocketConnection): Promise<boolean> {
  return Promise.race([
    socket.drained().then(() => false),
    new Promise<boolean>((resolve) => setImmediate(() => setImmediate(resolve, true))),
  ]);
}

it.each([
  ['bytes', Buffer.alloc(1024 * 1024)],
  ['text', 'x'.repeat(1024 * 1024)],
])('cuts off a client that does not take what is sent, when more than maxQueued waits: %s', async (_what, message) => {
  const closings: Closing[] = [];
  const { client } = await opened(
    (socket) => {
      void socket.closed.then((closing) => closings.push(closing));
      socket.onMessage(() => {
        for (let i = 0; i < 100 && closings.length === 0; i++) socket.send(message);
      });
    },
    { maxQueued: 2 * 1024 * 1024 },
  );
  client.pause();
  client.send('go');
  expect(await settled(closings, 'the end')).toEqual({
    code: 1006,
    reason: 'The peer did not take what was sent: more than 2097152 bytes wait',
  });
});

it('sends one message of any size to a client that has taken all before', async () => {
  const { client } = await opened((socket) => socket.onMessage(() => socket.send('x'.repeat(4 * 1024 * 1024))), { maxQueued: 0 });
  client.send('go');
  expect(await nextMessage(client)).toHaveLength(4 * 1024 * 1024);
  client.close();
});

it('cuts off a client that does not answer pings', async () => {
  const closings: Closing[] = [];
  const { port } = await serve((request) =>
    websocket(request, (socket) => void socket.closed.then((closing) => closings.push(closing)), { pingInterval: 50 }),
  );
  const end = closing(await connected(port, { autoPong: false }));
  expect(await settled(closings, 'the end')).toEqual({ code: 1006, reason: 'The peer did not answer a ping' });
  expect(await end).toEqual([1006, '']);
});

it('keeps a client that answers pings, even when nobody reads it for a while', async () => {
  const gate = deferred<void>();
  const { promise, resolve } = deferred<number>();
  const { client } = await opened(
    async (socket) => {
      let count = 0;
      for await (const message of socket) {
        if (count === 0) await gate.promise;
        count += message.length;
      }
      resolve(count);
    },
    { pingInterval: 30 },
  );
  let pings = 0;
  client.on('ping', () => pings++);
  for (let i = 0; i < 100; i++) client.send('x'.repeat(1000)); // enough that the socket is paused, and no pong is read
  await until(
    () => (pings >= 5 ? true : undefined),
    () => 'five pings',
  );
  gate.resolve();
  const seen = pings;
  await until(
    () => (pings >= seen + 5 ? true : undefined),
    () => 'five more pings',
  );
  client.close();
  expect(await promise).toBe(100_000);
});

// A played thread calculates on the thread that has the sockets: it keeps them from being read, as no true one does.
it.skipIf(process.env['FILROUGE_PLAYED_THREADS'] === '1')('does not take its own long calculations for silence of the client', async () => {
  const { promise, resolve } = deferred<string>();
  const interval = 40;
  const { port } = await serve((request) =>
    websocket(
      request,
      (socket) => {
        let rounds = 0;
        // Behind each ping: the next is due before the answer to this one can be read.
        const timer = setInterval(() => setImmediate(calculate), interval);
        function calculate(): void {
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * interval);
          if (++rounds === 5) finish('still there');
        }
        function finish(how: string): void {
          clearInterval(timer);
          resolve(how);
        }
        void socket.closed.then(({ reason }) => finish(reason));
      },
      { pingInterval: interval },
    ),
  );
  const client = new Worker(
    "const { WebSocket } = require('ws'); new WebSocket(require('worker_threads').workerData).on('error', () => {});",
    {
      eval: true,
      workerData: `ws://127.0.0.1:${port}/`,
    },
  );
  onTestFinished(() => void client.terminate());
  expect(await promise).toBe('still there');
});

it('sends no ping of its own when pingInterval is 0, and one when asked to', async () => {
  const { client } = await opened((socket) => socket.onMessage(() => socket.ping()), { pingInterval: 0 });
  const pings: unknown[] = [];
  client.on('ping', () => pings.push(1));
  client.send('please');
  await settled(pings, 'the ping');
  expect(pings).toHaveLength(1);
  client.close();
});

it('closes with a code and a reason, and delivers nothing after it', async () => {
  const seen: string[] = [];
  const closings: Closing[] = [];
  const { client } = await opened((socket) => {
    void socket.closed.then((end) => closings.push(end));
    socket.onMessage((data) => {
      seen.push(String(data));
      socket.close(4001, 'enough');
      socket.send('never');
    });
  });
  const messages: unknown[] = [];
  client.on('message', (data) => messages.push(data));
  client.send('one');
  client.send('two');
  expect(await closing(client)).toEqual([4001, 'enough']);
  expect(await settled(closings, 'the end')).toEqual({ code: 4001, reason: 'enough' });
  expect(seen).toEqual(['one']);
  expect(messages).toEqual([]);
});

/** A connection whose onOpen begins to listen when three messages wait for it. */
async function withThreeWaiting(listen: (socket: WebSocketConnection) => void, server: ServerOptions = {}): Promise<WebSocket> {
  const gate = deferred<void>();
  const { client } = await opened(
    async (socket) => {
      await gate.promise;
      listen(socket);
    },
    {},
    server,
  );
  for (const text of ['a', 'b', 'c']) client.send(text);
  client.ping();
  await once(client, 'pong'); // so the messages are there
  gate.resolve();
  return client;
}

it('delivers nothing after it has been closed, of what waited neither', async () => {
  const seen: string[] = [];
  const client = await withThreeWaiting((socket) =>
    socket.onMessage((data) => {
      seen.push(String(data));
      socket.close();
    }),
  );
  await closing(client);
  expect(seen).toEqual(['a']);
});

it('tells onError once, though more messages wait when the first is not understood', async () => {
  const errors: unknown[] = [];
  const fail = (socket: WebSocketConnection): void =>
    socket.onMessage(() => {
      throw new Error('broken');
    });
  const client = await withThreeWaiting(fail, { onError: (error) => void errors.push((error as Error).message) });
  expect(await closing(client)).toEqual([1011, '']);
  expect(errors).toEqual(['broken']);
});

it('gives what waits to the function that was set last', async () => {
  const seen: string[] = [];
  const client = await withThreeWaiting((socket) =>
    socket.onMessage((first) => {
      seen.push(`first ${String(first)}`);
      socket.onMessage((data) => void seen.push(`second ${String(data)}`));
    }),
  );
  await until(
    () => (seen.length === 3 ? true : undefined),
    () => `three messages: ${seen.join()}`,
  );
  expect(seen).toEqual(['first a', 'second b', 'second c']);
  client.close();
});

it('ends a loop that closes, with what waited', async () => {
  const { promise, resolve } = deferred<number>();
  const { client } = await opened(async (socket) => {
    let count = 0;
    for await (const _ of socket) {
      count++;
      socket.close();
    }
    resolve(count);
  });
  for (let i = 0; i < 10; i++) client.send('x');
  expect(await closing(client)).toEqual([1000, '']);
  expect(await promise).toBe(1);
});

it.each([0, 999, 1004, 1005, 1006, 1015, 2000, 2999, 5000, 1000.5, Number.NaN])(
  'refuses to close with %d (RFC 6455 §7.4)',
  async (code) => {
    const errors: unknown[] = [];
    const { client } = await opened(
      (socket) => socket.onMessage(() => socket.close(code)),
      {},
      { onError: (error) => void errors.push(error) },
    );
    client.send('go');
    expect(await closing(client)).toEqual([1011, '']);
    expect(errors).toMatchObject([{ name: 'RangeError', code: 'bad-option' }]);
  },
);

it('refuses a reason of more than 123 bytes (RFC 6455 §5.5), and a message that is neither text nor bytes', async () => {
  const { promise, resolve } = deferred<void>();
  const { client } = await opened((socket) => {
    expect(() => socket.close(1000, 'é'.repeat(62))).toThrow(RangeError);
    expect(() => socket.send({} as string)).toThrow(TypeError);
    expect(() => socket.send(null as unknown as string)).toThrow('Cannot send message: it is null, not a string or bytes');
    resolve();
  });
  await promise;
  client.close();
});

it('does nothing when a message is sent after the end', async () => {
  const { promise, resolve } = deferred<void>();
  const { client } = await opened(async (socket) => {
    await socket.closed;
    socket.send('late');
    socket.ping();
    socket.close();
    await socket.drained();
    for await (const _ of socket) throw new Error('There is nothing to read');
    resolve();
  });
  client.close();
  await promise;
});

it.each<[string, OnOpen]>([
  [
    'onOpen throws',
    () => {
      throw new Error('broken');
    },
  ],
  [
    'onOpen rejects',
    async (socket) => {
      for await (const _ of socket) throw new Error('broken');
    },
  ],
  [
    'onMessage throws',
    (socket) =>
      socket.onMessage(() => {
        throw new Error('broken');
      }),
  ],
  ['onMessage rejects', (socket) => socket.onMessage(() => Promise.reject(new Error('broken')))],
])('ends with 1011 and tells onError once when %s (RFC 6455 §7.4.1)', async (_what, onOpen) => {
  const errors: unknown[] = [];
  const { client, port } = await opened(
    onOpen,
    {},
    { onError: (error, request) => void errors.push([(error as Error).message, request.path]) },
  );
  client.send('go');
  expect(await closing(client)).toEqual([1011, '']);
  expect(errors).toEqual([['broken', '/chat']]);
  const other = await connected(port); // and the server goes on
  other.terminate();
});

it('closes every connection with 1001 when the server stops (RFC 6455 §7.4.1), which then need not wait', async () => {
  const closings: Closing[] = [];
  const { server, client, port } = await opened((socket) => void socket.closed.then((end) => closings.push(end)));
  const other = await connected(port);
  const ends = Promise.all([closing(client), closing(other)]);
  await server.close({ timeout: 5000 });
  expect(await ends).toEqual([
    [1001, 'The server is stopping'],
    [1001, 'The server is stopping'],
  ]);
  await until(
    () => (closings.length === 2 ? true : undefined),
    () => 'both ends, as the server sees them',
  );
  expect(closings[1]).toEqual({ code: 1001, reason: 'The server is stopping' });
});

it('cuts a client that does not answer the goodbye when shutdownTimeout is over', async () => {
  const { server, client } = await opened(() => {});
  client.pause();
  await server.close({ timeout: 50 });
  client.resume();
  await closing(client);
});

it('closes with 1001, without calling onOpen, when the handler decides after the server has begun to stop', async () => {
  const answer = deferred<void>();
  const asked: string[] = [];
  const calls: unknown[] = [];
  const { port, server } = await serve(async (request) => {
    asked.push(request.path);
    await answer.promise;
    return websocket(request, () => void calls.push(1));
  });
  const client = new WebSocket(`ws://127.0.0.1:${port}/late`);
  await settled(asked, 'the request');
  const stopped = server.close();
  answer.resolve();
  expect(await closing(client)).toEqual([1001, 'The server is stopping']);
  await stopped;
  expect(calls).toEqual([]);
});

it('aborts request.signal when the client goes', async () => {
  const { promise, resolve } = deferred<void>();
  const { port } = await serve((request) => {
    request.signal.addEventListener('abort', () => resolve());
    return websocket(request, () => {});
  });
  (await connected(port)).terminate();
  await promise;
});

it('speaks the subprotocol that was agreed on', async () => {
  const { promise, resolve } = deferred<string>();
  const { port } = await serve((request) => websocket(request, (socket) => resolve(socket.protocol), { protocols: ['v2', 'v1'] }));
  const client = await connected(port, {}, ['v1', 'v2']);
  expect([client.protocol, await promise]).toEqual(['v2', 'v2']);
  client.close();
});

it('refuses a page of another origin, on the wire too (RFC 6455 §10.2)', async () => {
  const calls: unknown[] = [];
  const { port } = await serve((request) => websocket(request, () => void calls.push(1)));
  const client = new WebSocket(`ws://127.0.0.1:${port}/`, { origin: 'http://evil.example' });
  const [error] = (await once(client, 'error')) as [Error];
  expect(error.message).toBe('Unexpected server response: 403');
  (await connected(port, { origin: `http://127.0.0.1:${port}` })).terminate();
  await settled(calls, 'the connection of our own page');
  expect(calls).toHaveLength(1);
});

it('keeps the connection of a client whose handshake was refused', async () => {
  const { port } = await serve((request) => (request.path === '/next' ? Response.text('next') : websocket(request, () => {})));
  const client = await talk(port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n');
  const [refused, next] = await client.answers(2);
  expect(refused?.headers).toMatchObject({ upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-version': '13' });
  expect([refused?.status, next?.status]).toEqual([426, 200]);
});

it('sends header fields that are added to the 101, as a cookie', async () => {
  const { port } = await serve((request) => websocket(request, (socket) => socket.send('hi')).withCookie('seen', 'yes'));
  const client = new WebSocket(`ws://127.0.0.1:${port}/`);
  const message = nextMessage(client);
  const [response] = (await once(client, 'upgrade')) as [{ headers: Record<string, unknown> }];
  expect(response.headers['set-cookie']).toEqual(['seen=yes; Path=/; HttpOnly; SameSite=Lax']);
  expect(await message).toBe('hi');
  client.close();
});

it('sends the first message behind the 101 and not before', async () => {
  const { port } = await serve((request) => websocket(request, (socket) => socket.send('hi'), { pingInterval: 20 }));
  const client = await talk(port);
  client.send(
    'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  );
  const text = await client.until(/\x89\x00/);
  const frames = parseFrames(text.slice(text.indexOf('\r\n\r\n') + 4));
  expect(frames[0]?.payload.toString()).toBe('hi');
  expect(frames[1]).toMatchObject({ opcode: PING });
});

it('tells the request that the server stops, though its exchange ended with the handshake', async () => {
  const seen: string[] = [];
  const open = deferred<void>();
  const served = await serve((request) => {
    request.stopping.addEventListener('abort', () => seen.push('asked before'));
    return websocket(request, () => open.resolve());
  });
  const client = await connected(served.port);
  await open.promise;
  const closed = closing(client);
  await served.server.close();
  expect([await closed, seen]).toEqual([[1001, expect.any(String)], ['asked before']]);
});
