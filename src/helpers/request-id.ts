/**
 * An id for each request, for logs and error reports.
 *
 * @module
 */
import type { Request } from '../http/request.ts';
import { idFor } from '../process/requests/ids.ts';

/**
 * Returns the id of a request: a random UUID (version 4), the same on every call, also for a request made from it by `withoutPrefix`.
 *
 * The client's own X-Request-ID is never used: anybody can send one. Without `onError`, the server prints the id with an error in the request.
 *
 * @example
 * return response.withHeader('X-Request-ID', requestId(request));
 */
export function requestId(request: Request): string {
  return idFor(request.original);
}
