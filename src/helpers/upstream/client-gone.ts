/**
 * The answer that nobody reads: the client has left before there was one.
 *
 * @module
 */

import type { Request } from '../../http/request.ts';
import { HttpError } from '../../http/response.ts';

/** Answers for a client that is not there any more. */
export function clientGone(request: Request): HttpError {
  return new HttpError(499, 'The client has gone away', { code: 'client-gone', cause: request.signal.reason });
}
