/**
 * Our handlers in servers of node:http and Express.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, ServerResponse } from 'node:http';
import { connect, createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex, Readable } from 'node:stream';
import express from 'express';
import { expect, it, onTestFinished, vi } from 'vitest';
import { HttpError, match, type Request, Response, readForm } from '../../src/index.ts';
import { type GuestHandler, type GuestOptions, type NodeListener, toNodeListener } from '../../src/node.ts';
import { websocket } from '../../src/websocket.ts';
import { deferred, talk } from '../support/serve.ts';
import { standsStill, until } from '../support/until.ts';

/** A server of node:http for a listener; it is closed when the test ends. */
async function hosted(listener: NodeListener): Promise<{ port: number; origin: string }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, origin: `http://127.0.0.1:${port}` };
}

const host = (handler: GuestHandler, options?: GuestOptions): Promise<{ port: number; origin: string }> =>
  hosted(toNodeListener(handler, options));

it('gives the handler the request as our own server would: path, query, fields, body, address', async () => {
  const seen: unknown[] = [];
  const { port, origin } = await host((request) => {
    const { path, rawQuery, method, target, remoteAddress, secure, httpVersion } = request;
    seen.push({
      path,
      rawQuery,
      method,
      target,
      remoteAddress,
      secure,
      httpVersion,
      host: request.host,
      lines: request.headerAll('x-a'),
      body: request.body.text(),
    });
    return Response.empty();
  });
  const client = await talk(port);
  client.send('POST /a//%62/../c%2Fd?x=%20 HTTP/1.1\r\nHost: example.org\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 6\r\n\r\nh\u00c3\u00a9llo');
  await client.answers(1);
  expect(seen).toEqual([
    {
      path: '/a/c%2Fd',
      rawQuery: 'x=%20',
      method: 'POST',
      target: '/a//%62/../c%2Fd?x=%20',
      remoteAddress: '127.0.0.1',
      secure: false,
      httpVersion: '1.1',
      host: 'example.org',
      lines: ['1', '2'],
      body: 'héllo',
    },
  ]);
  expect(origin).toContain(String(port));
});

it('reads a chunked body, and a form, synchronously', async () => {
  const { origin } = await host((request) => Response.json(readForm(request, { a: 'string', b: 'int' })));
  const chunked = await fetch(origin, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: Readable.toWeb(Readable.from(['a=x', '&b=12'])) as ReadableStream,
    duplex: 'half',
  });
  expect(await chunked.json()).toEqual({ a: 'x', b: 12 });
});

it('sends status, fields with several lines, and each kind of body', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'a.txt'), 'of a file');
  const answers: Readonly<Record<string, () => Response | globalThis.Response>> = {
    '/text': () => Response.text('té').withCookie('a', '1').withCookie('b', '2').withStatus(201),
    '/bytes': () => Response.bytes('application/x', Buffer.from([0, 255])),
    '/file': () => Response.file(join(folder, 'a.txt')),
    '/stream': () => Response.stream('text/plain', ['one ', Buffer.from('two')]),
    '/sized': () => Response.stream('text/plain', ['12', '345'], 5),
    '/web': () =>
      new globalThis.Response('of the web', {
        headers: [
          ['Set-Cookie', 'a=1'],
          ['Set-Cookie', 'b=2'],
        ],
      }),
    '/empty': () => Response.empty(),
  };
  const { port, origin } = await host((request) => answers[request.path]?.() ?? Response.empty(404));
  const texts = await Promise.all(
    ['text', 'file', 'stream', 'sized', 'web', 'empty'].map(async (name) => (await fetch(`${origin}/${name}`)).text()),
  );
  expect(texts).toEqual(['té', 'of a file', 'one two', '12345', 'of the web', '']);
  expect(Buffer.from(await (await fetch(`${origin}/bytes`)).arrayBuffer())).toEqual(Buffer.from([0, 255]));

  const client = await talk(port);
  const paths = ['text', 'sized', 'stream', 'web', 'empty'];
  for (const name of paths) client.send(`GET /${name} HTTP/1.1\r\nHost: a\r\n\r\n`);
  const [text, sized, stream, web, empty] = await client.answers(paths.length);
  expect(text?.status).toBe(201);
  expect(text?.head.match(/^Set-Cookie: .*$/gm)).toEqual([
    'Set-Cookie: a=1; Path=/; HttpOnly; SameSite=Lax',
    'Set-Cookie: b=2; Path=/; HttpOnly; SameSite=Lax',
  ]);
  expect(text?.headers['content-length']).toBe('3');
  expect(sized?.headers['content-length']).toBe('5');
  expect(stream?.headers['transfer-encoding']).toBe('chunked');
  expect(web?.head.match(/^set-cookie: .*$/gim)).toHaveLength(2);
  expect([empty?.status, empty?.headers['content-length']]).toEqual([204, undefined]);
});

it('announces to HEAD what GET would send, and sends none of it (RFC 9110 §9.3.2)', async () => {
  const dropped: string[] = [];
  const { port } = await host((request) => {
    if (request.path === '/text') return Response.text('12345');
    const source = Readable.from(['x']);
    source.on('close', () => dropped.push('stream'));
    return Response.stream('text/plain', source);
  });
  const client = await talk(port);
  client.send('HEAD /text HTTP/1.1\r\nHost: a\r\n\r\nHEAD /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  const text = await client.closed();
  expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*Content-Length: 5\r\n[\s\S]*\r\n\r\nHTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n$/);
  await until(
    () => dropped[0],
    () => 'the stream to be let go of',
  );
});

it('answers errors as our own server does: HttpError its own, others a bare 500 that onError has seen once', async () => {
  const errors: unknown[] = [];
  const failures: Readonly<Record<string, () => Response>> = {
    '/http': () => {
      throw new HttpError(418, 'Short and stout', { code: 'teapot', headers: { 'X-Pot': 'yes' } });
    },
    '/bug': () => {
      throw new Error('secret');
    },
    '/nothing': () => undefined as unknown as Response,
  };
  const { origin } = await host((request) => (failures[request.path] as () => Response)(), {
    onError: (error, request) => void errors.push([request.path, (error as Error).message]),
  });
  const teapot = await fetch(`${origin}/http`, { headers: { Accept: 'application/json' } });
  expect([teapot.status, teapot.headers.get('x-pot'), await teapot.json()]).toEqual([
    418,
    'yes',
    { status: 418, code: 'teapot', message: 'Short and stout' },
  ]);
  const bug = await fetch(`${origin}/bug`);
  expect([bug.status, await bug.text()]).toEqual([500, 'Internal Server Error']);
  expect((await fetch(`${origin}/nothing`)).status).toBe(500);
  expect(errors).toEqual([
    ['/bug', 'secret'],
    ['/nothing', 'Cannot answer GET /nothing: the handler returned nothing, not a Response: look for a branch without return'],
  ]);
});

it('answers with what onError gives, and outlives one that throws', async () => {
  const { origin } = await host(
    () => {
      throw new Error('broken');
    },
    { onError: () => Response.text('sorry').withStatus(503) },
  );
  const sorry = await fetch(origin);
  expect([sorry.status, await sorry.text()]).toEqual([503, 'sorry']);

  const print = vi.spyOn(console, 'error').mockImplementation(() => {});
  onTestFinished(() => print.mockRestore());
  const broken = await host(
    () => {
      throw new Error('first');
    },
    {
      onError: () => {
        throw new Error('second');
      },
    },
  );
  expect((await fetch(broken.origin)).status).toBe(500);
  expect(print.mock.calls.map(([text]) => String(text).split('\n')[0])).toEqual([
    'Cannot serve GET "/": Error: first',
    'Cannot call onError: Error: second',
  ]);
});

it('refuses a target without a safe meaning with 400, before the handler', async () => {
  const asked: unknown[] = [];
  const { port } = await host((request) => {
    asked.push(request.target);
    return Response.empty();
  });
  const client = await talk(port);
  client.send('GET /%00 HTTP/1.1\r\nHost: a\r\n\r\nGET /%ff HTTP/1.1\r\nHost: a\r\n\r\nGET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n');
  expect((await client.answers(3)).map(({ status }) => status)).toEqual([400, 400, 400]);
  expect(asked).toEqual([]);
});

it('refuses a body that is too large with 413, announced or not', async () => {
  const { port, origin } = await host((request) => Response.text(String(request.body.size)), { maxBodySize: 10 });
  expect(await (await fetch(origin, { method: 'POST', body: 'x'.repeat(10) })).text()).toBe('10');
  const client = await talk(port);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n');
  const [answer] = await client.answers(1);
  expect([answer?.status, answer?.headers['connection']]).toEqual([413, 'close']);
  const chunked = await talk(port);
  chunked.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n6\r\n123456\r\n');
  expect((await chunked.answers(1))[0]?.status).toBe(413);
});

it('calls no handler for a body that does not come whole (RFC 9112 §8), and reports nothing', async () => {
  const calls: unknown[] = [];
  const { port, origin } = await host(
    (request) => {
      calls.push(request.path);
      return Response.empty();
    },
    { onError: (error) => void calls.push(error) },
  );
  const client = await talk(port);
  client.send('POST /cut HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhalf');
  client.socket.destroy();
  await fetch(`${origin}/next`);
  expect(calls).toEqual(['/next']);
});

it('hands a body over as it comes when streamBody says so, with back-pressure', async () => {
  const gate = deferred<void>();
  const { port } = await host(
    async (request) => {
      await gate.promise;
      let size = 0;
      for await (const piece of request.body.stream()) size += (piece as Buffer).length;
      return Response.text(String(size));
    },
    { streamBody: (head) => head.path === '/live', maxBodySize: 100 * 1024 * 1024 },
  );
  const client = await talk(port);
  const size = 32 * 1024 * 1024;
  client.send(`POST /live HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
  const piece = Buffer.alloc(64 * 1024);
  for (let sent = 0; sent < size; sent += piece.length) client.send(piece);
  await standsStill(() => size - client.socket.writableLength);
  expect(client.socket.writableLength).toBeGreaterThan(8 * 1024 * 1024); // nobody has taken it
  gate.resolve();
  expect((await client.answers(1))[0]?.body).toBe(String(size));
});

it('makes no more of a response than the client takes', async () => {
  let made = 0;
  const piece = Buffer.alloc(64 * 1024);
  const ended = deferred<void>();
  async function* endless(): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        made++;
        yield piece;
      }
    } finally {
      ended.resolve();
    }
  }
  const { port } = await host(() => Response.stream('application/x', endless()));
  const client = await talk(port);
  client.socket.pause();
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const stopped = await standsStill(() => made);
  expect(stopped).toBeLessThan(500); // 32 MiB: what sockets of this machine hold at the most
  client.socket.destroy();
  await ended.promise;
});

it('aborts request.signal and lets go of the response when the client goes', async () => {
  const aborted = deferred<void>();
  const dropped = deferred<void>();
  const released: string[] = [];
  const { port } = await host((request) => {
    request.onEnd(() => released.push(request.path));
    request.signal.addEventListener('abort', () => aborted.resolve());
    const idle = new Readable({ read() {} });
    idle.on('close', () => dropped.resolve());
    return Response.stream('text/event-stream', idle);
  });
  const client = await talk(port);
  client.send('GET /events HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.until(/\r\n\r\n/);
  client.socket.destroy();
  await Promise.all([aborted.promise, dropped.promise]);
  expect(released).toEqual(['/events']);
});

it.each<[string, () => Response]>([
  ['gives too little', () => Response.stream('text/plain', ['123'], 5)],
  ['gives too much', () => Response.stream('text/plain', ['123', '456'], 5)],
  [
    'fails',
    () =>
      Response.stream(
        'text/plain',
        (async function* () {
          yield 'first';
          throw new Error('broken source');
        })(),
      ),
  ],
])('cuts the connection when a stream %s, so that nobody takes it for whole', async (_what, handler) => {
  const errors: unknown[] = [];
  const { port } = await host(handler, { onError: (error) => void errors.push(error) });
  const client = await talk(port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const text = await client.closed();
  expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(text).not.toMatch(/0\r\n\r\n$/);
  expect(errors).toHaveLength(1);
});

it('calls a departure an AbortError', async () => {
  const called = deferred<void>();
  const reason = deferred<unknown>();
  const { port } = await host((request) => {
    called.resolve();
    request.signal.addEventListener('abort', () => reason.resolve(request.signal.reason));
    return new Promise<Response>(() => {});
  });
  const client = await talk(port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await called.promise;
  client.socket.destroy();
  expect(await reason.promise).toMatchObject({ name: 'AbortError', message: 'The client has gone away' });
});

it('has the address of the client without a prefix, on a dual-stack socket', async () => {
  const server = createServer(toNodeListener((request) => Response.text(String(request.remoteAddress)))).listen(0, '::');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const client = await talk((server.address() as AddressInfo).port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  expect((await client.answers(1))[0]?.body).toBe('127.0.0.1');
});

it('answers 500 for a file that is gone by the time it is sent', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
  writeFileSync(join(folder, 'a.txt'), 'gone soon');
  const response = Response.file(join(folder, 'a.txt'));
  rmSync(folder, { recursive: true });
  const errors: unknown[] = [];
  const { origin } = await host(() => response, { onError: (error) => void errors.push(error) });
  expect((await fetch(origin)).status).toBe(500);
  expect(errors).toMatchObject([{ code: 'ENOENT' }]);
});

it('tells a client that wants a websocket that there is none here', async () => {
  const { port } = await host((request) => websocket(request, () => {}));
  const client = await talk(port);
  client.send(
    'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  );
  const [answer] = await client.answers(1);
  expect(answer).toMatchObject({ status: 426, headers: { upgrade: 'websocket', connection: 'Upgrade' } });
});

it.each([{ maxBodySize: -1 }, { maxBodySize: Number.NaN }, { maxBodySize: '1' }, { streamBody: true }, { onError: 'log' }])(
  'refuses the option %j at once',
  (options) => {
    const make = (): unknown => toNodeListener(() => Response.empty(), options as GuestOptions);
    expect(make).toThrow(expect.objectContaining({ code: 'bad-option' }));
  },
);

it('serves a part of an Express application', async () => {
  const app = express();
  app.get('/own', (_req, res) => void res.send('express'));
  app.use(
    '/mounted',
    toNodeListener((request: Request) => {
      const hello = match(request, 'GET /hello/{name}');
      return hello ? Response.text(`hello, ${hello.name}`) : Response.empty(404);
    }),
  );
  const { origin } = await hosted(app);
  expect(await (await fetch(`${origin}/own`)).text()).toBe('express');
  expect(await (await fetch(`${origin}/mounted/hello/ada`)).text()).toBe('hello, ada');
  expect((await fetch(`${origin}/mounted/missing`)).status).toBe(404);
});

it('says what is wrong when somebody else has read the body before', async () => {
  const errors: unknown[] = [];
  const app = express();
  app.use(express.json());
  app.use(
    toNodeListener((request) => Response.text(request.body.text()), { onError: (error) => void errors.push((error as Error).message) }),
  );
  const { origin } = await hosted(app);
  const answer = await fetch(origin, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' });
  expect(answer.status).toBe(500);
  expect(errors).toEqual([
    'Cannot read request: its body has been read by somebody else; mount the listener before anything that parses bodies',
  ]);
});

it('serves HTTP/2 through the same listener', async () => {
  const listener = toNodeListener((request) =>
    Response.json([request.httpVersion, request.host, request.body.text()]).withCookie('a', '1').withCookie('b', '2'),
  );
  const server = createHttp2Server((req, res) => listener(req as unknown as IncomingMessage, res as unknown as ServerResponse)).listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(() => {
    session.destroy();
    server.close();
  });
  const stream = session.request({ ':method': 'POST', ':path': '/', ':authority': 'example.org' });
  stream.end('body');
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  const text = Buffer.concat((await stream.toArray()) as Buffer[]).toString();
  expect(headers).toMatchObject({ ':status': 200, 'set-cookie': [expect.stringContaining('a=1'), expect.stringContaining('b=2')] });
  expect(JSON.parse(text)).toEqual(['2.0', 'example.org', 'body']);
});

it.each(['with rawHeaders', 'without rawHeaders'])(
  'answers requests that test tools make up, %s, and that never say they are complete',
  async (kind) => {
    const headers = { host: 'a', 'content-length': '4', 'x-list': ['1', '2'] };
    const raw = ['Host', 'a', 'Content-Length', '4', 'X-List', '1', 'X-List', '2'];
    const made = Object.assign(Readable.from([Buffer.from('text')], { objectMode: false }), {
      method: 'POST',
      url: '/made',
      httpVersion: '1.1',
      httpVersionMajor: 1,
      httpVersionMinor: 1,
      headers,
      ...(kind === 'with rawHeaders' && { rawHeaders: raw }),
      socket: { remoteAddress: '127.0.0.1' },
    }) as unknown as IncomingMessage;
    const res = new ServerResponse(made);
    const sent: string[] = [];
    const connection = new Duplex({
      read() {},
      write: (piece, _encoding, done) => {
        sent.push(String(piece));
        done();
      },
    });
    res.assignSocket(connection as Socket);
    toNodeListener((request) => Response.text(`${request.path} ${request.headerAll('x-list').join()} ${request.body.text()}`))(made, res);
    await once(res, 'finish');
    expect(sent.join('')).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n\/made 1,2 text$/);
    expect(sent.join('')).not.toMatch(/connection: close/i);
  },
);
