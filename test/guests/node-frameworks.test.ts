/**
 * Applications of Koa, Fastify and Express mounted in our server, with what such applications use.
 */
import { createReadStream, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import session from 'express-session';
import Fastify, { type FastifyInstance } from 'fastify';
import Koa from 'koa';
import multer from 'multer';
import { describe, expect, it, onTestFinished } from 'vitest';
import { answerWithNode, type NodeListener } from '../../src/node.ts';
import { serve, talk } from '../support/serve.ts';
import { until } from '../support/until.ts';

/** Mounts a listener. @returns The origin, and what `onError` has seen. */
async function mount(
  listener: NodeListener,
  isStreamed = false,
  host = '127.0.0.1',
): Promise<{ origin: string; port: number; errors: unknown[] }> {
  const errors: unknown[] = [];
  const options = { host, onError: (error: unknown) => void errors.push(error), streamBody: () => isStreamed };
  const { port } = await serve((request) => answerWithNode(request, listener), options);
  return { origin: `http://127.0.0.1:${port}`, port, errors };
}

/** A file of 300,000 bytes; it is removed when the test ends. */
function largeFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'a.bin');
  writeFileSync(path, Buffer.alloc(300_000, 'a'));
  return path;
}

const WAYS: readonly [string, boolean][] = [
  ['with bodies that have been read', false],
  ['with bodies as they come', true],
];

describe('Koa', () => {
  function listenerOf(app: Koa): NodeListener {
    const callback = app.callback();
    return (req, res) => void callback(req, res);
  }

  it('sends a download with its length, and logs no error', async () => {
    const path = largeFile();
    const app = new Koa();
    const logged: unknown[] = [];
    app.on('error', (error) => logged.push(error));
    const ended: boolean[] = [];
    app.use((context) => {
      context.res.on('close', () => ended.push(context.res.writableFinished));
      context.length = statSync(path).size;
      context.body = createReadStream(path);
    });
    const { origin, errors } = await mount(listenerOf(app));
    for (let i = 0; i < 20; i++) {
      const response = await fetch(origin);
      expect([response.headers.get('content-length'), (await response.arrayBuffer()).byteLength]).toEqual(['300000', 300_000]);
    }
    await until(
      () => ended.length === 20 || undefined,
      () => 'the ends of the responses',
    );
    expect([logged, errors, ended.filter((isFinished) => !isFinished)]).toEqual([[], [], []]);
  });

  it('answers its own errors, and what it does not know', async () => {
    const app = new Koa();
    app.silent = true;
    app.use((context) => {
      if (context.path === '/teapot') context.throw(418, 'short and stout');
      if (context.path === '/broken') throw new Error('secret');
    });
    const { origin, errors } = await mount(listenerOf(app));
    const seen = await Promise.all(
      ['/teapot', '/broken', '/nowhere'].map(async (path) => {
        const response = await fetch(origin + path);
        return [response.status, await response.text()];
      }),
    );
    expect(seen).toEqual([
      [418, 'short and stout'],
      [500, 'Internal Server Error'],
      [404, 'Not Found'],
    ]);
    expect(errors).toEqual([]);
  });
});

describe('Fastify', () => {
  /** An application that runs without a port. */
  async function started(set: (app: FastifyInstance) => void): Promise<NodeListener> {
    const app = Fastify();
    set(app);
    await app.ready();
    onTestFinished(() => app.close());
    return app.routing;
  }

  it('calls onResponse for each download with a length', async () => {
    const path = largeFile();
    const seen: number[] = [];
    const listener = await started((app) => {
      app.addHook('onResponse', (_request, reply, done) => {
        seen.push(reply.statusCode);
        done();
      });
      app.get('/', (_request, reply) => reply.header('Content-Length', statSync(path).size).send(createReadStream(path)));
    });
    const { origin, errors } = await mount(listener);
    for (let i = 0; i < 20; i++) expect((await (await fetch(origin)).arrayBuffer()).byteLength).toBe(300_000);
    await until(
      () => seen.length === 20 || undefined,
      () => `onResponse 20 times: ${seen.length}`,
    );
    expect([seen.filter((status) => status !== 200), errors]).toEqual([[], []]);
  });

  it.each(WAYS)('reads JSON, refuses bad JSON, and answers errors, %s', async (_name, isStreamed) => {
    const listener = await started((app) => {
      app.post('/', (request) => request.body);
      app.get('/broken', () => {
        throw new Error('no');
      });
    });
    const { origin, errors } = await mount(listener, isStreamed);
    const post = (body: string): Promise<globalThis.Response> =>
      fetch(origin, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
    expect(await (await post('{"a":1}')).json()).toEqual({ a: 1 });
    expect((await post('{')).status).toBe(400);
    expect(await (await fetch(`${origin}/broken`)).json()).toMatchObject({ statusCode: 500, message: 'no' });
    expect((await fetch(`${origin}/nowhere`)).status).toBe(404);
    expect(errors).toEqual([]);
  });
});

describe('Express', () => {
  it.each(WAYS)('reads JSON, forms and uploads, %s', async (_name, isStreamed) => {
    const app = express();
    app.post('/json', express.json({ limit: 1000 }), (req, res) => void res.json(req.body));
    app.post('/form', express.urlencoded(), (req, res) => void res.json(req.body));
    app.post('/upload', multer().single('file'), (req, res) => void res.json([req.body, req.file?.originalname, req.file?.size]));
    app.set('env', 'test'); // prints nothing
    const { origin, errors } = await mount(app, isStreamed);
    const post = (path: string, body: string | URLSearchParams | FormData, type?: string): Promise<globalThis.Response> =>
      fetch(origin + path, { method: 'POST', body, ...(type !== undefined && { headers: { 'Content-Type': type } }) });
    expect(await (await post('/json', '{"a":1}', 'application/json')).json()).toEqual({ a: 1 });
    expect((await post('/json', JSON.stringify('a'.repeat(5000)), 'application/json')).status).toBe(413);
    expect(await (await post('/form', new URLSearchParams({ a: '1' }))).json()).toEqual({ a: '1' });
    const form = new FormData();
    form.set('name', 'ada');
    form.set('file', new Blob([new Uint8Array(200_000)]), 'a.bin');
    expect(await (await post('/upload', form)).json()).toEqual([{ name: 'ada' }, 'a.bin', 200_000]);
    expect(errors).toEqual([]);
  });

  it('keeps a session', async () => {
    const app = express();
    app.use(session({ secret: 'a secret of this test', resave: false, saveUninitialized: false }));
    app.get('/', (req, res) => {
      const { session: kept } = req as unknown as { session: { count?: number } };
      kept.count = (kept.count ?? 0) + 1;
      res.send(String(kept.count));
    });
    const { origin } = await mount(app);
    const first = await fetch(origin);
    const cookie = first.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    expect(cookie).toMatch(/^connect\.sid=/);
    const counts = [await first.text()];
    for (let i = 0; i < 2; i++) counts.push(await (await fetch(origin, { headers: { Cookie: cookie } })).text());
    expect(counts).toEqual(['1', '2', '3']);
  });

  it('sends a file, a part of it, and 304', async () => {
    const path = largeFile();
    const app = express();
    app.get('/', (_req, res) => res.sendFile(path));
    const { origin, port, errors } = await mount(app);
    const whole = await fetch(origin);
    const part = await fetch(origin, { headers: { Range: 'bytes=0-9' } });
    expect([(await whole.arrayBuffer()).byteLength, part.status, await part.text()]).toEqual([300_000, 206, 'aaaaaaaaaa']);
    const client = await talk(port);
    client.send(`GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: ${whole.headers.get('etag')}\r\n\r\n`);
    expect((await client.answers(1))[0]?.status).toBe(304);
    expect(errors).toEqual([]);
  });

  it('has an error page', async () => {
    const app = express();
    app.set('env', 'test'); // prints nothing
    app.use((_req, _res, next) => next(Object.assign(new Error('closed for today'), { status: 503 })));
    const { origin, errors } = await mount(app);
    const response = await fetch(origin);
    expect([response.status, (await response.text()).includes('<pre>Error: closed for today')]).toEqual([503, true]);
    expect(errors).toEqual([]);
  });

  it('has the address of the client without a prefix, on a dual-stack socket', async () => {
    const app = express();
    app.get('/', (req, res) => void res.json([req.ip, req.socket.remoteAddress, req.socket.remoteFamily]));
    const { port } = await mount(app, false, '::');
    const client = await talk(port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.answers(1))[0]?.body).toBe('["127.0.0.1","127.0.0.1","IPv4"]');
  });
});
