/**
 * Folders of files for tests, all last written in 2020.
 *
 * @module
 */
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { descriptors } from '../../support/program.ts';
import { until } from '../../support/until.ts';

export const WRITTEN = 'Wed, 01 Jan 2020 00:00:00 GMT';

/** Makes a folder with these files, each with this content; it is removed when the test ends. */
export function folderWith(files: Readonly<Record<string, string | Uint8Array>>): string {
  const root = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [name, content] of Object.entries(files)) writeAt(join(root, name), content);
  return root;
}

/** Writes a file, and dates it. */
export function writeAt(path: string, content: string | Uint8Array, at = new Date(WRITTEN)): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  utimesSync(path, at, at);
}

/** How many descriptors of this process lead below a folder. */
export function openBelow(root: string): number {
  return descriptors(process.pid).filter((path) => path.startsWith(root)).length;
}

/** Waits until no descriptor leads below a folder: a read that is under way ends before its file is closed. */
export async function allClosedBelow(root: string): Promise<void> {
  await until(
    () => openBelow(root) === 0 || undefined,
    () => `${openBelow(root)} descriptors below ${root} to be closed`,
  );
}
