/**
 * A name for each request, for logs and for the person who reports that something went wrong.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import type { Request } from '../http/request.ts';

const ids = new WeakMap<Request, string>();

/**
 * Names a request: a random UUID (version 4), the same each time it is asked for, also by a request cut from it with `withoutPrefix`.
 *
 * The client's own X-Request-ID is never taken: anybody can send one.
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
