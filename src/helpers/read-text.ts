/**
 * The body as text.
 *
 * @module
 */

import type { Request } from '../http/request.ts';
import { refuseContentCodings } from './reading/content-codings.ts';

/**
 * Reads the body as UTF-8, whatever its Content-Type.
 *
 * @param options `limit`: most bytes to accept; default: whatever `maxBodySize` let in.
 * @throws HttpError 400 (code `bad-text`) when it is not valid UTF-8, 413 (code `body-too-large`) above the limit, 415
 *   (code `unsupported-media-type`) when Content-Encoding says that it is compressed.
 * @example
 * const fields = new URLSearchParams(readText(request, { limit: 10_000 }));
 */
export function readText(request: Request, options: { limit?: number } = {}): string {
  refuseContentCodings(request, 'Cannot read text');
  return request.body.text(options.limit);
}
