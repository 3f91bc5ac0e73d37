/**
 * Requests that pages of other sites make browsers send (CSRF), by Sec-Fetch-Site (Fetch Metadata §2.3) and Origin (RFC 6454 §7).
 *
 * @module
 */

import { ownOrigin } from '../http/request/own-origin.ts';
import type { Request } from '../http/request.ts';

/** A page of ours, or no page: an address that was typed, a bookmark. */
const OWN: ReadonlySet<string> = new Set(['same-origin', 'none']);

/**
 * Tells whether a page of another origin made the browser send the request, in the name of its user.
 *
 * Sibling domains are other origins too: `same-site` is not enough. A client that sends neither field is not a browser of today, and acts only for
 * itself.
 *
 * @param request The request to look at. Behind a proxy, `trustProxy` has to name it: the origin is compared with what `secure` and `host` say.
 * @returns False for requests of our own pages, of no page, and of clients other than browsers. A link on another site leads to true as well: ask
 *   only where something is changed.
 * @example
 * if (request.method === 'POST' && isCrossSite(request)) throw new HttpError(403, 'This form was sent by another site');
 */
export function isCrossSite(request: Request): boolean {
  const sites = request.headerAll('sec-fetch-site');
  if (sites.length > 0) return !sites.every((site) => OWN.has(site));
  const origins = request.headerAll('origin');
  if (origins.length === 0) return false;
  const own = ownOrigin(request);
  return !origins.every((origin) => origin === own); // "null", of a sandboxed frame, is nobody's
}
