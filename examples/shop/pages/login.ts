/** Joining, logging in and out. */
import { match, type Request, Response, readForm } from 'filrouge';
import { isTaken, shop } from '../database.ts';
import type { Person } from '../io/people.ts';
import { hashPassword, isPassword } from '../passwords.ts';
import { page } from '../view.ts';
import type { VisitorSession } from '../visitor.ts';

const FORM = { email: 'string', password: 'string' } as const;
/** What can stand in a letter's head as it is; whether it is somebody's, only a letter tells. */
const ADDRESS = /^[\w.+-]{1,64}@[a-z\d-]+(?:\.[a-z\d-]+)+$/;
const LIMIT = 5;

export function loginPages(request: Request, session: VisitorSession): Response | undefined {
  if (match(request, 'GET /join')) return page(session, 'join', {});
  if (match(request, 'POST /join')) return join(request, session);
  if (match(request, 'GET /login')) return page(session, 'login', {});
  if (match(request, 'POST /login')) return logIn(request, session);
  if (match(request, 'POST /logout')) {
    session.destroy();
    return Response.redirect('/');
  }
  return undefined;
}

function join(request: Request, session: VisitorSession): Response {
  const form = readForm(request, FORM);
  const email = form.email.trim().toLowerCase();
  const again = (status: number, problem: string): Response => page(session, 'join', { email, problem }).withStatus(status);
  if (email.length > 254 || !ADDRESS.test(email)) return again(400, 'This is not an address we could write to.');
  if (form.password.length < 10 || form.password.length > 200) return again(400, 'A password has from 10 to 200 characters.');
  try {
    return enter(session, shop.addPerson(email, hashPassword(form.password)));
  } catch (error) {
    if (isTaken(error)) return again(409, 'There is an account with this address. Log in, or take another.');
    throw error;
  }
}

function logIn(request: Request, session: VisitorSession): Response {
  const { email, password } = readForm(request, FORM);
  const client = request.remoteAddress ?? '';
  const again = (status: number, problem: string): Response => page(session, 'login', { email, problem }).withStatus(status);
  if (shop.countAttempt(client) > LIMIT) return again(429, 'Too many attempts. Try again in a minute.').withHeader('Retry-After', '60');
  const person = shop.findPerson(email.trim().toLowerCase());
  if (!isPassword(password, person?.password) || !person) return again(403, 'Wrong address or password.');
  shop.forgetAttempts(client); // only failures count
  return enter(session, person);
}

function enter(session: VisitorSession, { id, email }: Person): Response {
  session.regenerate(); // at each change of rights; the basket stays
  session.data.person = { id, email };
  session.data.note = `Welcome, ${email}.`;
  return Response.redirect(session.data.basket ? '/basket' : '/'); // after a form, to a page: a reload must not send the form again
}
