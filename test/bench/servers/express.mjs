// express, with the middleware of its own documentation, each only where it is needed.
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import compression from 'compression';
import cookieSession from 'cookie-session';
import { Eta } from 'eta';
import express from 'express';
import multer from 'multer';
import { announce, HELLO, ITEMS, JSON_VALUE, ROOT, ROUTES, SECRET, TEMPLATE, TEXT, TLS } from './common.mjs';

const app = express();
app.get('/', (_request, response) => response.type('text/plain').send(HELLO));
app.get('/json', (_request, response) => response.json(JSON_VALUE));
app.post('/echo', express.raw({ limit: '1mb' }), ({ body }, response) => response.type('application/octet-stream').send(body));
app.post('/form', express.urlencoded(), ({ body }, response) => response.type('text/plain').send(`${body.name} is ${body.age}`));
app.post('/upload', multer().array('files'), ({ files }, response) =>
  response.type('text/plain').send(String(files.reduce((sum, { size }) => sum + size, 0))),
);
app.post('/fields', multer().none(), ({ body }, response) =>
  response.type('text/plain').send(String(Object.values(body).reduce((sum, { length }) => sum + length, 0))),
);
const session = cookieSession({ secret: SECRET });
const eta = new Eta();
eta.loadTemplate('@page', TEMPLATE);
app.post('/login', session, express.urlencoded(), (request, response) => {
  request.session = { user: request.body.name, visits: 1 };
  response.type('text/plain').send(`Hello, ${request.body.name}`);
});
app.get('/page', session, (request, response) => {
  const { user, visits } = request.session;
  request.session.visits = visits + 1;
  response.type('text/html').send(eta.render('@page', { user, visits: visits + 1, items: ITEMS }));
});
app.get('/text', compression(), (_request, response) => response.type('text/plain').send(TEXT));
app.use('/static', express.static(ROOT));
for (let n = 0; n < ROUTES; n++) {
  app.get(`/api/r${n}/:id`, ({ params }, response) => response.type('text/plain').send(`${n} ${params.id}`));
}

const server = TLS ? createTlsServer(TLS, app) : createServer(app);
announce(server);
server.listen(0, '127.0.0.1');
