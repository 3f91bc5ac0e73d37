/**
 * The media type that the name of a file stands for.
 *
 * The table is large (a thousand types), and to load it takes 10 ms, which every process and handler thread would pay at its start: so it is loaded
 * when it is first asked.
 *
 * @module
 */
import { extname } from 'node:path';
import { lazyPackage } from '../../process/lazy-package.ts';

const table = lazyPackage('mime-types');

/** With its charset, where one belongs to it; `application/octet-stream` for a name without a known ending. */
export function mediaTypeOf(path: string): string {
  return table().contentType(extname(path)) || 'application/octet-stream';
}
