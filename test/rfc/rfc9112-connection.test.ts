/** RFC 9112 §9: how long a connection lasts, and in which order it is answered. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type Request, Response } from '../../src/index.ts';
import { ask, askTwice, deferred, NEXT, parseAnswers, serve, talk } from '../support/serve.ts';
import { until } from '../support/until.ts';

const get = (path: string, lines = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${lines}\r\n`;

/** A handler whose answers are given by the test. */
function byHand(): {
  handler: (request: Request) => Promise<Response>;
  paths: string[];
  answer: (path: string, response?: Response) => void;
} {
  const owed = new Map<string, (response: Response) => void>();
  const paths: string[] = [];
  return {
    paths,
    handler: (request) => {
      paths.push(request.path);
      return new Promise((resolve) => owed.set(request.path, resolve));
    },
    answer: (path, response = Response.text(path)) => {
      const resolve = owed.get(path);
      if (!resolve) throw new Error(`The handler was not asked for ${path}`);
      resolve(response);
    },
  };
}

it.each([
  ['close', 'Connection: close\r\n'],
  ['any case', 'Connection: ClOsE\r\n'],
  ['a member of a list', 'Connection: x, close ,y\r\n'],
  ['without spaces', 'Connection: x,close,y\r\n'],
  ['a second line', 'Connection: x\r\nConnection: close\r\n'],
  ['beside keep-alive', 'Connection: keep-alive, close\r\n'],
  ['before keep-alive', 'Connection: close\r\nConnection: keep-alive\r\n'],
])('closes after the answer, and ignores what follows: %s', async (_what, lines) => {
  const { statuses, answers, asked, isReset } = await askTwice(get('/', lines));
  expect(statuses).toEqual([200]);
  expect(answers[0]?.headers['connection']).toBe('close');
  expect(asked).toEqual(['GET /']);
  expect(isReset).toBe(false);
});

it('answers a request that asks to close before it looks at the nonsense behind it', async () => {
  const { statuses, isReset } = await ask(`${get('/', 'Connection: close\r\n')}NONSENSE\r\n\r\n${'x'.repeat(100_000)}`);
  expect(statuses).toEqual([200]);
  expect(isReset).toBe(false);
});

it.each([
  '',
  'Connection: keep-alive\r\n',
  'Connection: x\r\n',
  'Connection: closed\r\n',
  'Connection: "close"\r\n',
  'Connection:\r\n',
  'Connection: ,\r\n',
  'Proxy-Connection: close\r\n',
])('keeps a connection of 1.1 with %j', async (lines) => {
  const { statuses, answers } = await askTwice(get('/', lines));
  expect(statuses).toEqual([200, 200]);
  expect(answers[0]?.headers['connection']).not.toBe('close');
  expect(answers[1]?.headers['connection']).toBe('close');
});

it.each(['', 'Connection: x\r\n', 'Connection: keep-alive, close\r\n', 'Keep-Alive: 300\r\n'])(
  'closes a connection of 1.0 with %j',
  async (lines) => {
    const { statuses, answers, asked } = await askTwice(`GET / HTTP/1.0\r\n${lines}\r\n`);
    expect(statuses).toEqual([200]);
    expect(answers[0]?.headers['connection']).toBe('close');
    expect(asked).toEqual(['GET /']);
  },
);

it.each(['keep-alive', 'Keep-Alive', 'x, keep-alive'])('keeps a connection of 1.0 with Connection: %s, and says so', async (value) => {
  const { statuses, answers } = await askTwice(`GET / HTTP/1.0\r\nConnection: ${value}\r\n\r\n`);
  expect(statuses).toEqual([200, 200]);
  expect(answers[0]?.headers).toMatchObject({ connection: 'keep-alive', 'content-length': '1' });
});

it('never sends chunks to 1.0: the end of the connection ends the body', async () => {
  const { port } = await serve(() => Response.stream('text/plain', ['a', 'b', 'c']));
  const client = await talk(port);
  client.send(`GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n${NEXT}`);
  const answers = parseAnswers(await client.closed(), true);
  expect(answers).toHaveLength(1);
  expect(answers[0]).toMatchObject({ status: 200, body: 'abc', headers: { connection: 'close' } });
  expect(answers[0]?.headers).not.toHaveProperty('transfer-encoding');
  expect(answers[0]?.headers).not.toHaveProperty('content-length');
});

it('keeps a connection of 1.0 when the length of a stream is known', async () => {
  const { port } = await serve(() => Response.stream('text/plain', ['a', 'b', 'c'], 3));
  const client = await talk(port);
  client.send(`GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n${NEXT}`);
  expect(parseAnswers(await client.closed()).map(({ body }) => body)).toEqual(['abc', 'abc']);
});

it('closes when the handler says Connection: close', async () => {
  const { port } = await serve(() => Response.text('x').withHeader('Connection', 'close'));
  const client = await talk(port);
  client.send(get('/') + NEXT);
  expect(parseAnswers(await client.closed())).toMatchObject([{ status: 200, headers: { connection: 'close' } }]);
});

it('answers pipelined requests in their order, however long each takes', async () => {
  const { handler, answer, paths } = byHand();
  const { port } = await serve((request) => (request.path === '/now' ? Response.text('/now') : handler(request)));
  const client = await talk(port);
  client.send(get('/1') + get('/2') + get('/now') + get('/3') + NEXT);
  await expect.poll(() => paths).toEqual(['/1', '/2', '/3', '/next']); // all are at work at once
  answer('/next');
  answer('/3');
  answer('/2');
  expect(client.received).toBe('');
  answer('/1');
  expect(parseAnswers(await client.closed()).map(({ body }) => body)).toEqual(['/1', '/2', '/now', '/3', '/next']);
});

it('sends an answer as soon as its turn comes, and not only with the last', async () => {
  const { handler, answer, paths } = byHand();
  const { port } = await serve(handler);
  const client = await talk(port);
  client.send(get('/1') + get('/2') + get('/3'));
  await expect.poll(() => paths).toEqual(['/1', '/2', '/3']);
  answer('/2');
  answer('/1');
  expect((await client.answers(2)).map(({ body }) => body)).toEqual(['/1', '/2']);
  answer('/3');
  expect((await client.answers(3)).map(({ body }) => body)).toEqual(['/1', '/2', '/3']);
});

it('keeps order when bodies are streamed, large, empty and failing', async () => {
  const { port } = await serve((request) => {
    if (request.path === '/stream') return Response.stream('text/plain', slowly(['a', 'b']));
    if (request.path === '/large') return Response.text('x'.repeat(300_000));
    if (request.path === '/empty') return Response.empty();
    if (request.path === '/late') return Promise.resolve(Response.text('late'));
    return Response.text('ok');
  });
  const client = await talk(port);
  client.send(['/stream', '/large', '/empty', '/late', '/stream', '/ok'].map((path) => get(path)).join('') + NEXT);
  const answers = parseAnswers(await client.closed());
  expect(answers.map(({ body }) => (body.length > 100 ? body.length : body))).toEqual(['ab', 300_000, '', 'late', 'ab', 'ok', 'ok']);
});

async function* slowly(pieces: readonly string[]): AsyncGenerator<string> {
  for (const piece of pieces) {
    await new Promise((resolve) => setImmediate(resolve));
    yield piece;
  }
}

it('answers a thousand good requests before the bad one behind them', async () => {
  const { statuses, asked, isReset } = await ask(`${get('/').repeat(1000)}BAD\r\n\r\n${NEXT}`);
  expect(statuses).toHaveLength(1001);
  expect(statuses.slice(0, 1000).every((status) => status === 200)).toBe(true);
  expect(statuses[1000]).toBe(400);
  expect(asked).toHaveLength(1000);
  expect(isReset).toBe(false);
});

it('lets no refusal overtake answers that are owed', async () => {
  const { handler, answer, paths } = byHand();
  const { port } = await serve(handler);
  const client = await talk(port);
  client.send(`${get('/1')}${get('/2')}BAD\r\n\r\n${NEXT}`);
  await expect.poll(() => paths).toEqual(['/1', '/2']);
  answer('/2');
  expect(client.received).toBe('');
  answer('/1');
  expect(parseAnswers(await client.closed()).map(({ status }) => status)).toEqual([200, 200, 400]);
  expect(paths).toEqual(['/1', '/2']);
});

it('answers ten thousand requests that come in one write', async () => {
  const { port, server } = await serve(() => Response.text('x'));
  const client = await talk(port);
  client.send(get('/').repeat(9999) + NEXT);
  expect((await client.closed()).match(/HTTP\/1\.1 200 OK\r\n/g)).toHaveLength(10_000);
  expect(server.status().requests).toBe(10_000);
});

it('takes at most eight requests whose answers are owed, and reads on when they are answered', async () => {
  const { handler, answer, paths } = byHand();
  const { port } = await serve(handler);
  const client = await talk(port);
  client.send(Array.from({ length: 200 }, (_, i) => get(`/${i}`)).join('') + NEXT);
  await expect.poll(() => paths.length).toBe(8);
  await new Promise((resolve) => setImmediate(resolve));
  expect(paths).toHaveLength(8);
  for (let i = 0; i < 200; i++) {
    await expect.poll(() => paths.length, { interval: 1 }).toBeGreaterThan(i);
    expect(paths.length).toBeLessThanOrEqual(i + 8);
    answer(`/${i}`);
  }
  await expect.poll(() => paths.length).toBe(201);
  answer('/next');
  const answers = parseAnswers(await client.closed());
  expect(answers.map(({ body }) => body)).toEqual([...Array.from({ length: 200 }, (_, i) => `/${i}`), '/next']);
});

it('answers a complete request whose client has ended its side, then closes', async () => {
  const { handler, answer, paths } = byHand();
  const { port } = await serve(handler);
  const client = await talk(port);
  client.send(get('/1') + get('/2'));
  client.end();
  await expect.poll(() => paths).toEqual(['/1', '/2']);
  answer('/1');
  await client.answers(1);
  answer('/2');
  const answers = parseAnswers(await client.closed());
  expect(answers.map(({ body }) => body)).toEqual(['/1', '/2']);
  expect(answers[1]?.headers['connection']).toBe('close');
  expect(client.isReset).toBe(false);
});

it('sends a long stream to a client that has ended its side', async () => {
  const { port } = await serve(() => Response.stream('text/plain', slowly(Array.from({ length: 50 }, () => 'x'.repeat(20_000)))));
  const client = await talk(port);
  client.send(get('/'));
  client.end();
  expect(parseAnswers(await client.closed())[0]?.body).toHaveLength(1_000_000);
});

it('closes in silence when a client ends without a request', async () => {
  const { port } = await serve(() => Response.text('x'));
  const client = await talk(port);
  client.end();
  expect(await client.closed()).toBe('');
  expect(client.isReset).toBe(false);
});

it('closes in silence when a client ends between requests, behind an empty line', async () => {
  const { port } = await serve(() => Response.text('x'));
  const client = await talk(port);
  client.send(get('/'));
  await client.answers(1);
  client.send('\r\n');
  client.end();
  expect(parseAnswers(await client.closed())).toHaveLength(1);
});

it('says 400 to a head that was not finished', async () => {
  const { port, server } = await serve(() => Response.text('x'));
  const client = await talk(port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\n');
  client.end();
  expect(await client.closed()).toMatch(/^HTTP\/1\.1 400 /);
  expect(server.status().requests).toBe(0);
});

it('aborts request.signal when the client vanishes', async () => {
  const { promise, resolve } = deferred<unknown>();
  const { port, server } = await serve((request) => {
    request.signal.addEventListener('abort', () => resolve(request.signal.reason));
    return new Promise(() => {});
  });
  const client = await talk(port);
  client.send(get('/'));
  await expect.poll(() => server.status().inFlight).toBe(1);
  client.socket.resetAndDestroy();
  expect(await promise).toBeInstanceOf(Error);
});

it('does not abort request.signal of what was answered', async () => {
  const requests: Request[] = [];
  const { port, server } = await serve((request) => {
    requests.push(request);
    return Response.text('x');
  });
  const client = await talk(port);
  client.send(get('/'));
  await client.answers(1);
  client.socket.resetAndDestroy();
  await expect.poll(() => server.status().connections).toBe(0);
  expect(requests.map(({ signal }) => signal.aborted)).toEqual([false]);
});

it('lets go of a stream when the client vanishes', async () => {
  const { promise, resolve } = deferred<void>();
  async function* endless(): AsyncGenerator<Buffer> {
    try {
      for (;;) yield Buffer.alloc(10_000);
    } finally {
      resolve();
    }
  }
  const { port } = await serve(() => Response.stream('text/plain', endless()));
  const client = await talk(port);
  client.send(get('/'));
  await client.until(/\r\n\r\n/);
  client.socket.resetAndDestroy();
  await promise;
});

it('tells a stream that waits for its next piece when its client resets the connection', async () => {
  const ended = deferred<void>();
  const { port } = await serve(() => Response.stream('text/event-stream', waiting([], ended.resolve)));
  const client = await talk(port);
  client.send(get('/'));
  await client.until(/first/);
  client.socket.resetAndDestroy();
  await ended.promise;
});

it('goes on with a stream whose client has only ended its side, also after the system has asked whether it is there', async () => {
  const rest = deferred<string>();
  const gone = deferred<void>();
  const { port } = await serve(({ path }) =>
    Response.stream('text/plain', path === '/gone' ? waiting([], gone.resolve) : waiting([rest.promise], () => {})),
  );
  const client = await talk(port);
  client.send(get('/'));
  client.end();
  await client.until(/first/);
  let left = timeToProbe(port, client.socket.localPort);
  await until(
    () => {
      const before = left;
      left = timeToProbe(port, client.socket.localPort);
      return left > before || undefined; // the timer begins anew when a probe has gone out
    },
    () => 'a keep-alive probe',
  );
  const other = await talk(port);
  other.send(get('/gone'));
  other.end();
  await other.until(/first/);
  other.socket.resetAndDestroy();
  await gone.promise; // the server has looked after its connections
  rest.resolve('second');
  await client.until(/second/);
});

/** When the system probes the client at this port, hundredths of a second from now; NaN as long as it has no plan to. */
function timeToProbe(port: number, clientPort = 0): number {
  const hex = (value: number): string => value.toString(16).toUpperCase().padStart(4, '0');
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFileSync(file, 'utf8')).join('');
  const timer = new RegExp(`:${hex(port)} \\w+:${hex(clientPort)} \\w+ \\w+:\\w+ 02:(\\w+)`).exec(tables);
  return Number.parseInt(timer?.[1] ?? '', 16);
}

/** A source that gives one piece and these, then waits for ever; it is told when nobody wants more. */
function waiting(pieces: readonly Promise<string>[], onEnd: () => void): AsyncIterableIterator<string> {
  const rest = [Promise.resolve('first'), ...pieces];
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: async () => ({ done: false, value: await (rest.shift() ?? new Promise<string>(() => {})) }),
    return: () => {
      onEnd();
      return Promise.resolve({ done: true, value: undefined });
    },
  };
}
