/**
 * Basic authentication (RFC 7617).
 *
 * @module
 */
import { isUtf8 } from 'node:buffer';
import { parseAuthorization } from '../http/fields/authorization.ts';
import type { Request } from '../http/request.ts';

/** A name and a password as the client sent them, not yet checked. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/**
 * Reads the user and the password in the Authorization field.
 *
 * Checking them, in constant time, is up to the caller.
 *
 * @param request The request to look at.
 * @returns The credentials; `undefined` when there are none, or they are malformed, not UTF-8, or sent twice.
 * @example
 * const who = basicAuth(request);
 * if (!who || !isStaff(who)) return Response.empty(401).withHeader('WWW-Authenticate', 'Basic realm="staff", charset="UTF-8"');
 */
export function basicAuth(request: Request): Credentials | undefined {
  const lines = request.headerAll('authorization');
  if (lines.length !== 1) return undefined; // of two, the proxy in front might read one and we the other
  const field = parseAuthorization(lines[0]);
  if (field?.scheme !== 'basic' || field.token === undefined) return undefined;
  const bytes = Buffer.from(field.token, 'base64');
  if (bytes.toString('base64') !== field.token || !isUtf8(bytes)) return undefined; // Buffer.from is lenient; RFC 4648 §4 is not
  const pair = bytes.toString('utf8');
  const colon = pair.indexOf(':'); // RFC 7617 §2: a password may hold colons, a user name may not
  if (colon === -1 || /[\x00-\x1f\x7f]/.test(pair)) return undefined; // RFC 7617 §2: no control characters in either
  return { user: pair.slice(0, colon), password: pair.slice(colon + 1) };
}
