/**
 * Sessions: what the server remembers of one browser from request to request.
 *
 * Without a store the data itself travels, sealed in a cookie; with one the cookie holds a signed name, and the data stays here.
 * Either way only cookies made by this server, or one with the same secret, are trusted.
 *
 * @module
 */
import type { SessionStore } from '../process/stores.ts';
import type { SessionOptions } from './session/options.ts';
import { sessionRules } from './session/rules.ts';
import { openSealed, type Sessions } from './session/sealed-session.ts';
import { openStored, type StoredSessions } from './session/stored-session.ts';

export type { SessionStore } from '../process/stores.ts';
export { createMemorySessionStore } from './session/memory-store.ts';
export type { SessionOptions } from './session/options.ts';
export type { Session, Sessions } from './session/sealed-session.ts';
export type { StoredSession, StoredSessions } from './session/stored-session.ts';

/**
 * Creates sessions, once, outside the handler.
 *
 * Without a store the data lives in an encrypted cookie (AES-256-GCM): no state in the server, every worker and machine agrees, all of it
 * synchronous. With a store the cookie holds a signed name of 192 random bits; opening and saving are promises.
 *
 * @throws TypeError or RangeError (code `bad-option`) for a secret that is too short, a ttl that is not a whole number of seconds, attributes that
 *   browsers refuse.
 * @example
 * const sessions = createSessions<{ user: string }>({ secret: process.env['SESSION_SECRET'] ?? '' });
 * const session = sessions.open(request);
 * session.data.user = 'ada';
 * return session.save(Response.redirect('/'));
 */
export function createSessions<T extends object>(options: SessionOptions & { store: SessionStore }): StoredSessions<T>;
export function createSessions<T extends object>(options: SessionOptions & { store?: undefined }): Sessions<T>;
export function createSessions<T extends object>(
  options: SessionOptions & { store?: SessionStore | undefined },
): Sessions<T> | StoredSessions<T> {
  const rules = sessionRules(options);
  const { store } = options;
  if (store === undefined) return { open: openSealed<T>(rules) };
  return { open: openStored<T>(rules, store) };
}
