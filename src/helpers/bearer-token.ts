/**
 * Bearer tokens in the Authorization field (RFC 6750 §2.1).
 *
 * @module
 */
import { parseAuthorization } from '../http/fields/authorization.ts';
import type { Request } from '../http/request.ts';

/**
 * Reads the bearer token in the Authorization field.
 *
 * Tokens in the query or in a form are not looked for: they end up in logs (RFC 6750 §5.3).
 *
 * @param request The request to look at.
 * @returns The token, not yet checked; `undefined` when there is none, or it is malformed or sent twice.
 * @example
 * const token = bearerToken(request);
 * if (!token || !isKnown(token)) return Response.empty(401).withHeader('WWW-Authenticate', 'Bearer');
 */
export function bearerToken(request: Request): string | undefined {
  const lines = request.headerAll('authorization');
  if (lines.length !== 1) return undefined; // of two, the proxy in front might read one and we the other
  const field = parseAuthorization(lines[0]);
  return field?.scheme === 'bearer' ? field.token : undefined; // b64token and token68 are the same grammar
}
