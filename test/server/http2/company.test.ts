/**
 * What stands around a handler, over HTTP/2: refusals, proxies in front and behind, guests, the log, rate limits.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { answerWithFetch } from '../../../src/fetch.ts';
import { createRateLimiter, finish, logAccess, Response } from '../../../src/index.ts';
import { answerWithNode } from '../../../src/node.ts';
import { proxy } from '../../../src/proxy.ts';
import { frame as message, parseFrames, TEXT } from '../../support/frames.ts';
import { answerOf, ask, codeOf, headOf, serveHttp2 } from '../../support/http2.ts';
import { until } from '../../support/until.ts';

const POST = { ':method': 'POST', ':path': '/' };

describe('a request over HTTP/2 that is refused', () => {
  it('is answered, counted, and shown to onRefused', async () => {
    const seen: unknown[] = [];
    const { client, server } = await serveHttp2(() => Response.text('never'), {
      maxHeaders: 10,
      onRefused: (status, head) => {
        seen.push([status, head.method, head.path]);
        return Response.html(`<h1>${status}</h1>`);
      },
    });
    const fields = Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`x-${i}`, '1']));
    expect(await ask(client, { ':path': '/many', ...fields })).toMatchObject({ status: 431, body: '<h1>431</h1>' });
    expect(await ask(client, { ':path': '/a%00' })).toMatchObject({ status: 400, body: '<h1>400</h1>' });
    expect(seen).toEqual([
      [431, 'GET', '/many'],
      [400, 'GET', undefined],
    ]);
    expect(server.status().refused).toEqual({ 400: 1, 431: 1 });
  });

  it('is answered before its body is there, which is then not wanted', async () => {
    const { client } = await serveHttp2(() => Response.text('never'));
    const stream = client.request({ ...POST, ':path': '/%zz' });
    expect(await answerOf(stream)).toMatchObject({ status: 400 });
    expect(await codeOf(stream)).toBe(0);
  });

  it('leaves what an option of ours throws to onError', async () => {
    const errors: unknown[] = [];
    const { client } = await serveHttp2(() => Response.text('never'), {
      maxBodySize: () => {
        throw new Error('broken');
      },
      onError: (error) => void errors.push(error),
    });
    expect(await ask(client, POST, 'x')).toMatchObject({ status: 500 });
    expect(errors).toMatchObject([{ message: 'broken' }]);
  });

  it('is not one for OPTIONS of the server as a whole', async () => {
    const { client } = await serveHttp2(() => Response.text('never'));
    expect(await ask(client, { ':method': 'OPTIONS', ':path': '*' })).toMatchObject({ status: 204 });
  });
});

describe('a request over HTTP/2', () => {
  it('comes from whom a trusted proxy says', async () => {
    const { client } = await serveHttp2(({ remoteAddress, secure, host }) => Response.text(`${remoteAddress} ${secure} ${host}`), {
      trustProxy: ['127.0.0.1'],
    });
    const fields = { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'example.org' };
    expect(await ask(client, { ':path': '/', ...fields })).toMatchObject({ body: '203.0.113.7 true example.org' });
    expect((await ask(client)).body).toContain('127.0.0.1 false');
  });

  it('is logged', async () => {
    const lines: string[] = [];
    const output = { write: (line: string) => lines.push(line) };
    const { client } = await serveHttp2((request) =>
      finish(
        request,
        () => Response.empty(),
        (seen, response) =>
          logAccess(seen, response, { output, format: (of, { status }, ms) => `${of.method} ${of.target} ${status} ${ms >= 0}` }),
      ),
    );
    await ask(client, '/a?b');
    expect(lines).toEqual(['GET /a?b 204 true\n']);
  });

  it('is counted by a rate limiter', async () => {
    const limiter = createRateLimiter({ limit: 2, window: 60 });
    const { client } = await serveHttp2(async (request) => (await limiter.check(request)) ?? Response.text(''));
    const answers = await Promise.all([1, 2, 3].map(() => ask(client)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 429]);
  });

  it('may be answered by a listener of node:http', async () => {
    const listener = (req: IncomingMessage, res: ServerResponse): void => {
      req.setEncoding('utf8');
      let text = '';
      req.on('data', (piece: string) => {
        text += piece;
      });
      req.on('end', () => {
        res.writeEarlyHints({ link: '</a.css>; rel=preload' });
        res.setHeader('x-seen', `${req.method} ${req.url} ${req.headers.cookie} ${req.headers[':path'] === undefined}`);
        res.write(text);
        res.end('!');
      });
    };
    const { client } = await serveHttp2((request) => answerWithNode(request, listener));
    const stream = client.request({ ...POST, ':path': '/a?b', cookie: 'c=1; d=2' }, { endStream: false });
    const hints: unknown[] = [];
    stream.on('headers', (head) => hints.push(head[':status']));
    stream.end('body');
    const answer = await answerOf(stream);
    expect(answer).toMatchObject({ status: 200, body: 'body!', headers: { 'x-seen': 'POST /a?b c=1; d=2 true' } });
    expect(answer.headers['transfer-encoding']).toBeUndefined();
    expect(hints).toEqual([103]);
  });

  it('may be answered by a fetch handler', async () => {
    const { client } = await serveHttp2((request) =>
      answerWithFetch(request, async (web) => new globalThis.Response(`${web.method} ${new URL(web.url).pathname} ${await web.text()}`)),
    );
    expect(await ask(client, { ...POST, ':path': '/a' }, 'body')).toMatchObject({ status: 200, body: 'POST /a body' });
  });
});

describe('a proxy in front of which HTTP/2 is spoken', () => {
  async function upstream(): Promise<{ url: string; server: ReturnType<typeof createServer> }> {
    const server = createServer((req, res) => {
      res.setHeader('x-via', String(req.headers.via));
      res.setHeader('connection', 'close');
      req.pipe(res);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
  }

  it('passes requests on as HTTP/1.1', async () => {
    const { url } = await upstream();
    const { client } = await serveHttp2((request) => proxy(request, url));
    const answer = await ask(client, POST, 'x'.repeat(100_000));
    expect(answer.body).toHaveLength(100_000);
    expect(answer.headers['x-via']).toMatch(/^2\.0 /);
    expect(answer.headers.connection).toBeUndefined();
  });

  it('passes websockets on', async () => {
    const { url, server } = await upstream();
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket) => socket.on('message', (data: Buffer) => socket.send(`echo ${data.toString()}`)));
    const { client } = await serveHttp2((request) => proxy(request, url));
    await new Promise((resolve) => client.once('remoteSettings', resolve));
    const stream = client.request({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':scheme': 'http',
      ':path': '/',
      'sec-websocket-version': '13',
    });
    const head = await headOf(stream);
    expect(head).toMatchObject({ ':status': 200 });
    expect(head['sec-websocket-accept']).toBeUndefined();
    let text = '';
    stream.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
    });
    stream.write(message(TEXT, 'one'));
    const [frame] = await until(
      () => (parseFrames(text).length > 0 ? parseFrames(text) : undefined),
      () => 'the echo',
    );
    expect(String(frame?.payload)).toBe('echo one');
    stream.close();
    for (const socket of sockets.clients) socket.terminate();
  });
});
