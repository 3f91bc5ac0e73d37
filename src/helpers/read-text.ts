/**
 * The body as text.
 *
 * @module
 */

import { checkOptions } from '../http/errors/bad-option.ts';
import type { Request } from '../http/request.ts';
import { refuseContentCodings } from './reading/content-codings.ts';

const SUBJECT = 'Cannot read text';
const KNOWN: ReadonlySet<string> = new Set(['limit']);

/**
 * Reads the body as UTF-8, whatever its Content-Type.
 *
 * @param options `limit`: most bytes to accept; default: whatever `maxBodySize` let in.
 * @throws HttpError 400 (code `bad-text`) when it is not valid UTF-8, 413 (code `body-too-large`) above the limit, 415
 *   (code `unsupported-media-type`) when the body is compressed. TypeError or RangeError (code `bad-option`) for a wrong option.
 * @example
 * const fields = new URLSearchParams(readText(request, { limit: 10_000 }));
 */
export function readText(request: Request, options: { limit?: number | undefined } = {}): string {
  checkOptions(SUBJECT, options, KNOWN);
  refuseContentCodings(request, SUBJECT);
  return request.body.text(options.limit);
}
