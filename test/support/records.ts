/**
 * A folder of records for a test.
 *
 * @module
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { until } from './until.ts';

/** A new folder; it is removed when the test ends. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'filrouge-recording-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The records in a folder, oldest first. */
export function recordsIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.http'))
    .toSorted()
    .map((name) => join(folder, name));
}

/** Waits for records. @returns Their paths, oldest first. */
export async function records(folder: string, count = 1): Promise<string[]> {
  return until(
    () => {
      const found = recordsIn(folder);
      return found.length >= count ? found : undefined;
    },
    () => `${count} records, there are ${recordsIn(folder).length}`,
  );
}

/** Waits for the first record. @returns Its path, and what it holds, one character for each byte. */
export async function firstRecord(folder: string): Promise<{ path: string; text: string }> {
  const [path = ''] = await records(folder);
  return { path, text: readFileSync(path, 'latin1') };
}
