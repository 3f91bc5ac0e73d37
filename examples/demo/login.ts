/**
 * The login. Two things here take time elsewhere, so this is the one part of the demo with promises: the attempts are counted in the primary, for
 * all workers together, and the password is checked on another thread, because that is slow on purpose.
 */
import { scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { createRateLimiter, type Request, Response, readForm } from 'filrouge';
import { loginPage } from './members.ts';
import { refuseForeignForm } from './same-origin.ts';
import { sessions } from './sessions.ts';
import { pageOf } from './way-out.ts';

/** Salt and hash of each password: only the result of scrypt is kept. Showing the passwords on the page is the demo's own folly. */
const USERS: Readonly<Record<string, readonly [salt: string, hash: string]>> = {
  ada: ['ada fil-rouge', 'E0QTGPCJJovr2BawIfmdrsocbs0vdPeuX10FQ4fAau8'],
  grace: ['grace fil-rouge', '3V4w2ZNbB0Aqb8n_9TrO3vHE3EtgxH3GLT4AchXCU7Q'],
};
/** An unknown name is checked like the others: the time must not reveal whether it exists. */
const NOBODY = ['nobody', 'A'.repeat(43)] as const;
const hashOf = promisify<string, string, number, Buffer>(scrypt);
const attempts = createRateLimiter({ limit: 5, window: 60 });

export async function logIn(request: Request): Promise<Response> {
  try {
    return await answer(request);
  } catch (error) {
    return pageOf(error);
  }
}

async function answer(request: Request): Promise<Response> {
  refuseForeignForm(request);
  const { name, password } = readForm(request, { name: 'string', password: 'string' });
  const refusal = await attempts.check(request);
  if (refusal) return tooOften(refusal.header('retry-after') ?? '60');
  if (!(await isRight(name, password))) return loginPage('Wrong name or password').withStatus(403);

  await attempts.reset(request); // only failures count
  const session = sessions.open(request);
  session.regenerate(); // at each change of rights
  session.data = { user: name, since: new Date().toISOString(), looks: 0 };
  return session.save(Response.redirect('/members'));
}

function tooOften(seconds: string): Response {
  return loginPage(`Too many attempts: try again in ${seconds} s`).withStatus(429).withHeader('Retry-After', seconds);
}

async function isRight(name: string, password: string): Promise<boolean> {
  const [salt, hash] = (Object.hasOwn(USERS, name) ? USERS[name] : undefined) ?? NOBODY;
  return timingSafeEqual(await hashOf(password, salt, 32), Buffer.from(hash, 'base64url'));
}
