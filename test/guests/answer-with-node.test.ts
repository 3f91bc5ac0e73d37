/**
 * Listeners of node:http and Express applications as answers of ours.
 */
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { pipeline, Readable } from 'node:stream';
import express from 'express';
import { describe, expect, it } from 'vitest';
import { Request, Response } from '../../src/index.ts';
import { answerWithNode, type NodeListener, toNodeListener } from '../../src/node.ts';
import { isOverHttp2 } from '../support/over.ts';
import { type Answer, deferred, NEXT, serve, type Talk, talk } from '../support/serve.ts';
import { standsStill, until } from '../support/until.ts';

/** What a listener makes of a request by hand. */
async function visited(request: Request, listener: NodeListener): Promise<{ response: Response; body: string }> {
  const response = await answerWithNode(request, listener);
  return { response, body: (await response.collect()).toString() };
}

it.each(['/@bob', '/odata/$metadata', '/a;b', '/v1/x:publish', '/@vite/client', '/a%2Fb', '/a%252Fb'])(
  'shows the listener the path %s as it was sent (RFC 3986 §3.3)',
  async (target) => {
    expect((await visited(new Request({ target }), (req, res) => res.end(req.url))).body).toBe(target);
  },
);

it.each(['/@bob', '/users/a:b', '/a;b', '/odata/$metadata'])('finds a route of Express for %s', async (path) => {
  const app = express();
  app.get(/^.*$/, (req, res) => void res.send(req.path));
  expect((await visited(new Request({ target: path }), app)).body).toBe(path);
});

it('shows the listener method, fields, body and peer, and the canonical path', async () => {
  const request = new Request({
    method: 'PUT',
    target: '/a/../b%20c//d%2Fe?q=1&q=2',
    headers: [
      ['Host', 'example.org'],
      ['X-A', '1'],
      ['x-a', '2'],
      ['Cookie', 'a=1'],
    ],
    body: 'héllo',
    remoteAddress: '192.0.2.7',
    secure: true,
  });
  const { body } = await visited(request, (req, res) => {
    const { method, url, headers, socket } = req;
    req.setEncoding('utf8').on('data', (text: string) => {
      res.end(
        JSON.stringify([
          method,
          url,
          headers['x-a'],
          headers.host,
          headers.cookie,
          socket.remoteAddress,
          'encrypted' in socket && socket.encrypted,
          text,
        ]),
      );
    });
  });
  expect(JSON.parse(body)).toEqual(['PUT', '/b%20c/d%2Fe?q=1&q=2', '1, 2', 'example.org', 'a=1', '192.0.2.7', true, 'héllo']);
});

it('hides what belongs to our connection, and what Connection names (RFC 9110 §7.6.1)', async () => {
  const request = new Request({
    headers: { Host: 'a', Connection: 'X-Secret', 'X-Secret': '1', Upgrade: 'h2c', 'Keep-Alive': '5', Expect: '100-continue' },
  });
  const { body } = await visited(request, (req, res) => void res.end(JSON.stringify(req.headers)));
  expect(JSON.parse(body)).toEqual({ host: 'a', connection: 'close' });
});

it('gives the response with its status and all its fields', async () => {
  const { response, body } = await visited(new Request(), (_req, res) => {
    res.writeHead(207, { 'Set-Cookie': ['a=1', 'b=2'], 'X-Latin': 'caf\u00e9', 'Content-Length': '3' });
    res.end(Buffer.from('abc')); // with text, node:http writes the head as UTF-8, too
  });
  expect([response.status, body]).toEqual([207, 'abc']);
  expect(response.headers.filter(([name]) => name === 'Set-Cookie')).toEqual([
    ['Set-Cookie', 'a=1'],
    ['Set-Cookie', 'b=2'],
  ]);
  expect(response.header('x-latin')).toBe('café');
  expect(response.header('connection')).toBeUndefined();
  expect(response.header('transfer-encoding')).toBeUndefined();
});

it('sends it with its length, HEAD and 304 without a body', async () => {
  const listener: NodeListener = (req, res) => {
    if (req.url === '/same') res.writeHead(304, { ETag: '"1"' }).end();
    else res.writeHead(200, { 'Content-Length': '3', 'Content-Type': 'text/plain' }).end('abc');
  };
  const { port } = await serve((request) => answerWithNode(request, listener));
  const client = await talk(port);
  client.send(
    'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /same HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  );
  const text = await client.closed();
  expect(text).toMatch(
    /^HTTP\/1\.1 200 [\s\S]*content-length: 3\r\n\r\nabcHTTP\/1\.1 304 [\s\S]*ETag: "1"[\s\S]*\r\n\r\nHTTP\/1\.1 200 [\s\S]*content-length: 3\r\n\r\n$/i,
  );
});

it('announces no length to HEAD when the listener has not announced one (RFC 9110 §8.6)', async () => {
  const { port } = await serve((request) => answerWithNode(request, (_req, res) => void res.end('text')));
  const client = await talk(port);
  client.send('HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  expect(await client.closed()).not.toMatch(/content-length/i);
});

it('answers with a whole Express application, routers, JSON and errors included', async () => {
  const app = express();
  app.use(express.json());
  app.post(
    '/echo/:name',
    (req, res) => void res.cookie('a', '1').json({ name: req.params.name, body: req.body as unknown, ip: req.ip, secure: req.secure }),
  );
  app.get('/broken', () => {
    throw new Error('express says 500');
  });
  app.set('env', 'test'); // prints nothing
  const { port } = await serve((request) => (request.path === '/own' ? Response.text('own') : answerWithNode(request, app)));
  const origin = `http://127.0.0.1:${port}`;
  const echo = await fetch(`${origin}/echo/ada`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"x":[1,2]}' });
  expect(await echo.json()).toEqual({ name: 'ada', body: { x: [1, 2] }, ip: '127.0.0.1', secure: false });
  expect(echo.headers.getSetCookie()).toEqual(['a=1; Path=/']);
  expect(echo.headers.get('x-powered-by')).toBe('Express');
  expect((await fetch(`${origin}/missing`)).status).toBe(404);
  expect((await fetch(`${origin}/broken`)).status).toBe(500);
  expect(await (await fetch(`${origin}/own`)).text()).toBe('own');
});

it('goes there and back: our handler in a listener in an answer', async () => {
  const listener = toNodeListener((request) =>
    Response.text(`${request.method} ${request.path} ${request.remoteAddress} ${request.body.text()}`),
  );
  const request = new Request({ method: 'POST', target: '/a?b', headers: { Host: 'a' }, body: 'c', remoteAddress: '192.0.2.1' });
  expect((await visited(request, listener)).body).toBe('POST /a 192.0.2.1 c');
});

it.each<[string, NodeListener]>([
  [
    'throws',
    () => {
      throw new Error('broken');
    },
  ],
  ['rejects', async () => Promise.reject(new Error('broken'))],
])('is a bare 500, which onError sees, when a listener %s; the process goes on', async (_what, listener) => {
  const errors: unknown[] = [];
  const { port } = await serve((request) => (request.path === '/next' ? Response.text('next') : answerWithNode(request, listener)), {
    onError: (error) => void errors.push((error as Error).message),
  });
  const client = await talk(port);
  client.send(`GET / HTTP/1.1\r\nHost: a\r\n\r\n${NEXT}`);
  expect((await client.answers(2)).map(({ status, body }) => [status, body])).toEqual([
    [500, 'Internal Server Error'],
    [200, 'next'],
  ]);
  expect(errors).toEqual(['broken']);
});

it('is a 500 when a listener breaks off before its head, and a cut connection when it does so inside its body', async () => {
  const gate = deferred<void>();
  const { port } = await serve(
    (request) =>
      answerWithNode(request, (req, res) => {
        if (req.url === '/inside') {
          res.write('first');
          void gate.promise.then(() => res.destroy());
        } else setImmediate(() => res.destroy());
      }),
    { onError: () => {} },
  );
  const before = await talk(port);
  before.send('GET /before HTTP/1.1\r\nHost: a\r\n\r\n');
  expect((await before.answers(1))[0]?.status).toBe(500);
  const inside = await talk(port);
  inside.send('GET /inside HTTP/1.1\r\nHost: a\r\n\r\n');
  await inside.until(/first/);
  gate.resolve();
  expect(await inside.closed()).not.toMatch(/0\r\n\r\n$/);
});

it('closes req and res when the client goes', async () => {
  const closed = deferred<string>();
  const asked = deferred<IncomingMessage>();
  const { port } = await serve((request) =>
    answerWithNode(request, (req, res) => {
      res.on('close', () => closed.resolve(res.writableFinished ? 'finished' : 'broken off'));
      asked.resolve(req);
    }),
  );
  const client = await talk(port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await asked.promise;
  client.socket.destroy();
  expect(await closed.promise).toBe('broken off');
});

it('closes res when the response is not wanted', async () => {
  const closed = deferred<void>();
  const response = await answerWithNode(new Request(), (_req, res) => {
    res.on('close', () => closed.resolve());
    res.write('first');
  });
  response.dispose();
  await closed.promise;
});

it('closes res when the handler answers with something else', async () => {
  const closed = deferred<void>();
  const { port } = await serve(async (request) => {
    await answerWithNode(request, (_req, res) => {
      res.on('close', () => closed.resolve());
      res.write('first');
    });
    return Response.text('other');
  });
  const client = await talk(port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  expect((await client.answers(1))[0]?.body).toBe('other');
  await closed.promise;
});

it('makes no more of a response than the client takes', async () => {
  let made = 0;
  const source = new Readable({
    read() {
      made++;
      this.push(Buffer.alloc(64 * 1024));
    },
  });
  const { port } = await serve((request) => answerWithNode(request, (_req, res) => void source.pipe(res)));
  const client = await talk(port);
  client.socket.pause();
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const stopped = await standsStill(() => made);
  expect(stopped).toBeLessThan(500); // 32 MiB: what sockets of this machine hold at the most
});

it('passes a body on as it comes when the server streams it', async () => {
  const { port } = await serve((request) => answerWithNode(request, (req, res) => void req.pipe(res)), { streamBody: () => true });
  const client = await talk(port);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n');
  await client.until(/\r\n\r\n3\r\none\r\n/); // the answer has begun, the request has not ended
  client.send('3\r\ntwo\r\n0\r\n\r\n');
  expect((await client.answers(1))[0]?.body).toBe('onetwo');
});

it('sends on the interim responses of a listener, but for 100, which nobody has asked it for (RFC 9110 §15.2)', async () => {
  const app = express();
  const finish = deferred<void>();
  app.get('/', (_req, res) => {
    res.writeContinue();
    res.writeEarlyHints({ link: '</a.css>; rel=preload; as=style', 'x-a': '1' });
    res.writeProcessing();
    void finish.promise.then(() => res.send('done'));
  });
  const { port } = await serve((request) => answerWithNode(request, app));
  const client = await talk(port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.until(/102 Processing\r\n\r\n$/);
  expect(client.received).toBe(
    'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload; as=style\r\nx-a: 1\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n',
  );
  finish.resolve();
  expect((await client.answers(1))[0]?.body).toBe('done');
});

it('lets a listener end a response whose announced bytes have all been sent (pipeline with Content-Length)', async () => {
  const ends: string[] = [];
  const { port } = await serve((request) =>
    answerWithNode(request, (_req, res) => {
      res.on('finish', () => ends.push('finish')).on('close', () => ends.push('close'));
      res.setHeader('Content-Length', 200_000);
      pipeline(
        Readable.from([Buffer.alloc(100_000, 'a'), Buffer.alloc(100_000, 'b')]),
        res,
        (error) => void ends.push(error?.code ?? 'piped'),
      );
    }),
  );
  for (let i = 1; i <= 20; i++) {
    const client = await talk(port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.answers(1))[0]?.body.length).toBe(200_000);
  }
  await until(
    () => (ends.length === 60 ? true : undefined),
    () => `60 ends, not ${ends.length}`,
  );
  const counts = ['finish', 'piped', 'close'].map((name) => ends.filter((end) => end === name).length);
  expect(counts).toEqual([20, 20, 20]);
});

it('passes on what a listener has written before it destroys its response', async () => {
  const { port } = await serve(
    (request) =>
      answerWithNode(request, (req, res) => {
        if (req.url === '/ended') res.end('whole').destroy(new Error('now'));
        else res.write('some', () => res.destroy(new Error('now')));
      }),
    { onError: () => {} },
  );
  const ended = await talk(port);
  ended.send('GET /ended HTTP/1.1\r\nHost: a\r\n\r\n');
  expect((await ended.answers(1)).map(({ status, body }) => [status, body])).toEqual([[200, 'whole']]);
  const written = await talk(port);
  written.send('GET /written HTTP/1.1\r\nHost: a\r\n\r\n');
  expect(await written.closed()).toMatch(/^HTTP\/1\.1 200 [\s\S]*some\r\n$/);
});

it('gives the listener a socket with everything that a net.Socket has', async () => {
  const request = new Request({ remoteAddress: '192.0.2.7' });
  const { body } = await visited(request, (req, res) => {
    const { socket } = req;
    const called = [
      socket.setTimeout(0) === socket,
      socket.setNoDelay(true) === socket,
      socket.setKeepAlive(true) === socket,
      socket.ref() === socket,
      socket.unref() === socket,
      req.setTimeout(0) === req,
      res.setTimeout(0) === res,
      socket instanceof Socket,
    ];
    res.end(JSON.stringify([called, socket.address(), socket.readyState, socket.bytesRead > 0, socket.remoteFamily, socket.pending]));
  });
  expect(JSON.parse(body)).toEqual([Array.from({ length: 8 }, () => true), {}, 'open', true, 'IPv4', false]);
});

it('calls the time-outs of a listener, and breaks off when nobody takes care of one', async () => {
  const { body } = await visited(new Request(), (_req, res) => void res.setTimeout(1, () => res.end('timed out')));
  expect(body).toBe('timed out');
  await expect(answerWithNode(new Request(), (req) => void req.socket.setTimeout(1))).rejects.toThrow('it has broken off the connection');
});

it('ends the connection with the response of a listener that calls destroySoon', async () => {
  const { body } = await visited(new Request(), (req, res) => {
    res.end('last');
    req.socket.destroySoon();
  });
  expect(body).toBe('last');
});

it('calls the listener before a streamed body comes, so that it can refuse early', async () => {
  const { port } = await serve((request) => answerWithNode(request, (_req, res) => void res.writeHead(401).end('no')), {
    streamBody: () => true,
  });
  const client = await talk(port);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n');
  expect((await client.answers(1)).map(({ status, body }) => [status, body])).toEqual([[401, 'no']]);
});

it('is a 501 for a method that node:http does not know, and onError does not see it (RFC 9110 §9.1)', async () => {
  const errors: unknown[] = [];
  const { port } = await serve((request) => answerWithNode(request, (_req, res) => void res.end('ok')), {
    onError: (error) => void errors.push(error),
  });
  const client = await talk(port);
  client.send('FOO / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nxPURGE / HTTP/1.1\r\nHost: a\r\n\r\n');
  expect((await client.answers(2)).map(({ status }) => status)).toEqual([501, 200]);
  expect(errors).toEqual([]);
});

describe('a client whose streamed body fails', () => {
  const TOO_LARGE = 'Transfer-Encoding: chunked\r\n\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n';
  const CASES: readonly [string, number, string, ((client: Talk) => void)?][] = [
    ['is larger than allowed', 413, TOO_LARGE],
    ['comes too slowly', 408, 'Content-Length: 9\r\n\r\nabc'],
  ];
  const OF_HTTP1: typeof CASES = [
    ['is chunked in a wrong way', 400, 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n'],
    ['ends too early', 400, 'Content-Length: 9\r\n\r\nabc', (client) => client.end()],
  ];

  /** What a listener, or a handler of ours, answers with the fault, and what the listener and onError see. */
  async function faultOf(
    isMounted: boolean,
    rest: string,
    play?: (client: Talk) => void,
  ): Promise<{ answer: Answer | undefined; seen: unknown[] }> {
    const seen: unknown[] = [];
    const begun = deferred<void>();
    const { port } = await serve(
      async (request) => {
        if (isMounted) {
          return answerWithNode(request, (req, res) => {
            req.once('data', () => begun.resolve());
            req.on('error', (error: NodeJS.ErrnoException) => seen.push(error.code));
            req.resume().on('end', () => res.end('all'));
          });
        }
        for await (const _piece of request.body.stream()) begun.resolve();
        return Response.text('all');
      },
      { streamBody: () => true, maxBodySize: 10, requestTimeout: 300, onError: (error) => void seen.push(error) },
    );
    const client = await talk(port);
    client.send(`POST / HTTP/1.1\r\nHost: a\r\n${rest}`);
    if (play) void begun.promise.then(() => play(client));
    return { answer: (await client.answers(1))[0], seen };
  }

  it.each(isOverHttp2 ? CASES : [...CASES, ...OF_HTTP1])(
    'gets, when it %s, what a handler of ours answers: %i, and onError sees nothing',
    async (_what, status, rest, play) => {
      const ours = await faultOf(false, rest, play);
      const { answer, seen } = await faultOf(true, rest, play);
      expect([answer?.status, answer?.body]).toEqual([status, ours.answer?.body]);
      expect(seen).toEqual(['ECONNRESET']);
    },
  );
});
