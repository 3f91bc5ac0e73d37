// h3 on srvx, its server for Node. It has nothing that compresses.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { H3, serve, serveStatic } from 'h3';
import { announce, HELLO, JSON_VALUE, ROOT, ROUTES, TLS } from './common.mjs';

const app = new H3();
const PLAIN = 'text/plain; charset=utf-8';
app.get('/', (event) => plain(event, HELLO));
app.get('/json', () => JSON_VALUE);
app.post('/echo', async ({ req, res }) => {
  res.headers.set('content-type', 'application/octet-stream');
  return new Uint8Array(await req.arrayBuffer());
});
app.post('/form', async (event) => {
  const form = new URLSearchParams(await event.req.text());
  return plain(event, `${form.get('name')} is ${form.get('age')}`);
});
app.get('/static/**', (event) => {
  const pathOf = (id) => join(ROOT, id.slice('/static'.length));
  return serveStatic(event, {
    getContents: (id) => readFile(pathOf(id)),
    getMeta: async (id) => {
      const { size, mtimeMs } = await stat(pathOf(id));
      return { size, mtime: mtimeMs, type: 'text/html; charset=utf-8' };
    },
  });
});
for (let n = 0; n < ROUTES; n++) app.get(`/api/r${n}/:id`, (event) => plain(event, `${n} ${event.context.params.id}`));

const server = serve(app, { port: 0, hostname: '127.0.0.1', silent: true, ...(TLS && { tls: TLS }) });
await server.ready();
announce(server.node.server);

function plain(event, body) {
  event.res.headers.set('content-type', PLAIN);
  return body;
}
