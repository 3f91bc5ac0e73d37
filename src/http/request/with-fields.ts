/**
 * A request as another server or program is to see it.
 *
 * @module
 */
import type { Request } from '../request.ts';

/**
 * Adds fields, each in place of those of its name.
 *
 * @throws TypeError (code `bad-header`), as `request.withHeader`.
 */
export function withFields(request: Request, fields: readonly (readonly [name: string, value: string])[]): Request {
  return fields.reduce((changed, [name, value]) => changed.withHeader(name, value), request);
}
