/**
 * Sessions: what the server remembers of one browser from request to request.
 *
 * Without a store the data itself travels, sealed in a cookie; with one the cookie holds a signed name, and the data stays here.
 * Either way nothing is taken from a cookie that this server, or one with the same secret, has not made.
 *
 * @module
 */

import type { CookieOptions } from '../http/fields/set-cookie.ts';
import type { Request } from '../http/request.ts';
import type { Response } from '../http/response.ts';
import type { SessionStore } from '../process/stores.ts';
import { sessionRules } from './session/rules.ts';
import { openSealed } from './session/sealed-session.ts';
import { openStored } from './session/stored-session.ts';

export type { SessionStore } from '../process/stores.ts';
export { createMemorySessionStore } from './session/memory-store.ts';

/** How sessions are kept. */
export interface SessionOptions {
  /**
   * What seals or signs the cookies: at least 32 bytes that nobody can guess, the same for all workers and machines.
   * Of several the first makes and all are accepted: put a new one in front, and drop the old one when `ttl` has passed.
   */
  secret: string | readonly string[];
  /** Name of the cookie. Default `__Host-session` under TLS, `session` else. */
  name?: string;
  /** Seconds without a request after which a session ends. Default 86,400, a day. */
  ttl?: number;
  /** Seconds after which a session ends however much it is used, counted from its begin or the last `regenerate`. Default 2,592,000, 30 days, or `ttl` if that is more. */
  lifetime?: number;
  /** Attributes of the cookie, but `maxAge` and `expires`, which follow from `ttl`. Default HttpOnly, SameSite=Lax, Path=/, and Secure under TLS. */
  cookie?: CookieOptions;
}

interface SessionBase<T> {
  /** What is remembered: change it as you like. It must have a JSON form. */
  data: Partial<T>;
  /** Whether the client brought no session that is valid. */
  readonly isNew: boolean;
  /** Gives the session a new name and a full life, with the same data: for the login, and whenever somebody may do more than before. */
  regenerate(): void;
  /** Ends the session, with its data. What is put into `data` afterwards begins another one. */
  destroy(): void;
}

/** A session in a sealed cookie. */
export interface Session<T> extends SessionBase<T> {
  /**
   * Adds the cookie to the response where one is due: the data has changed, `regenerate` or `destroy` was called, or a tenth of `ttl` has
   * passed since the last one.
   *
   * With a cookie comes `Cache-Control: no-store`, unless the response says `private` or `no-store` itself; where `data` or `isNew` was looked
   * at, `Vary: Cookie`.
   *
   * @returns A new response; the one that was given stays as it is.
   * @throws Error (code `session-too-large`) when the cookie would have more than 4096 bytes, TypeError (`not-serializable`) for data without a
   *   JSON form.
   */
  save(response: Response): Response;
}

/** A session in a store. */
export interface StoredSession<T> extends SessionBase<T> {
  /** As that of a sealed session. The data is in the store when the promise resolves, so that the next request finds it. Rejects with what the store does. */
  save(response: Response): Promise<Response>;
}

/** Opens the sessions that lie in sealed cookies. */
export interface Sessions<T> {
  /** The client's session, or a new one. */
  open(request: Request): Session<T>;
}

/** Opens the sessions that lie in a store. */
export interface StoredSessions<T> {
  /** The client's session, or a new one. Rejects with what the store does. */
  open(request: Request): Promise<StoredSession<T>>;
}

/**
 * Makes sessions, once, outside the handler.
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
export function createSessions<T extends object>(options: SessionOptions): Sessions<T>;
export function createSessions<T extends object>(options: SessionOptions & { store?: SessionStore }): Sessions<T> | StoredSessions<T> {
  const rules = sessionRules(options);
  const { store } = options;
  if (store === undefined) return { open: openSealed<T>(rules) };
  return { open: openStored<T>(rules, store) };
}
