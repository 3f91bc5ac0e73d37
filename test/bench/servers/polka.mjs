// polka, with sirv for files as its documentation has it; it has no helpers for bodies, so they are read by hand.
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import compression from 'compression';
import polka from 'polka';
import sirv from 'sirv';
import { announce, HELLO, JSON_VALUE, ROOT, ROUTES, TEXT, TLS } from './common.mjs';

const server = TLS ? createTlsServer(TLS) : createServer();
const app = polka({ server });
const PLAIN = 'text/plain; charset=utf-8';
app.get('/', (_request, response) => send(response, PLAIN, HELLO));
app.get('/json', (_request, response) => send(response, 'application/json; charset=utf-8', JSON.stringify(JSON_VALUE)));
app.post('/echo', (request, response) => collect(request, (body) => send(response, 'application/octet-stream', body)));
app.post('/form', (request, response) =>
  collect(request, (body) => {
    const form = new URLSearchParams(body.toString());
    send(response, PLAIN, `${form.get('name')} is ${form.get('age')}`);
  }),
);
const compress = compression();
app.get('/text', (request, response) => compress(request, response, () => send(response, PLAIN, TEXT)));
app.use('/static', sirv(ROOT, { dev: false }));
for (let n = 0; n < ROUTES; n++) app.get(`/api/r${n}/:id`, ({ params }, response) => send(response, PLAIN, `${n} ${params.id}`));

announce(server);
app.listen(0, '127.0.0.1');

function send(response, type, body) {
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

function collect(request, take) {
  const pieces = [];
  request.on('data', (piece) => pieces.push(piece));
  request.on('end', () => take(Buffer.concat(pieces)));
}
