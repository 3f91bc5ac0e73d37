// node:http, with nothing on top; websockets by ws where they are measured.
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { join } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { announce, HELLO, JSON_VALUE, makeStream, ROOT, ROUTES, TEXT, TLS } from './common.mjs';

const routes = new Map(Array.from({ length: ROUTES }, (_, n) => [`r${n}`, (id) => `${n} ${id}`]));

const server = TLS ? createTlsServer(TLS, handle) : createServer(handle);
announce(server);
server.listen(0, '127.0.0.1');
if (process.env['BENCH_SOCKETS'] === '1') await echoSockets();

function handle(request, response) {
  const { url } = request;
  if (url === '/') return send(response, 'text/plain; charset=utf-8', HELLO);
  if (url === '/json') return send(response, 'application/json; charset=utf-8', JSON.stringify(JSON_VALUE));
  if (url === '/echo') return collect(request, (body) => send(response, 'application/octet-stream', body));
  if (url === '/form') return collect(request, (body) => send(response, 'text/plain; charset=utf-8', greet(body)));
  if (url === '/text') return sendText(request, response);
  if (url === '/static/page.html') return sendFile(response, join(ROOT, 'page.html'));
  if (url.startsWith('/static/file')) return sendFile(response, join(ROOT, url.slice('/static/'.length)), request.headers.range);
  if (url === '/stream') return sendStream(response);
  const [, api, name, id] = url.split('/');
  const route = api === 'api' && routes.get(name);
  if (route) return send(response, 'text/plain; charset=utf-8', route(id));
  return response.writeHead(404).end();
}

function send(response, type, body) {
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }).end(body);
}

function collect(request, take) {
  const pieces = [];
  request.on('data', (piece) => pieces.push(piece));
  request.on('end', () => take(Buffer.concat(pieces)));
}

function greet(body) {
  const form = new URLSearchParams(body.toString());
  return `${form.get('name')} is ${form.get('age')}`;
}

function sendStream(response) {
  response.writeHead(200, { 'Content-Type': 'application/octet-stream' });
  return pipeline(Readable.from(makeStream()), response, () => {});
}

async function echoSockets() {
  const { WebSocketServer } = await import('ws');
  const sockets = new WebSocketServer({ server, path: '/echo-socket' });
  sockets.on('connection', (socket) => socket.on('message', (message, binary) => socket.send(message, { binary })));
}

function sendText(request, response) {
  if (!/\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) return send(response, 'text/plain; charset=utf-8', TEXT);
  response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' });
  const gzip = createGzip();
  gzip.pipe(response);
  return gzip.end(TEXT);
}

function sendFile(response, path, range) {
  const { size, mtime } = statSync(path);
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
  if (first) {
    const [start, end] = [Number(first), Number(last)];
    response.writeHead(206, { 'Content-Length': end - start + 1, 'Content-Range': `bytes ${start}-${end}/${size}` });
    return createReadStream(path, { start, end }).pipe(response);
  }
  response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Length': size, 'Last-Modified': mtime.toUTCString() });
  return createReadStream(path).pipe(response);
}
