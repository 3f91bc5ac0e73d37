/**
 * Vary (RFC 9110 §12.5.5), as every helper that looks at the client's wishes adds it.
 *
 * @module
 */
import { serializeVary } from '../../http/fields/vary.ts';
import type { Response } from '../../http/response.ts';

/** Tells caches that the response depends on a request field. All lines of Vary become one. */
export function withVary(response: Response, name: string): Response {
  return response.withHeader('Vary', serializeVary(response.headerAll('vary').join(', '), name));
}
