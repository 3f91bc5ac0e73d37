// fastify, as its own guide sets it up for speed: no logger, a schema for the JSON.
import { resolve } from 'node:path';
import compress from '@fastify/compress';
import formbody from '@fastify/formbody';
import httpProxy from '@fastify/http-proxy';
import multipart from '@fastify/multipart';
import secureSession from '@fastify/secure-session';
import serveStatic from '@fastify/static';
import { Eta } from 'eta';
import fastify from 'fastify';
import {
  announce,
  HELLO,
  heapUsed,
  IS_HTTP2,
  ITEMS,
  JSON_VALUE,
  LARGE,
  ROOT,
  ROUTES,
  SECRET,
  TEMPLATE,
  TEXT,
  TLS,
  UPSTREAM,
} from './common.mjs';

const app = fastify({ logger: false, ...(TLS && { https: TLS }), ...(IS_HTTP2 && { http2: true }) });
const message = { type: 'string' };
const schema = {
  response: {
    200: {
      type: 'object',
      properties: {
        message,
        at: { type: 'array', items: { type: 'integer' } },
        user: { type: 'object', properties: { id: { type: 'integer' }, name: message } },
      },
    },
  },
};
await app.register(formbody);
await app.register(multipart, { limits: { fileSize: 16 * 1024 * 1024 } });
await app.register(secureSession, { key: Buffer.from(SECRET).subarray(0, 32), cookie: { path: '/' } });
if (UPSTREAM !== undefined) await app.register(httpProxy, { upstream: UPSTREAM, prefix: '/up' });
const eta = new Eta();
eta.loadTemplate('@page', TEMPLATE);
await app.register(compress, { global: false });
await app.register(serveStatic, { root: resolve(ROOT), prefix: '/static/' });

app.get('/', (_request, reply) => reply.type('text/plain; charset=utf-8').send(HELLO));
app.get('/json', { schema }, () => JSON_VALUE);
app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
app.post('/echo', (request, reply) => reply.type('application/octet-stream').send(request.body));
app.post('/form', ({ body }, reply) => reply.type('text/plain; charset=utf-8').send(`${body.name} is ${body.age}`));
app.post('/upload', async (request, reply) => {
  let sum = 0;
  for await (const part of request.files()) sum += (await part.toBuffer()).length;
  return reply.type('text/plain; charset=utf-8').send(String(sum));
});
app.post('/fields', async (request, reply) => {
  let sum = 0;
  for await (const part of request.parts()) sum += part.value.length;
  return reply.type('text/plain; charset=utf-8').send(String(sum));
});
app.post('/login', (request, reply) => {
  request.session.regenerate();
  request.session.set('user', request.body.name);
  request.session.set('visits', 1);
  return reply.type('text/plain; charset=utf-8').send(`Hello, ${request.body.name}`);
});
app.get('/page', (request, reply) => {
  const visits = request.session.get('visits') + 1;
  request.session.set('visits', visits);
  return reply.type('text/html; charset=utf-8').send(eta.render('@page', { user: request.session.get('user'), visits, items: ITEMS }));
});
app.get('/large', (_request, reply) => reply.type('application/octet-stream').send(LARGE));
app.get('/heap', (_request, reply) => reply.type('text/plain; charset=utf-8').send(heapUsed()));
app.get('/text', { compress: { encodings: ['gzip'] } }, (_request, reply) => reply.type('text/plain; charset=utf-8').send(TEXT));
for (let n = 0; n < ROUTES; n++) {
  app.get(`/api/r${n}/:id`, ({ params }, reply) => reply.type('text/plain; charset=utf-8').send(`${n} ${params.id}`));
}
await app.listen({ port: 0, host: '127.0.0.1' });
announce(app.server);
