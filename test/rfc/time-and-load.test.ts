/** Bounds on time, on what is owed, and on how many may come. Times are short here; what is asserted is what happens, and never how fast. */
import { expect, it, onTestFinished } from 'vitest';
import { Response } from '../../src/index.ts';
import { deferred, NEXT, parseAnswers, serve, type Talk, talk } from '../support/serve.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const ok = (): Response => Response.text('ok');

/** Sends something again and again, until the server closes or the test ends. */
function trickle(client: Talk, bytes: string, interval: number): () => number {
  let count = 0;
  const timer = setInterval(() => {
    if (client.isClosed) return clearInterval(timer);
    client.send(bytes);
    count++;
  }, interval);
  onTestFinished(() => clearInterval(timer));
  return () => count;
}

/** Resolves when a connection that says nothing has been closed for it: some time has then gone by. */
async function idleTime(port: number): Promise<void> {
  const idle = await talk(port);
  idle.send(GET);
  await idle.closed();
}

/** Resolves when `headersTimeout` has gone by: a connection that never says anything has been closed. */
async function silentTime(port: number): Promise<void> {
  await (await talk(port)).closed();
}

it.each([
  ['part of a request line', 'GET / HT'],
  ['part of the fields', 'GET / HTTP/1.1\r\nHost: a\r\nX: '],
  ['all but the last line end', 'GET / HTTP/1.1\r\nHost: a\r\n\r'],
  ['bytes without a line end', '\x16\x03\x01\x02\x00'],
])('says 408 to a head that does not come whole: %s', async (_what, bytes) => {
  const { port, server } = await serve(ok, { headersTimeout: 100 });
  const client = await talk(port);
  client.send(bytes);
  expect(parseAnswers(await client.closed())).toMatchObject([{ status: 408, headers: { connection: 'close' } }]);
  expect(server.status().requests).toBe(0);
  expect(client.isReset).toBe(false);
});

it('counts the time of a head as a whole, however it trickles', async () => {
  const { port } = await serve(ok, { headersTimeout: 200 });
  const client = await talk(port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\nX: ');
  const sent = trickle(client, 'x', 10);
  expect(await client.closed()).toMatch(/^HTTP\/1\.1 408 /);
  expect(sent()).toBeGreaterThan(2);
});

it('closes in silence when a connection never says anything', async () => {
  const { port } = await serve(ok, { headersTimeout: 100 });
  const client = await talk(port);
  expect(await client.closed()).toBe('');
  expect(client.isReset).toBe(false);
});

it('counts the time of a second head from its first byte', async () => {
  const { port } = await serve(ok, { headersTimeout: 100 });
  const client = await talk(port);
  client.send(GET);
  await client.answers(1);
  await silentTime(port);
  await silentTime(port);
  expect(client.isClosed).toBe(false);
  client.send('GET / HT');
  expect(parseAnswers(await client.closed()).map(({ status }) => status)).toEqual([200, 408]);
});

it.each([
  ['a head', 'GET / HT'],
  ['a body', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx'],
])('says 408 once, and behind the answers that are owed: %s', async (_what, bytes) => {
  const first = deferred<Response>();
  const { port, server } = await serve(() => first.promise, { headersTimeout: 100, requestTimeout: 100 });
  const client = await talk(port);
  client.send(GET + bytes);
  await expect.poll(() => server.status().inFlight).toBe(1);
  await silentTime(port);
  await silentTime(port);
  expect(client.received).toBe('');
  expect(client.isClosed).toBe(false);
  first.resolve(ok());
  expect(parseAnswers(await client.closed()).map(({ status }) => status)).toEqual([200, 408]);
});

it.each([
  ['a length', 'Content-Length: 1000\r\n\r\nhello'],
  ['a length, nothing of it', 'Content-Length: 1000\r\n\r\n'],
  ['chunks', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'],
])('says 408 to a body that does not come: %s', async (_what, rest) => {
  const { port, server } = await serve(ok, { requestTimeout: 100 });
  const client = await talk(port);
  client.send(`POST / HTTP/1.1\r\nHost: a\r\n${rest}`);
  expect(parseAnswers(await client.closed())).toMatchObject([{ status: 408, headers: { connection: 'close' } }]);
  expect(server.status().requests).toBe(0);
});

it('says 408 to a body that trickles', async () => {
  const { port } = await serve(ok, { requestTimeout: 200 });
  const client = await talk(port);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n');
  const sent = trickle(client, 'x', 10);
  expect(await client.closed()).toMatch(/^HTTP\/1\.1 408 /);
  expect(sent()).toBeGreaterThan(2);
});

it('lets a body take longer than requestTimeout while it keeps coming', async () => {
  const { port } = await serve((request) => Response.text(String(request.body.size)), { requestTimeout: 100, keepAliveTimeout: 500 });
  const client = await talk(port);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
  const sent = trickle(client, `3e8\r\n${'x'.repeat(1000)}\r\n`, 5);
  await idleTime(port); // five times requestTimeout
  expect(client.isClosed).toBe(false);
  const size = sent() * 1000;
  client.send('0\r\n\r\n');
  expect((await client.answers(1))[0]).toMatchObject({ status: 200, body: String(size) });
});

it('tells a handler that streams when its body does not come', async () => {
  const { port } = await serve(
    async (request) => {
      for await (const _piece of request.body.stream());
      return ok();
    },
    { requestTimeout: 100, streamBody: () => true },
  );
  const client = await talk(port);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhello');
  expect(parseAnswers(await client.closed())).toMatchObject([{ status: 408, headers: { connection: 'close' } }]);
});

it('does not blame a client for a handler that does not read', async () => {
  const start = deferred<void>();
  const { port, server } = await serve(
    async (request) => {
      if (request.path === '/') return ok();
      await start.promise;
      let size = 0;
      for await (const piece of request.body.stream()) size += (piece as Buffer).length;
      return Response.text(String(size));
    },
    { requestTimeout: 50, keepAliveTimeout: 400, streamBody: () => true },
  );
  const client = await talk(port);
  client.send(`POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n${'x'.repeat(1000)}`);
  await expect.poll(() => server.status().inFlight).toBe(1);
  await idleTime(port); // eight times requestTimeout
  start.resolve();
  expect((await client.answers(1))[0]).toMatchObject({ status: 200, body: '1000' });
});

it('closes a connection at rest, in silence', async () => {
  const { port } = await serve(ok, { keepAliveTimeout: 100 });
  const client = await talk(port);
  client.send(GET);
  const text = await client.closed();
  expect(parseAnswers(text)).toHaveLength(1);
  expect(text).not.toContain('408');
  expect(client.isReset).toBe(false);
});

it('is not at rest while a handler is at work', async () => {
  const answer = deferred<Response>();
  const { port, server } = await serve((request) => (request.path === '/slow' ? answer.promise : ok()), {
    keepAliveTimeout: 100,
    headersTimeout: 100,
    requestTimeout: 100,
  });
  const client = await talk(port);
  client.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
  await expect.poll(() => server.status().inFlight).toBe(1);
  await idleTime(port);
  await idleTime(port);
  answer.resolve(ok());
  const [first] = await client.answers(1);
  expect(first?.status).toBe(200);
  expect(first?.headers).not.toHaveProperty('connection');
});

it.each([
  ['bytes', () => Response.bytes('image/png', Buffer.alloc(64 * 1024 * 1024))],
  ['a stream', () => Response.stream('text/plain', endless())],
])('cuts off a client that takes nothing: %s', async (_what, handler) => {
  const { port, server } = await serve(handler, { writeTimeout: 200 });
  const client = await talk(port);
  client.socket.pause();
  client.send(GET);
  await expect.poll(() => server.status().requests).toBe(1);
  await expect.poll(() => server.status().connections).toBe(0);
});

function* endless(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(64 * 1024);
}

it('makes no more of a stream than a client takes', async () => {
  let made = 0;
  function* counted(): Generator<Buffer> {
    for (; made < 10_000; made++) yield Buffer.alloc(64 * 1024);
  }
  const { port, server } = await serve(() => Response.stream('text/plain', counted()), { writeTimeout: 500 });
  const client = await talk(port);
  client.socket.pause();
  client.send(GET);
  await expect.poll(() => server.status().requests).toBe(1);
  await expect.poll(() => server.status().connections).toBe(0); // all the time there was has gone by
  expect(made).toBeGreaterThan(0);
  expect(made).toBeLessThan(1000);
});

it('does not cut off a client that takes its answer slowly', async () => {
  const { port } = await serve(() => Response.bytes('image/png', Buffer.alloc(16 * 1024 * 1024)), { writeTimeout: 250 });
  const client = await talk(port);
  client.send(GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
  const pulse = setInterval(() => (client.socket.isPaused() ? client.socket.resume() : client.socket.pause()), 4);
  onTestFinished(() => clearInterval(pulse));
  const text = await client.closed();
  expect(text.length - text.indexOf('\r\n\r\n') - 4).toBe(16 * 1024 * 1024);
});

it('handles no more pipelined requests than a client takes answers to', async () => {
  const { port, server } = await serve(() => Response.bytes('image/png', Buffer.alloc(1024 * 1024)), { writeTimeout: 500 });
  const client = await talk(port);
  client.socket.pause();
  client.send(GET.repeat(1000));
  await expect.poll(() => server.status().requests).toBeGreaterThan(0);
  await expect.poll(() => server.status().connections).toBe(0);
  expect(server.status().requests).toBeLessThan(150);
});

it('says 503 when the handler takes too long, aborts its signal, and drops what it gives later', async () => {
  const late = deferred<Response>();
  const { promise: aborted, resolve: abort } = deferred<void>();
  const { port } = await serve(
    (request) => {
      if (request.path === '/next') return ok();
      request.signal.addEventListener('abort', () => abort());
      return late.promise;
    },
    { handlerTimeout: 100 },
  );
  const client = await talk(port);
  client.send(GET);
  expect((await client.answers(1))[0]).toMatchObject({ status: 503 });
  await aborted;
  late.resolve(Response.text('late'));
  client.send(NEXT);
  expect(parseAnswers(await client.closed()).map(({ body }) => body)).toEqual([expect.any(String), 'ok']);
  expect(client.received).not.toContain('late');
});

it('says 503 to connections beyond maxConnections, with the time to come back, and takes them when there is room', async () => {
  const { port, server } = await serve(ok, { maxConnections: 2 });
  const [first, second] = [await talk(port), await talk(port)];
  first.send(GET);
  second.send(GET);
  await Promise.all([first.answers(1), second.answers(1)]);

  const third = await talk(port);
  third.send(GET);
  expect(parseAnswers(await third.closed())).toMatchObject([{ status: 503, headers: { connection: 'close', 'retry-after': '1' } }]);
  expect(third.isReset).toBe(false);
  expect(server.status().requests).toBe(2);

  first.send(NEXT);
  await first.closed();
  first.end();
  await expect.poll(() => server.status().connections).toBe(1);
  const fourth = await talk(port);
  fourth.send(NEXT);
  expect(await fourth.closed()).toMatch(/^HTTP\/1\.1 200 /);
});

it('serves others while many heads and bodies do not come', async () => {
  const { port, server } = await serve(ok);
  const slow = await Promise.all(Array.from({ length: 200 }, () => talk(port)));
  for (const [i, client] of slow.entries()) {
    client.send(i % 2 === 0 ? 'GET / HTTP/1.1\r\nHost: a\r\nX: ' : 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx');
  }
  await expect.poll(() => server.status().connections).toBe(200);
  const client = await talk(port);
  client.send(GET.repeat(100) + NEXT);
  expect(parseAnswers(await client.closed())).toHaveLength(101);
  expect(slow.every(({ isClosed, received }) => !isClosed && received === '')).toBe(true);
});

it('closes connections at rest when it is closed, and lets the others have their answer', async () => {
  const answer = deferred<Response>();
  const { port, server } = await serve((request) => (request.path === '/slow' ? answer.promise : ok()));
  const [idle, busy] = [await talk(port), await talk(port)];
  idle.send(GET);
  await idle.answers(1);
  busy.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
  await expect.poll(() => server.status().inFlight).toBe(1);
  const closing = server.close({ timeout: 5000 });
  await idle.closed();
  expect(busy.isClosed).toBe(false);
  answer.resolve(ok());
  expect(parseAnswers(await busy.closed())).toMatchObject([{ status: 200, headers: { connection: 'close' } }]);
  idle.end();
  busy.end();
  await closing;
});
