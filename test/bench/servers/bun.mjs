// Bun.serve, with its own routes. Run by bun, not by Node.
import { file, gzipSync, serve } from 'bun';
import { HELLO, JSON_VALUE, ROOT, ROUTES, TEXT, TLS } from './common.mjs';

const api = Object.fromEntries(
  Array.from({ length: ROUTES }, (_, n) => [`/api/r${n}/:id`, (request) => new Response(`${n} ${request.params.id}`)]),
);
const BYTES = { headers: { 'Content-Type': 'application/octet-stream' } };

const server = serve({
  port: 0,
  hostname: '127.0.0.1',
  idleTimeout: 120,
  ...(TLS && { tls: TLS }),
  routes: {
    '/': () => new Response(HELLO),
    '/json': () => Response.json(JSON_VALUE),
    '/echo': { POST: async (request) => new Response(await request.arrayBuffer(), BYTES) },
    '/form': {
      async POST(request) {
        const form = await request.formData();
        return new Response(`${form.get('name')} is ${form.get('age')}`);
      },
    },
    '/text': () => new Response(gzipSync(TEXT), { headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Encoding': 'gzip' } }),
    '/static/page.html': () => new Response(file(`${ROOT}/page.html`)),
    ...api,
  },
  fetch: () => new Response(null, { status: 404 }),
});
console.log(server.port);
