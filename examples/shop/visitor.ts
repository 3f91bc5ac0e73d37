/** What the shop remembers of a visitor: a sealed cookie, so that every worker and thread knows it without asking. */
import { randomBytes, randomUUID } from 'node:crypto';
import { createSessions, HttpError, isCrossSite, type Request, type Session } from 'filrouge';
import type { Person } from './io/people.ts';

export interface Basket {
  /** Made with the basket, and kept with the order: so one basket cannot become two orders. */
  id: string;
  /** How many of each product, by its id. */
  lines: Record<string, number>;
}

export interface Visitor {
  /** Who has logged in. */
  person: Person;
  basket: Basket;
  /** Shown once, on the next page. */
  note: string;
}

export type VisitorSession = Session<Visitor>;

// The primary runs this line first, and its workers inherit the environment. A secret of your own outlasts this run, and so do the sessions.
const secret = (process.env['SESSION_SECRET'] ??= randomBytes(32).toString('base64url'));

export const sessions = createSessions<Visitor>({ secret });

export function basketOf(session: VisitorSession): Basket {
  return session.data.basket ?? { id: randomUUID(), lines: {} };
}

/**
 * Browsers say which site a form is on. SameSite keeps the session out of forms on other sites; this blocks the forms themselves, the login included.
 * A client that says nothing is not a browser, and acts only for itself.
 */
export function refuseForeignForm(request: Request): void {
  if (request.method === 'POST' && isCrossSite(request)) throw new HttpError(403, 'This form was sent by another site');
}
