/** Places in original sources, by source maps that are read once. */
import { mkdtempSync, rmSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { originalPlace } from '../../src/exchange/explain/original-place.ts';

/** A compiled file whose map says of its beginning that it comes from line 1 of a source with this name and text. */
function compiled(name: string, source: string, text: string | null, folder: string = emptyFolder()): string {
  const path = join(folder, `${name}.js`);
  writeFileSync(path, `work();\n//# sourceMappingURL=${name}.js.map`);
  writeFileSync(`${path}.map`, JSON.stringify({ version: 3, sources: [source], sourcesContent: [text], names: [], mappings: 'AAAA' }));
  return path;
}

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

const placeIn = (path: string): unknown => originalPlace({ path, line: 1, column: 1 });

it('is where the map of a file says, with the text that it brings', () => {
  const folder = emptyFolder();
  const path = compiled('a', 'src/a.ts', 'work()', folder);
  expect(placeIn(path)).toEqual({ path: join(folder, 'src/a.ts'), line: 1, column: 1, text: 'work()' });
});

it('is the place itself when there is no map, or none that can be read', () => {
  const path = compiled('a', 'a.ts', 'work()');
  writeFileSync(`${path}.map`, '{');
  expect(placeIn(path)).toEqual({ path, line: 1, column: 1 });
  expect(placeIn('/missing.js')).toEqual({ path: '/missing.js', line: 1, column: 1 });
});

it('does not read a map again, which takes long, for as long as the file is as it was', () => {
  const path = compiled('a', 'a.ts', 'work()');
  const first = placeIn(path);
  unlinkSync(`${path}.map`);
  expect(placeIn(path)).toEqual(first);
  utimesSync(path, 1, 1);
  expect(placeIn(path)).toEqual({ path, line: 1, column: 1 });
});

it('keeps the maps of twenty files at most: those that were read last', () => {
  const folder = emptyFolder();
  const paths = Array.from({ length: 21 }, (_, i) => compiled(`file${i}`, `file${i}.ts`, null, folder));
  const places = paths.map(placeIn);
  for (const path of paths) unlinkSync(`${path}.map`);
  expect(placeIn(paths[0] as string)).toEqual({ path: paths[0], line: 1, column: 1 });
  expect(placeIn(paths[2] as string)).toEqual(places[2]);
});
