/**
 * The size limit of request bodies.
 *
 * @module
 */
import type { Request } from '../http/request.ts';

/** A number of bytes, or a function that decides for each request, from its head. */
export type MaxBodySize = number | ((head: Request) => number);

/**
 * The limit for one request.
 *
 * @param head The request without its body; only a function needs it.
 * @throws TypeError when the function does not return a number of bytes.
 */
export function bodyLimit(maxBodySize: MaxBodySize, head: Request | undefined): number {
  const limit = typeof maxBodySize === 'function' ? maxBodySize(head as Request) : maxBodySize;
  if (limit >= 0) return limit;
  throw new TypeError(`Cannot read body: maxBodySize returned ${String(limit)}, not a number of bytes`);
}

/** The message for a client whose body is larger: 413, code `body-too-large`. */
export function tooLargeMessage(limit: number): string {
  return `Cannot read body: it is larger than the ${limit} bytes allowed`;
}
