/**
 * People and their accounts in PostgreSQL, by plain calls: list, insert in a transaction, 409 for a name that is taken, 503 while the database is away.
 *
 *     npm run build && npm run build:examples && PGHOST=localhost PGUSER=postgres node .build/examples/postgres.js
 *
 *     $ curl http://localhost:8000/people                       []
 *     $ curl -i http://localhost:8000/people -d name=ada        201 Created, Location: /people/1
 *     $ curl -i http://localhost:8000/people -d name=ada        409 Conflict, and nothing was written
 *     $ curl http://localhost:8000/people/1                     {"id":1,"name":"ada","balance":100}
 *
 * The pool is in postgres/people.ts, which is loaded once in each worker process; all its threads share the connections.
 */
import { HttpError, logAccess, match, type Request, Response, readForm, startServer } from 'filrouge';
import { createBlocking } from 'filrouge/blocking';
import type * as People from './postgres/people.ts';

/** pg has no code for a connection that breaks, for the next query on it, and for one that its pool does not get in time. */
const CUT_OFF = /^Error: (?:Connection terminated|Client .* is not queryable$|timeout exceeded when trying to connect$)/;
const people = createBlocking<typeof People>(new URL('./postgres/people.js', import.meta.url), { timeout: 5000 });

const { PORT: port = '8000', HOST: host = 'localhost' } = process.env;
startServer(
  (request) =>
    logAccess(
      request,
      whenUp(() => answer(request)),
    ),
  { host, port: Number(port), workers: 1, threads: 16 },
);

function answer(request: Request): Response {
  if (match(request, 'GET /people')) return Response.json(people.list());
  const one = match(request, 'GET /people/{id:uint}');
  const found = one && people.find(one.id); // without tryOr404: a database that is away is no 404
  if (found) return Response.json(found);

  if (match(request, 'POST /people')) {
    const { name } = readForm(request, { name: 'string' });
    const transaction = people.begin(); // rolled back when this handler returns, unless it is committed
    const id = insert(transaction, name);
    transaction.openAccount(id, 100);
    transaction.commit();
    return Response.empty(201).withHeader('Location', `/people/${id}`);
  }

  const slow = match(request, 'GET /slow/{ms:uint}');
  if (slow) return Response.json(people.sleep(slow.ms));
  if (match(request, 'GET /health')) return Response.text('ok\n');
  return Response.empty(404);
}

function insert(transaction: ReturnType<typeof people.begin>, name: string): number {
  try {
    return transaction.insert(name);
  } catch (error) {
    if (codeOf(error) === '23505') throw new HttpError(409, `There is a ${name} already`, { code: 'name-taken' }); // unique_violation
    throw error;
  }
}

/** Answers 503 while the database cannot be reached: classes 08 and 57P are connections that are lost, or refused by a server that starts or stops. */
function whenUp(call: () => Response): Response {
  try {
    return call();
  } catch (error) {
    const isDown = /^(?:ECONN|EPIPE|ENOENT|08|57P|blocking-timeout$)/.test(codeOf(error)) || CUT_OFF.test(String(error));
    if (!isDown) throw error;
    return new HttpError(503, 'The database is not available', { code: 'database-down', headers: { 'Retry-After': '1' } }).response;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
