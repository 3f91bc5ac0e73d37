/**
 * A shop, laid out as a whole program would be: login, basket, orders in PostgreSQL, and a job that sends mail. Only io/ waits.
 *
 *     npm run build && npm run build:examples && PGHOST=localhost PGUSER=postgres node .build/examples/shop/server.js
 *
 * Open http://localhost:8000/, put something into the basket, join and order: the letter is in the folder mail/. The thimble is the last one.
 *
 *     server.ts      starts it, and has what every response gets on its way out
 *     routes.ts      which page answers
 *     pages/         a file for each subject: reads the request, calls the database, returns a response
 *     views/         templates, filled by view.ts; public/ has what they load
 *     visitor.ts     what the session remembers; passwords.ts
 *     database.ts    the functions of io/ as plain calls
 *     io/            ordinary promises: pool, tables, queries, mail
 */
import { fileURLToPath } from 'node:url';
import { compress, finish, logAccess, match, type Request, Response, secureHeaders, serveDir, startServer } from 'filrouge';
import { lastResort, withProblemPage } from './pages/problem.ts';
import { route } from './routes.ts';
import { sessions } from './visitor.ts';

const PUBLIC = fileURLToPath(new URL('public', import.meta.url)); // wherever the program is started from
/** Pages load styles and pictures from here, and nothing from elsewhere; there are no scripts. */
const CSP = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const { PORT: port = '8000', HOST: host = 'localhost' } = process.env;

startServer((request) => finish(request, answer, safe, compress, logAccess), {
  host,
  port: Number(port),
  workers: Number(process.env['WORKERS'] ?? 1), // each has an I/O thread, and so a pool of its own
  threads: Number(process.env['THREADS'] ?? 16), // requests that can wait for the database at the same time
  maxBodySize: 64 * 1024,
  onError,
});

function answer(request: Request): Response {
  if (match(request, 'GET /health')) return Response.text('ok\n');
  const file = request.withoutPrefix('/public');
  if (file) return serveDir(file, PUBLIC) ?? Response.empty(404);

  const session = sessions.open(request);
  const response = withProblemPage(session, () => route(request, session));
  return session.save(response).withNoCache(); // the back button must not show a page after the logout
}

function safe(request: Request, response: Response): Response {
  return secureHeaders(request, response, { csp: CSP, frameOptions: 'DENY' });
}

/** Sees every error that became a 500. */
function onError(error: unknown, request: Request): Response {
  console.error('%s %s:', request.method, request.target, error);
  return lastResort().withStatus(500);
}
