/**
 * The Content-Encoding field of a request (RFC 9110 §8.4).
 *
 * Bodies are not decoded here: a few KiB can hold gigabytes. So a coded body is refused as such, instead of as
 * malformed text.
 *
 * @module
 */

import { trimWhitespace } from '../../http/grammar.ts';
import type { Request } from '../../http/request.ts';
import { HttpError } from '../../http/response.ts';

/**
 * Refuses a body in a content coding.
 *
 * @param what The action that fails, as in `Cannot read JSON`.
 * @throws HttpError 415 (code `unsupported-media-type`) that says `Accept-Encoding: identity` (RFC 9110 §12.5.3, §15.5.16).
 */
export function refuseContentCodings(request: Request, what: string): void {
  if (request.headerParsed('content-encoding', isIdentity)) return;
  throw new HttpError(415, `${what}: Content-Encoding says that the body is encoded; send it as it is`, {
    code: 'unsupported-media-type',
    headers: { 'Accept-Encoding': 'identity' },
  });
}

function isIdentity(value = ''): boolean {
  return value.split(',').every((member) => /^(?:identity)?$/i.test(trimWhitespace(member)));
}
