/**
 * PHP behind a server of ours: `php-cgi` answers, one process per request. A form with a file, a cookie, a redirect.
 *
 *     apt-get install php-cgi
 *     npm run build && npm run build:examples && node .build/examples/php.js
 *
 *     $ curl http://localhost:8000/                                   a page: Hello, stranger, and a form
 *     $ curl -i http://localhost:8000/ -F name=Ada -F picture=@cat.jpg
 *         303 See Other, Location: /thanks?picture=cat.jpg&size=…, Set-Cookie: name=Ada
 *     $ curl -b name=Ada http://localhost:8000/thanks                 a page: Hello, Ada
 *     $ curl -i http://localhost:8000/warning                         a page; the warning is printed here, behind "[cgi php-cgi …]"
 *     $ curl http://localhost:8000/health                             ok: that one is ours
 */
import { resolve } from 'node:path';
import { match, type Request, Response, startServer } from 'filrouge';
import { cgi } from 'filrouge/cgi';

/** One script for all paths. Never build this from the request's path: anyone who uploads a file could then run it. */
const SCRIPT = resolve('examples/php/guestbook.php');

const { PORT: port = '8000', HOST: host = 'localhost' } = process.env;
startServer(answer, { host, port: Number(port) });

function answer(request: Request): Response | Promise<Response> {
  if (match(request, 'GET /health')) return Response.text('ok\n');

  // php-cgi needs to know its script, and takes REDIRECT_STATUS as the sign that a server has called it. The program sees these variables, those of
  // CGI (RFC 3875), and PATH; nothing else of our environment.
  return cgi(request, 'php-cgi', {
    env: { SCRIPT_FILENAME: SCRIPT, REDIRECT_STATUS: '200' },
    timeout: 10_000, // without a sign of life: 504, and the process is ended
  });
}
