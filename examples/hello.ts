/**
 * The smallest complete server: routes read from top to bottom, a typed parameter, and a handler that throws without stopping the server.
 *
 *     npm run build && npm run build:examples && node .build/examples/hello.js
 *
 *     $ curl -i http://localhost:8000/              303 See Other, Location: /hello/world
 *     $ curl http://localhost:8000/hello/world      hello, world
 *     $ curl http://localhost:8000/squares/12       144
 *     $ curl -i http://localhost:8000/squares/x     404 Not Found
 *     $ curl -i http://localhost:8000/panic         500 Internal Server Error; a browser on this machine shows the line
 *     $ curl http://localhost:8000/hello/again      hello, again
 */
import { match, type Request, Response, startServer } from 'filrouge';

// One process for each core, all running this file. "localhost" is reached from this machine only; "0.0.0.0" is reached from others.
const { PORT: port = '8000', HOST: host = 'localhost' } = process.env;
startServer(answer, { host, port: Number(port) });

/** One request in, one response out. A body would already have been read: nothing here has to wait. */
function answer(request: Request): Response {
  // An `if` for each route, tried in this order. `match` returns the parameters of the pattern, or undefined.
  if (match(request, 'GET /')) return Response.redirect('/hello/world');

  const hello = match(request, 'GET /hello/{name}');
  if (hello) return Response.text(`hello, ${hello.name}\n`);

  // `uint` matches only digits and yields a number: anything else does not match this route.
  const square = match(request, 'GET /squares/{n:uint}');
  if (square) return Response.text(`${square.n * square.n}\n`);

  // Others see a bare 500, a browser on this machine the error and this line. It is printed here, and everybody else's request goes on.
  if (match(request, 'GET /panic')) throw new Error('This handler throws on purpose');

  return Response.text('There is nothing here.\n').withStatus(404);
}
