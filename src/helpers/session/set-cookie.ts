/**
 * The fields that a session adds to a response.
 *
 * @module
 */

import { withCode } from '../../http/errors/error-codes.ts';
import { serializeSetCookie } from '../../http/fields/set-cookie.ts';
import type { Response } from '../../http/response.ts';
import { lineOf, type SessionCookie } from './rules.ts';

/** What every browser takes (RFC 6265 §6.1): name, value and attributes together. */
const MAX_COOKIE = 4096;

/**
 * Sets the cookie.
 *
 * @param value Sealed or signed: of characters that stand for themselves in a cookie.
 * @param maxAge Whole seconds.
 * @throws Error (code `session-too-large`) for a cookie that browsers would silently drop.
 */
export function withSessionCookie(response: Response, { name, attributes }: SessionCookie, value: string, maxAge: number): Response {
  const line = lineOf(name, value, maxAge) + attributes;
  if (line.length > MAX_COOKIE) throw tooLarge(line.length);
  return uncached(response.withAddedHeader('Set-Cookie', line));
}

/** Takes the cookie away. */
export function withoutSessionCookie(response: Response, { name, options }: SessionCookie): Response {
  const line = serializeSetCookie(name, '', { ...options, maxAge: 0, expires: new Date(0) });
  return uncached(response.withAddedHeader('Set-Cookie', line));
}

function tooLarge(size: number): Error {
  const hint = 'keep less in it (the key of a record instead of the record), or give createSessions a store';
  return withCode(
    new Error(`Cannot save session: its cookie has ${size} bytes, browsers take ${MAX_COOKIE}; ${hint}`),
    'session-too-large',
  );
}

/** A cookie is for one client: no shared cache may keep it (RFC 9111 §7.3), whatever a `public` of the handler's says. */
function uncached(response: Response): Response {
  if (response.header('cache-control') === undefined) return response.withNoCache();
  const lines = response.headerAll('cache-control').flatMap((line) => line.split(','));
  const directives = new Set(lines.map((directive) => directive.trim().toLowerCase()));
  const isPrivate = directives.has('no-store') || (directives.has('private') && !directives.has('public'));
  return isPrivate ? response : response.withNoCache();
}
