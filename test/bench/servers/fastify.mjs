// fastify, as its own guide sets it up for speed: no logger, a schema for the JSON.
import { resolve } from 'node:path';
import compress from '@fastify/compress';
import formbody from '@fastify/formbody';
import multipart from '@fastify/multipart';
import serveStatic from '@fastify/static';
import fastify from 'fastify';
import { announce, HELLO, heapUsed, IS_HTTP2, JSON_VALUE, LARGE, ROOT, ROUTES, TEXT, TLS } from './common.mjs';

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
await app.register(multipart);
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
app.get('/large', (_request, reply) => reply.type('application/octet-stream').send(LARGE));
app.get('/heap', (_request, reply) => reply.type('text/plain; charset=utf-8').send(heapUsed()));
app.get('/text', { compress: { encodings: ['gzip'] } }, (_request, reply) => reply.type('text/plain; charset=utf-8').send(TEXT));
for (let n = 0; n < ROUTES; n++) {
  app.get(`/api/r${n}/:id`, ({ params }, reply) => reply.type('text/plain; charset=utf-8').send(`${n} ${params.id}`));
}
await app.listen({ port: 0, host: '127.0.0.1' });
announce(app.server);
