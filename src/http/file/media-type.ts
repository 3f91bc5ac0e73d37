/**
 * The media type of a file, by the extension of its name.
 *
 * The table is large (a thousand types), and loading it takes 10 ms, which every process and handler thread would pay at its start: so it is loaded
 * at its first use.
 *
 * @module
 */
import { extname } from 'node:path';
import { mimeTypesPackage } from '../../process/lazy-packages.ts';

/** With its charset, where it has one; `application/octet-stream` for a name without a known extension. */
export function mediaTypeOf(path: string): string {
  return mimeTypesPackage().contentType(extname(path)) || 'application/octet-stream';
}
