/**
 * Files that lie compressed beside their original: `app.js.br` beside `app.js` (RFC 9110 §8.4, §12.5.3).
 *
 * @module
 */
import type { Stats } from 'node:fs';
import { encodingQuality, parseWeightedRanges } from '../../fields/accept.ts';
import type { OpenFile } from '../../http/open-file.ts';
import type { Request } from '../../http/request.ts';
import type { Folder } from './folder.ts';

/** Content codings and their extensions, smallest result first: of equally welcome ones the first is taken. */
const CODINGS: readonly (readonly [coding: string, extension: string])[] = [
  ['br', '.br'],
  ['zstd', '.zst'],
  ['gzip', '.gz'],
];

/** A choice among the forms of one file. */
export interface Choice {
  /** The compressed file, when the client would rather have that. */
  readonly file: OpenFile | undefined;
  readonly coding: string | undefined;
  /** Whether another client may get another form: caches must know. */
  readonly varies: boolean;
}

/**
 * Chooses by Accept-Encoding. A compressed file that is older than its original was made of another version, and does not count.
 *
 * @param path Of the original, in the folder.
 * @param original As it was found.
 */
export function choosePrecompressed(request: Request, folder: Folder, path: string, original: Stats): Choice {
  const there = CODINGS.filter(([, extension]) => {
    const stats = folder.stat(path + extension);
    return stats?.isFile() && stats.mtimeMs >= original.mtimeMs;
  });
  if (there.length === 0) return { file: undefined, coding: undefined, varies: false };
  const ranges = parseWeightedRanges(request.headerAll('accept-encoding').join(',')) ?? [];
  const welcome = there
    .map(([coding, extension]) => ({ coding, extension, quality: encodingQuality(ranges, coding) }))
    .filter(({ quality }) => quality > 0 && quality >= encodingQuality(ranges, 'identity'))
    .toSorted((a, b) => b.quality - a.quality);
  for (const { coding, extension } of welcome) {
    const file = folder.open(path + extension);
    if (file) return { file, coding, varies: true };
  }
  return { file: undefined, coding: undefined, varies: true };
}
