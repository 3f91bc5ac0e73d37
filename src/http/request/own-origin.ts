/**
 * The origin of the site that a request asks for (RFC 6454).
 *
 * @module
 */
import type { Request } from '../request.ts';

/**
 * The origin under which the client reached us: scheme, host in lower case, port unless it is the scheme's own.
 *
 * @returns `undefined` when the request names no host, or one that no URL could have.
 */
export function ownOrigin(request: Request): string | undefined {
  const url = `${request.secure ? 'https' : 'http'}://${request.host ?? ''}`;
  return URL.canParse(url) ? new URL(url).origin : undefined;
}
