/**
 * The options of `createSessions`.
 *
 * @module
 */
import type { CookieOptions } from '../../http/fields/set-cookie.ts';

/** Options of `createSessions`. */
export interface SessionOptions {
  /**
   * What seals or signs the cookies: at least 32 bytes that nobody can guess, the same for all workers and machines.
   * Of several, the first makes new cookies and all are accepted: put a new one in front, and drop the old one when `ttl` has passed.
   */
  secret: string | readonly string[];
  /** Name of the cookie. Default `__Host-session` under TLS, otherwise `session`. */
  name?: string | undefined;
  /** Seconds without a request after which a session ends. Default 86,400, a day. */
  ttl?: number | undefined;
  /** Seconds after which a session ends however much it is used, counted from its beginning or the last `regenerate`. Default 2,592,000, 30 days, or `ttl` if that is more. */
  lifetime?: number | undefined;
  /** Attributes of the cookie, except `maxAge` and `expires`, which follow from `ttl`. Default HttpOnly, SameSite=Lax, Path=/, and Secure under TLS. */
  cookie?: CookieOptions | undefined;
}
