/**
 * An id for each request, for logs and error reports.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import type { Request } from '../http/request.ts';

const ids = new WeakMap<Request, string>();

/**
 * Returns the id of a request: a random UUID (version 4), the same on every call, also for a request made from it by `withoutPrefix`.
 *
 * The client's own X-Request-ID is never used: anybody can send one.
 *
 * @example
 * return response.withHeader('X-Request-ID', requestId(request));
 */
export function requestId(request: Request): string {
  const { original } = request;
  const known = ids.get(original);
  if (known !== undefined) return known;
  const id = randomUUID();
  ids.set(original, id);
  return id;
}
