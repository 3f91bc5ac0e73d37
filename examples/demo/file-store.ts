/**
 * The files of the demo, in a folder that all workers share, with a limit on their number.
 *
 * Each is two files: its bytes, and beside them its description. The description appears last, directly under its final name, and is removed first:
 * no worker sees half a file.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { UploadedFile } from 'filrouge';
import { FOLDER } from './folder.ts';

const FILES = join(FOLDER, 'files');
/** Beyond this number, the oldest are removed. */
export const KEPT = 24;

export interface KeptFile {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly size: number;
}

mkdirSync(FILES, { recursive: true });

/** Keeps a file under a name of our own: the client's may be taken already, or lead elsewhere. */
export function keepFile(file: UploadedFile): void {
  const id = `${Date.now()}-${randomUUID()}`; // sorts by time
  const known: KeptFile = { id, name: file.filename, type: file.contentType, size: file.size };
  file.saveTo(pathOf(id));
  writeFileSync(`${pathOf(id)}.new`, JSON.stringify(known));
  renameSync(`${pathOf(id)}.new`, `${pathOf(id)}.json`);
}

/** Newest first. */
export function allFiles(): KeptFile[] {
  return names().flatMap((name) => read(join(FILES, name)) ?? []);
}

export function dropOldFiles(): void {
  for (const name of names().slice(KEPT)) {
    rmSync(join(FILES, name), { force: true });
    rmSync(join(FILES, name.slice(0, -'.json'.length)), { force: true });
  }
}

export function pathOf(id: string): string {
  return join(FILES, id);
}

function names(): string[] {
  return readdirSync(FILES)
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .toReversed();
}

/** Undefined when another worker has just removed it. */
function read(path: string): KeptFile | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as KeptFile;
  } catch {
    return undefined;
  }
}
