import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Request, Response, startServer } from '../../../src/index.ts';
import type { LocalServer } from '../../../src/server/host.ts';
import type { ServerOptions } from '../../../src/server/options.ts';
import { deferred, parseAnswers, serve, talk } from '../../support/serve.ts';

const folder = mkdtempSync(join(tmpdir(), 'departure-'));
const tls = { cert: join(folder, 'a.pem'), key: join(folder, 'a.key') };
beforeAll(() => {
  const args = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost'.split(' ');
  execFileSync('openssl', [...args, '-keyout', tls.key, '-out', tls.cert], { stdio: 'ignore' });
});
afterAll(() => rmSync(folder, { recursive: true }));

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const UPGRADE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n';

/** A source that gives one piece, then rests for ever. */
function resting(onEnd: () => void = () => {}): AsyncIterableIterator<string> {
  let isFirst = true;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: async () => {
      if (!isFirst) await new Promise(() => {});
      isFirst = false;
      return { done: false, value: 'first' };
    },
    return: () => {
      onEnd();
      return Promise.resolve({ done: true, value: undefined });
    },
  };
}

/** A handler that ends only when its client has left. */
function untilGone(request: Request): Promise<Response> {
  return new Promise((resolve) => request.signal.addEventListener('abort', () => resolve(Response.empty(204))));
}

async function noneLeft(server: LocalServer): Promise<void> {
  await expect.poll(() => server.status()).toMatchObject({ connections: 0, inFlight: 0 });
}

const open: Record<string, (port: number) => Promise<Socket>> = {
  TCP: async (port) => (await talk(port)).socket,
  TLS: async (port) => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    onTestFinished(() => void socket.destroy());
    await once(socket, 'secureConnect');
    return socket;
  },
};

describe.each<[string, ServerOptions]>([
  ['TCP', {}],
  ['TLS', { tls }],
])('a client that closes its %s connection', (kind, options) => {
  const connectTo = open[kind] as (port: number) => Promise<Socket>;

  /** Sends bytes and closes once the server has done what they lead to. */
  async function comeAndGo(port: number, bytes: string, isServed: Promise<unknown>): Promise<void> {
    const socket = await connectTo(port);
    socket.write(bytes);
    await isServed;
    socket.destroy();
  }

  it('ends a stream that rests', async () => {
    const sent = deferred<void>();
    const ended = deferred<void>();
    const { port, server } = await serve(() => Response.stream('text/event-stream', resting(ended.resolve)), options);
    const socket = await connectTo(port);
    socket.on('data', (bytes: Buffer) => {
      if (bytes.includes('first')) sent.resolve();
    });
    socket.write(GET);
    await sent.promise;
    socket.destroy();
    await ended.promise;
    await noneLeft(server);
  });

  it('aborts the signal of a handler that waits, with an AbortError', async () => {
    const reason = deferred<Error>();
    const asked = deferred<void>();
    const { port, server } = await serve((request) => {
      request.signal.addEventListener('abort', () => reason.resolve(request.signal.reason as Error));
      asked.resolve();
      return untilGone(request);
    }, options);
    await comeAndGo(port, GET, asked.promise);
    expect((await reason.promise).name).toBe('AbortError');
    await noneLeft(server);
  });

  it.each([
    ['a request that cannot be read', `${GET}BAD REQUEST LINE WITHOUT END\r\n\r\n`],
    ['an offer to upgrade', UPGRADE],
    ['an offer to upgrade, and more', UPGRADE + GET],
    ['more requests than are served at a time', GET.repeat(64)],
    ['a close', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
  ])('is noticed behind %s', async (_what, bytes) => {
    const asked = deferred<void>();
    const { port, server } = await serve((request) => {
      asked.resolve();
      return untilGone(request);
    }, options);
    await comeAndGo(port, bytes, asked.promise);
    await noneLeft(server);
  });
});

it('aborts the signal also when it is a write that finds the client gone', async () => {
  const told = deferred<string>();
  const first = deferred<void>();
  const { port } = await serve((request) => {
    request.signal.addEventListener('abort', () => told.resolve('aborted'));
    return Response.stream('text/plain', pieces());
  });
  const client = await talk(port);
  client.send(GET);
  await client.until(/first/);
  first.resolve();
  expect(await told.promise).toBe('aborted');

  async function* pieces(): AsyncGenerator<string> {
    yield 'first';
    await first.promise;
    client.socket.resetAndDestroy();
    yield 'for nobody'; // written before the server can have seen the reset,
    yield 'for nobody'; // which this write finds
    await new Promise(() => {});
  }
});

it('holds no connection of a hundred streams whose clients came and went', async () => {
  const { port, server } = await serve(() =>
    Response.events(
      (async function* () {
        yield 'first';
        await new Promise(() => {});
      })(),
    ),
  );
  const clients = await Promise.all(Array.from({ length: 100 }, () => talk(port)));
  for (const client of clients) client.send(GET);
  for (const client of clients) await client.until(/data: first/);
  for (const client of clients) client.socket.destroy();
  await noneLeft(server);
});

it('notices a client that has sent more than is read ahead', async () => {
  const asked = deferred<void>();
  const { port, server } = await serve((request) => {
    asked.resolve();
    return untilGone(request);
  });
  const client = await talk(port);
  client.send(UPGRADE + 'x'.repeat(60_000));
  await asked.promise;
  client.socket.destroy();
  await noneLeft(server);
});

it('ends a stream of known length that rests, though its client cannot be asked', async () => {
  const ended = deferred<void>();
  const { port, server } = await serve(() => Response.stream('text/plain', resting(ended.resolve)).withHeader('Content-Length', '1000'));
  const client = await talk(port);
  client.send(GET);
  await client.until(/first/);
  client.socket.destroy();
  await ended.promise;
  await noneLeft(server);
});

it('notices the client of a unix socket', async () => {
  const path = join(folder, 'socket');
  const asked = deferred<void>();
  const gone = deferred<void>();
  const handler = (request: Request): Promise<Response> => {
    request.signal.addEventListener('abort', () => gone.resolve());
    asked.resolve();
    return untilGone(request);
  };
  const server = await startServer(handler, { path, workers: 0, signals: false });
  onTestFinished(() => server.close({ timeout: 0 }));
  const socket = connect(path);
  socket.write(GET);
  await asked.promise;
  socket.destroy();
  await gone.promise;
});

describe('a client that ends its side and waits', () => {
  it('is told that its request is being handled, and gets the answer: its signal does not abort', async () => {
    const answer = deferred<Response>();
    const requests: Request[] = [];
    const { port } = await serve((request) => {
      requests.push(request);
      return answer.promise;
    });
    const client = await talk(port);
    client.send(GET);
    client.end();
    await client.until(/^HTTP\/1\.1 102 Processing\r\n\r\n$/);
    answer.resolve(Response.text('late'));
    expect(parseAnswers(await client.closed()).map(({ body }) => body)).toEqual(['late']);
    expect(requests.map(({ signal }) => signal.aborted)).toEqual([false]);
  });

  it('is told nothing when it speaks HTTP/1.0, which knows no interim responses', async () => {
    const answer = deferred<Response>();
    const asked = deferred<void>();
    const { port } = await serve(() => {
      asked.resolve();
      return answer.promise;
    });
    const client = await talk(port);
    client.send('GET / HTTP/1.0\r\n\r\n');
    client.end();
    await asked.promise;
    const other = await talk(port);
    other.send(GET);
    other.end();
    await other.until(/102 Processing/); // the first would have been told before
    answer.resolve(Response.text('late'));
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('gets the rest of a chunked stream, whose next size begins with a zero', async () => {
    const second = deferred<string>();
    const { port } = await serve(() =>
      Response.stream(
        'text/plain',
        (async function* () {
          yield 'first';
          yield await second.promise;
        })(),
      ),
    );
    const client = await talk(port);
    client.send(GET);
    await client.until(/first/);
    client.end();
    await client.until(/first\r\n0$/);
    second.resolve('second');
    const text = await client.closed();
    expect(text).toMatch(/first\r\n06\r\nsecond\r\n0\r\n\r\n$/);
    expect(parseAnswers(text)[0]?.body).toBe('firstsecond');
  });

  it('gets a stream that ends without another piece', async () => {
    const end = deferred<void>();
    const { port } = await serve(() =>
      Response.stream(
        'text/plain',
        (async function* () {
          yield 'first';
          await end.promise;
        })(),
      ),
    );
    const client = await talk(port);
    client.send(GET);
    await client.until(/first/);
    client.end();
    await client.until(/first\r\n0$/);
    end.resolve();
    expect(await client.closed()).toMatch(/first\r\n00\r\n\r\n$/);
  });

  it('gets the protocol that it has asked for, and then its end', async () => {
    const upgrade = deferred<Response>();
    const asked = deferred<void>();
    const { port } = await serve(() => {
      asked.resolve();
      return upgrade.promise;
    });
    const client = await talk(port);
    client.send(`${UPGRADE}hello`);
    client.end();
    await asked.promise;
    await client.until(/102 Processing/);
    upgrade.resolve(
      Response.upgrade('h2c', (socket, head) => {
        socket.on('end', () => socket.end(`${head.toString()}, bye`));
        socket.resume();
      }),
    );
    expect(await client.closed()).toMatch(/101 Switching Protocols[\s\S]*hello, bye$/);
  });
});

/** Threads answer later, so that more is asked of them before the first answer is there. */
const INLINE: ServerOptions = { threads: 0 };

describe('what one connection may hold', () => {
  it('is few requests whose answers are owed', async () => {
    const answers: ((response: Response) => void)[] = [];
    const { port } = await serve(() => new Promise((resolve) => answers.push(resolve)));
    const client = await talk(port);
    client.send(GET.repeat(64) + 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    let most = 0;
    for (let i = 0; i < 65; i++) {
      await expect.poll(() => answers.length, { interval: 1 }).toBeGreaterThan(i);
      most = Math.max(most, answers.length - i);
      answers[i]?.(Response.text(String(i)));
    }
    expect(most).toBe(8);
    expect(parseAnswers(await client.closed()).map(({ body }) => Number(body))).toEqual(Array.from({ length: 65 }, (_, i) => i));
  });

  it.each([
    ['large answers', 'GET /large HTTP/1.1\r\nHost: a\r\n\r\n', 2],
    ['files', 'GET /file HTTP/1.1\r\nHost: a\r\n\r\n', 5],
    ['bodies', `POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 65000\r\n\r\n${'x'.repeat(65_000)}`, 6],
  ])('is few %s behind a slow answer', async (_what, bytes, most) => {
    const slow = deferred<Response>();
    let count = 0;
    const { port, server } = await serve((request) => {
      count++;
      if (request.path === '/large') return Response.text('x'.repeat(300_000));
      if (request.path === '/file') return Response.file('package-lock.json');
      return slow.promise;
    }, INLINE);
    const client = await talk(port);
    client.send(GET + bytes.repeat(20));
    await expect.poll(() => count).toBe(most);
    const other = await talk(port);
    other.send(GET);
    await expect.poll(() => count).toBe(most + 1); // the first connection's input has been read by now
    expect(server.status().inFlight).toBeLessThan(9);
    slow.resolve(Response.text('at last'));
    await expect.poll(() => count).toBe(22);
  });
});
