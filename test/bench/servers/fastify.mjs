// fastify, as its own guide sets it up for speed: no logger, a schema for the JSON.
import fastify from 'fastify';

const app = fastify({ logger: false });
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
app.get('/', (_request, reply) => reply.type('text/plain; charset=utf-8').send('Hello, World!'));
app.get('/json', { schema }, () => ({ message: 'Hello, World!', at: [1, 2, 3], user: { id: 7, name: 'Ada' } }));
app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
app.post('/echo', (request, reply) => reply.type('application/octet-stream').send(request.body));
await app.listen({ port: 0, host: '127.0.0.1' });
console.log(app.server.address().port);
