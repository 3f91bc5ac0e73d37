/**
 * The cookies of a request (RFC 6265).
 *
 * @module
 */
import { parseCookie } from '../http/fields/cookie.ts';
import type { Request } from '../http/request.ts';

/**
 * Reads the cookies.
 *
 * Cookie values come from the client: anybody can send any value. Use sessions for what must be trusted.
 *
 * @param request The request to look at.
 * @returns The values by name, in an object without a prototype. Of several with one name the first wins; quotes are removed, escapes
 *   decoded.
 * @example
 * const theme = cookies(request)['theme'] ?? 'light';
 */
export function cookies(request: Request): Readonly<Record<string, string | undefined>> {
  const lines = request.headerAll('cookie');
  return parseCookie(lines.length > 1 ? lines.join('; ') : lines[0]); // RFC 9113 §8.2.3: HTTP/2 clients may send one line for each
}
