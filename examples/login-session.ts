/**
 * Logging in and out. Code order is the guard: everything below the check of `user` is for logged-in visitors.
 *
 *     npm run build && npm run build:examples && SESSION_SECRET=$(openssl rand -base64 32) node .build/examples/login-session.js
 *
 * Open http://localhost:8000/: you are redirected to the form. Log in as "ada" with the password "lovelace". With curl:
 *
 *     $ curl -i http://localhost:8000/                                            303 See Other, Location: /login
 *     $ curl -i http://localhost:8000/login -d name=ada -d password=x             403 Forbidden, the form again
 *     $ curl -i http://localhost:8000/login -d name=ada -d password=lovelace      303 See Other, Set-Cookie: session=…
 *     $ curl http://localhost:8000/ -H 'Cookie: session=…'                        a page that says hello
 *
 * After five wrong passwords in a minute the next attempt is answered 429 Too Many Requests.
 */
import { scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import {
  createRateLimiter,
  createSessions,
  finish,
  type Html,
  HttpError,
  html,
  isCrossSite,
  logAccess,
  match,
  type Request,
  Response,
  readForm,
  type Session,
  secureHeaders,
  startServer,
} from 'filrouge';

interface Visitor {
  user: string;
}

/** Salt and hash of each password: only the result of scrypt is kept. */
const USERS: Readonly<Record<string, readonly [salt: string, hash: string]>> = {
  ada: ['ada fil-rouge', 'E0QTGPCJJovr2BawIfmdrsocbs0vdPeuX10FQ4fAau8'],
};
/** An unknown name is checked like the others: the time must not reveal whether it exists. */
const NOBODY = ['nobody', 'A'.repeat(43)] as const;
const hashOf = promisify<string, string, number, Buffer>(scrypt);

const sessions = createSessions<Visitor>({ secret: process.env['SESSION_SECRET'] ?? '' }); // if it is too short, an error at start says so
const attempts = createRateLimiter({ limit: 5, window: 60 }); // per client, across all workers

const { PORT: port = '8000', HOST: host = 'localhost' } = process.env;
startServer((request) => finish(request, answer, secureHeaders, logAccess), { host, port: Number(port) });

async function answer(request: Request): Promise<Response> {
  const session = sessions.open(request);
  const response = session.save(await pageFor(request, session));
  return response.withNoCache(); // the back button must not show a page after the logout
}

async function pageFor(request: Request, session: Session<Visitor>): Promise<Response> {
  // SameSite keeps the cookie out of forms on other sites; this blocks the forms themselves, the login included.
  if (request.method === 'POST' && isCrossSite(request)) throw new HttpError(403, 'This form was sent by another site');

  // For everybody.
  if (match(request, 'GET /login')) return form();
  if (match(request, 'POST /login')) {
    const { name, password } = readForm(request, { name: 'string', password: 'string' });
    const refusal = await attempts.check(request);
    if (refusal) return refusal;
    if (!(await isRight(name, password))) return form('Wrong name or password').withStatus(403);
    await attempts.reset(request); // only wrong passwords use them up
    session.regenerate();
    session.data.user = name;
    return Response.redirect('/');
  }

  const { user } = session.data;
  if (user === undefined) return Response.redirect('/login');

  // For logged-in visitors.
  if (match(request, 'GET /')) return page(html`<p>Hello, ${user}. <form method="post" action="/logout"><button>Log out</button></form>`);
  if (match(request, 'POST /logout')) {
    session.destroy();
    return Response.redirect('/login');
  }
  return page(html`<p>There is no such page`).withStatus(404);
}

async function isRight(name: string, password: string): Promise<boolean> {
  const [salt, hash] = (Object.hasOwn(USERS, name) ? USERS[name] : undefined) ?? NOBODY;
  return timingSafeEqual(await hashOf(password, salt, 32), Buffer.from(hash, 'base64url'));
}

function form(complaint = ''): Response {
  return page(html`<p role="alert">${complaint}</p>
<form method="post" action="/login">
  <p><label>Name <input name="name" autocomplete="username" required autofocus></label>
  <p><label>Password <input name="password" type="password" autocomplete="current-password" required></label>
  <p><button>Log in</button>
</form>`);
}

function page(content: Html): Response {
  return Response.html(html`<!doctype html><html lang="en"><meta charset="utf-8"><title>Members</title><h1>Members</h1>${content}`);
}
