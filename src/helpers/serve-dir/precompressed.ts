/**
 * Files that lie compressed beside their original: `app.js.br` beside `app.js` (RFC 9110 §8.4, §12.5.3).
 *
 * @module
 */
import type { Stats } from 'node:fs';
import { encodingQuality, parseWeightedRanges } from '../../http/fields/accept.ts';
import type { OpenFile } from '../../http/file/open-file.ts';
import type { Request } from '../../http/request.ts';
import type { Folder } from './folder.ts';
import type { KeptFile } from './kept-files.ts';

/** Content codings and their extensions, smallest result first: of equally welcome ones the first is taken. */
const CODINGS: readonly (readonly [coding: string, extension: string])[] = [
  ['br', '.br'],
  ['zstd', '.zst'],
  ['gzip', '.gz'],
];

/** One of the forms in which a file exists. */
export interface Form {
  readonly file: OpenFile | KeptFile;
  /** Within the folder. */
  readonly path: string;
  /** Undefined for the original. */
  readonly coding: string | undefined;
  /** Whether another client may get another form: caches must know. */
  readonly varies: boolean;
}

/**
 * Chooses a form by Accept-Encoding. A compressed file older than its original was made from another version, and is ignored.
 *
 * @param original The form to use when there is no other, or no better one.
 * @param stats Of the original.
 */
export function chooseForm(request: Request, folder: Folder, original: Form, stats: Stats): Form {
  const there = CODINGS.flatMap(([coding, extension]) => {
    const path = original.path + extension;
    const found = folder.stat(path);
    return found?.isFile() && found.mtimeMs >= stats.mtimeMs ? [{ coding, path, stats: found }] : [];
  });
  if (there.length === 0) return original;
  const ranges = parseWeightedRanges(request.headerAll('accept-encoding').join(',')) ?? [];
  const quality = (coding: string): number => encodingQuality(ranges, coding);
  const welcome = there
    .filter(({ coding }) => quality(coding) > 0 && quality(coding) >= quality('identity'))
    .toSorted((a, b) => quality(b.coding) - quality(a.coding));
  for (const { coding, path, stats: found } of welcome) {
    const file = folder.find(path, found);
    if (file) return { file, path, coding, varies: true };
  }
  return { ...original, varies: true };
}
