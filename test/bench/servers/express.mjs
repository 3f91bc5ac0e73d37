// express, with the middleware of its own documentation, each only where it is needed.
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import compression from 'compression';
import express from 'express';
import multer from 'multer';
import { announce, HELLO, JSON_VALUE, ROOT, ROUTES, TEXT, TLS } from './common.mjs';

const app = express();
app.get('/', (_request, response) => response.type('text/plain').send(HELLO));
app.get('/json', (_request, response) => response.json(JSON_VALUE));
app.post('/echo', express.raw({ limit: '1mb' }), ({ body }, response) => response.type('application/octet-stream').send(body));
app.post('/form', express.urlencoded(), ({ body }, response) => response.type('text/plain').send(`${body.name} is ${body.age}`));
app.post('/upload', multer().array('files'), ({ files }, response) =>
  response.type('text/plain').send(String(files.reduce((sum, { size }) => sum + size, 0))),
);
app.get('/text', compression(), (_request, response) => response.type('text/plain').send(TEXT));
app.use('/static', express.static(ROOT));
for (let n = 0; n < ROUTES; n++) {
  app.get(`/api/r${n}/:id`, ({ params }, response) => response.type('text/plain').send(`${n} ${params.id}`));
}

const server = TLS ? createTlsServer(TLS, app) : createServer(app);
announce(server);
server.listen(0, '127.0.0.1');
