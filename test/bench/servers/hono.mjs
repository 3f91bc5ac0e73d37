// hono on its server for Node.
import { createServer as createTlsServer } from 'node:https';
import { serve } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import { compress } from 'hono/compress';
import { getSignedCookie, setSignedCookie } from 'hono/cookie';
import { html } from 'hono/html';
import { announce, HELLO, ITEMS, JSON_VALUE, ROOT, ROUTES, SECRET, TEXT, TLS } from './common.mjs';

const app = new Hono();
app.get('/', (c) => c.text(HELLO));
app.get('/json', (c) => c.json(JSON_VALUE));
app.post('/echo', async (c) => c.body(await c.req.arrayBuffer(), 200, { 'Content-Type': 'application/octet-stream' }));
app.post('/form', async (c) => {
  /** @type {Record<string, string>} */
  const { name, age } = await c.req.parseBody();
  return c.text(`${name} is ${age}`);
});
app.post('/upload', async (c) => {
  const { files } = await c.req.parseBody({ all: true });
  return c.text(String([files].flat().reduce((sum, { size }) => sum + size, 0)));
});
app.post('/fields', async (c) => {
  const fields = await c.req.parseBody();
  return c.text(String(Object.values(fields).reduce((sum, { length }) => sum + length, 0)));
});
app.post('/login', async (c) => {
  /** @type {Record<string, string>} */
  const { name } = await c.req.parseBody();
  await setSignedCookie(c, 'session', JSON.stringify({ user: name, visits: 1 }), SECRET, { httpOnly: true, sameSite: 'Lax', path: '/' });
  return c.text(`Hello, ${name}`);
});
app.get('/page', async (c) => {
  const { user, visits } = JSON.parse(await getSignedCookie(c, SECRET, 'session'));
  const next = { user, visits: visits + 1 };
  await setSignedCookie(c, 'session', JSON.stringify(next), SECRET, { httpOnly: true, sameSite: 'Lax', path: '/' });
  const items = ITEMS.map(({ id, name, price }) => html`<li><a href="/items/${id}">${name}</a> ${price}</li>`);
  return c.html(
    html`<!doctype html><html lang="en"><meta charset="utf-8"><title>Catalogue</title><h1>Hello, ${user}</h1><p>Visit ${next.visits}</p><ul>${items}</ul></html>`,
  );
});
app.use('/text', compress());
app.get('/text', (c) => c.text(TEXT));
app.use('/static/*', serveStatic({ root: ROOT, rewriteRequestPath: (path) => path.slice('/static'.length) }));
for (let n = 0; n < ROUTES; n++) app.get(`/api/r${n}/:id`, (c) => c.text(`${n} ${c.req.param('id')}`));

const tls = TLS && { createServer: createTlsServer, serverOptions: TLS };
const overrideGlobalObjects = process.env['BENCH_GLOBALS'] !== 'left';
announce(serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1', overrideGlobalObjects, ...tls }));
