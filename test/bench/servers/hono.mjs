// hono on its server for Node.
import { createServer as createTlsServer } from 'node:https';
import { serve } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import { compress } from 'hono/compress';
import { announce, HELLO, JSON_VALUE, ROOT, ROUTES, TEXT, TLS } from './common.mjs';

const app = new Hono();
app.get('/', (c) => c.text(HELLO));
app.get('/json', (c) => c.json(JSON_VALUE));
app.post('/echo', async (c) => c.body(await c.req.arrayBuffer(), 200, { 'Content-Type': 'application/octet-stream' }));
app.post('/form', async (c) => {
  /** @type {Record<string, string>} */
  const { name, age } = await c.req.parseBody();
  return c.text(`${name} is ${age}`);
});
app.use('/text', compress());
app.get('/text', (c) => c.text(TEXT));
app.use('/static/*', serveStatic({ root: ROOT, rewriteRequestPath: (path) => path.slice('/static'.length) }));
for (let n = 0; n < ROUTES; n++) app.get(`/api/r${n}/:id`, (c) => c.text(`${n} ${c.req.param('id')}`));

const tls = TLS && { createServer: createTlsServer, serverOptions: TLS };
const overrideGlobalObjects = process.env['BENCH_GLOBALS'] !== 'left';
announce(serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1', overrideGlobalObjects, ...tls }));
