/**
 * The answer when the client left before there was one. Nobody reads it, but logs show its status.
 *
 * @module
 */

import type { Request } from '../../http/request.ts';
import { HttpError } from '../../http/response.ts';

/** The error, with status 499, for a client that is gone. */
export function clientGone(request: Request): HttpError {
  return new HttpError(499, 'The client has gone away', { code: 'client-gone', cause: request.signal.reason });
}
