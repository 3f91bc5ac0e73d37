/**
 * A server in front of another one: a page of its own, everything else from the other one, websockets too.
 *
 *     UPSTREAM=http://localhost:9000 node .build/examples/reverse-proxy.js      (npm run build && npm run build:examples)
 *
 * Without UPSTREAM it starts a small one itself that echoes each request. Then:
 *
 *     $ curl -i http://localhost:8000/health                    200 ok: that one is ours
 *     $ curl -i http://localhost:8000/api/users?page=2          200 GET /users?page=2, for the client 127.0.0.1
 *     $ curl -i http://localhost:8000/api/users -d name=Ada     200 POST /users, and: name=Ada
 *     $ curl -i http://localhost:8000/admin                     403: guards come before the proxy, and see the path that it sends
 *     $ curl -i http://localhost:8000/down/                     502: nobody listens there; the log says why
 */
import { match, type Request, Response, startServer } from 'filrouge';
import { proxy } from 'filrouge/proxy';

const { PORT: port = '8000', HOST: host = 'localhost' } = process.env;
const { UPSTREAM: upstream = `http://localhost:${Number(port) + 1}` } = process.env;

if (process.env['UPSTREAM'] === undefined) startServer(small, { port: Number(port) + 1, workers: 0 });
startServer(answer, { host, port: Number(port), workers: 0 });

function answer(request: Request): Response | Promise<Response> {
  if (match(request, 'GET /health')) return Response.text('ok\n');
  if (match(request, 'ANY /admin/{...rest}') || match(request, 'ANY /admin')) return Response.text('not from here\n').withStatus(403);

  const api = request.withoutPrefix('/api'); // /api/users here is /users there
  if (api) return proxy(api, upstream, { headersTimeout: 10_000 });

  if (match(request, 'ANY /down/{...rest}') || match(request, 'ANY /down/')) return proxy(request, 'http://localhost:1');
  return proxy(request, upstream);
}

/** A small server to proxy to. */
function small(request: Request): Response {
  const { method, path, rawQuery } = request;
  const client = request.header('x-forwarded-for') ?? 'somebody'; // with trustProxy it would be request.remoteAddress
  return Response.text(`${method} ${path}${rawQuery && `?${rawQuery}`} for ${client}\n${request.body.text()}\n`);
}
