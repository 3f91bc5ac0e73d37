/**
 * Accounts in SQLite, and a transaction around each request: a request that fails leaves no trace. DATABASE names the file.
 *
 *     npm run build && npm run build:examples && node .build/examples/database.js        (Node 22.13 or later: older ones have no node:sqlite)
 *
 *     $ curl http://localhost:8000/accounts                                              [{"name":"ada","balance":100},{"name":"grace","balance":100}]
 *     $ curl -i http://localhost:8000/accounts/alan -X PUT                               201 Created, Location: /accounts/alan
 *     $ curl -i http://localhost:8000/transfers -d from=ada -d to=alan -d amount=30      204 No Content
 *     $ curl -i http://localhost:8000/transfers -d from=ada -d to=alan -d amount=100     409 Conflict, and nobody has more or less
 *     $ curl http://localhost:8000/accounts/alan                                         {"name":"alan","balance":30}
 */
import { assertOr400, finish, HttpError, logAccess, match, type Request, Response, readForm, startServer } from 'filrouge';

/** The part of node:sqlite used here. */
interface Sqlite {
  readonly DatabaseSync: new (path: string) => Database;
}
interface Database {
  exec(sql: string): void;
  prepare(sql: string): {
    all(...values: unknown[]): unknown[];
    get(...values: unknown[]): unknown;
    run(...values: unknown[]): { readonly changes: number | bigint };
  };
}

// With `import` an older Node would stop at a stack trace. If you only need Node 22.13 or later, `import { DatabaseSync } from 'node:sqlite'`.
const sqlite = process.getBuiltinModule('node:sqlite') as Sqlite | undefined;
if (!sqlite) {
  console.error(`This example needs node:sqlite, which Node has from 22.13 on. This is Node ${process.versions.node}.`);
  process.exit(1);
}

const database = new sqlite.DatabaseSync(process.env['DATABASE'] ?? 'accounts.sqlite'); // one connection in each worker, opened once
database.exec(`PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; -- workers wait for one another; who reads need not wait
  CREATE TABLE IF NOT EXISTS accounts (name TEXT PRIMARY KEY, balance INTEGER NOT NULL) STRICT;
  INSERT OR IGNORE INTO accounts VALUES ('ada', 100), ('grace', 100)`);

const allAccounts = database.prepare('SELECT name, balance FROM accounts ORDER BY name');
const oneAccount = database.prepare('SELECT name, balance FROM accounts WHERE name = ?');
const addAccount = database.prepare('INSERT OR IGNORE INTO accounts VALUES (?, 0)');
const pay = database.prepare('UPDATE accounts SET balance = balance + ? WHERE name = ?');
const charge = database.prepare('UPDATE accounts SET balance = balance - ?1 WHERE name = ?2 AND balance >= ?1');
const { PORT: port = '8000', HOST: host = 'localhost' } = process.env;
startServer((request) => finish(request, inTransaction, logAccess), { host, port: Number(port) });

/** Commits on success; anything else, a thrown error included, rolls back everything that the handler has written. */
function inTransaction(request: Request): Response {
  database.exec(request.method === 'GET' || request.method === 'HEAD' ? 'BEGIN' : 'BEGIN IMMEDIATE'); // one writer at a time, across all workers
  let isOpen = true;
  try {
    const response = answer(request); // synchronous, so no other request of this worker can come in between
    if (response.ok) database.exec('COMMIT');
    isOpen = !response.ok;
    return response;
  } finally {
    if (isOpen) database.exec('ROLLBACK');
  }
}

function answer(request: Request): Response {
  if (match(request, 'GET /accounts')) return Response.json(allAccounts.all());
  const shown = match(request, 'GET /accounts/{name}');
  const account = shown && oneAccount.get(shown.name); // without tryOr404: a database that fails is no 404
  if (account) return Response.json(account);

  const added = match(request, 'PUT /accounts/{name}');
  if (added) {
    const isNew = Number(addAccount.run(added.name).changes) === 1;
    return isNew ? Response.empty(201).withHeader('Location', `/accounts/${encodeURIComponent(added.name)}`) : Response.empty();
  }

  if (match(request, 'POST /transfers')) {
    const { from, to, amount } = readForm(request, { from: 'string', to: 'string', amount: 'uint' });
    assertOr400(Number(pay.run(amount, to).changes) === 1, 'There is nobody of that name'); // credited before it is debited, to show a rollback
    if (Number(charge.run(amount, from).changes) === 0) throw new HttpError(409, 'There is not enough in that account');
    return Response.empty();
  }
  return Response.empty(404);
}
