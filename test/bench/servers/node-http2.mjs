// node:http2, with nothing on top: its stream API, or with BENCH_COMPAT=1 the one that looks like node:http.
import { createSecureServer, createServer } from 'node:http2';
import { announce, HELLO, heapUsed, LARGE, TLS } from './common.mjs';

const isCompatible = process.env['BENCH_COMPAT'] === '1';
const server = TLS ? createSecureServer(TLS) : createServer();
if (isCompatible) server.on('request', handleRequest);
else server.on('stream', handleStream);
announce(server);
server.listen(0, '127.0.0.1');

function handleStream(stream, headers) {
  const path = headers[':path'];
  if (path === '/') return respond(stream, 'text/plain; charset=utf-8', HELLO);
  if (path === '/echo') return collect(stream, (body) => respond(stream, 'application/octet-stream', body));
  if (path === '/large') return respond(stream, 'application/octet-stream', LARGE);
  if (path === '/heap') return respond(stream, 'text/plain; charset=utf-8', heapUsed());
  stream.respond({ ':status': 404 }, { endStream: true });
}

function respond(stream, type, body) {
  if (stream.destroyed) return; // the client has left, and respond would throw
  stream.respond({ ':status': 200, 'content-type': type, 'content-length': Buffer.byteLength(body) });
  stream.end(body);
}

function handleRequest(request, response) {
  const { url } = request;
  if (url === '/') return send(response, 'text/plain; charset=utf-8', HELLO);
  if (url === '/echo') return collect(request, (body) => send(response, 'application/octet-stream', body));
  if (url === '/large') return send(response, 'application/octet-stream', LARGE);
  if (url === '/heap') return send(response, 'text/plain; charset=utf-8', heapUsed());
  response.writeHead(404).end();
}

function send(response, type, body) {
  response.writeHead(200, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body);
}

function collect(readable, take) {
  const pieces = [];
  readable.on('data', (piece) => pieces.push(piece));
  readable.on('end', () => take(Buffer.concat(pieces)));
}
