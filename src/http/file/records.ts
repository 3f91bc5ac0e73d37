/**
 * A folder of records, of which the newest are kept. Any number of processes may write to it at the same time.
 *
 * A file is there whole or not at all: it is written under another name first. Only its owner may read it. What is not a record is left alone.
 *
 * @module
 */
import { type Dirent, promises as fs } from 'node:fs';
import { join } from 'node:path';
import { passingPieces } from './file-pieces.ts';

/** A record that is to be written. */
export interface NewRecord {
  readonly folder: string;
  /** Begins with the time, so that names are in the order of time: see `RECORD`. */
  readonly name: string;
  /** Bytes of the body that are written. */
  readonly size: number;
  readonly bytes: Buffer | { readonly descriptor: number };
  readonly maxFiles: number;
}

const RECORD = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z-[a-z]+-[\w-]{1,64}\.http$/;
const UNFINISHED = /^\.\d{4}-\d\d-\d\dT.+\.http\.tmp$/;

/**
 * Writes a record, and removes the oldest ones beyond the number that is kept. The folder is made when it is not there.
 *
 * @param head One character for each byte.
 * @returns The path of the file. @throws The error of the file system; nothing is left of the file.
 */
export async function writeRecord(record: NewRecord, head: string): Promise<string> {
  const { folder, name } = record;
  const path = join(folder, name);
  const unfinished = join(folder, `.${name}.tmp`);
  const file = await newFile(folder, unfinished);
  try {
    try {
      await file.appendFile(Buffer.from(head, 'latin1'));
      for (const piece of piecesOf(record)) await file.appendFile(piece);
    } finally {
      await file.close();
    }
    await fs.rename(unfinished, path);
  } catch (error) {
    await fs.unlink(unfinished).catch(() => {}); // the first error is the one that matters
    throw error;
  }
  await keepNewest(record);
  return path;
}

async function newFile(folder: string, path: string): Promise<fs.FileHandle> {
  try {
    return await fs.open(path, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await fs.mkdir(folder, { recursive: true, mode: 0o700 });
    return fs.open(path, 'wx', 0o600);
  }
}

function piecesOf({ bytes, size }: NewRecord): Iterable<Buffer> {
  return Buffer.isBuffer(bytes) ? [bytes.subarray(0, size)] : passingPieces(() => bytes.descriptor, 0, size);
}

/** Removes the oldest records, and what processes have not finished that died an hour ago or longer. Others may be doing the same. */
async function keepNewest({ folder, name, maxFiles }: NewRecord): Promise<void> {
  const files = (await fs.readdir(folder, { withFileTypes: true })).filter((entry: Dirent) => entry.isFile()).map((entry) => entry.name);
  const records = files.filter((file) => RECORD.test(file)).toSorted();
  const tooMany = records.slice(0, Math.max(0, records.length - maxFiles));
  const hour = new Date(Date.parse(timeIn(name)) - 3_600_000).toISOString().replaceAll(':', '-');
  const abandoned = files.filter((file) => UNFINISHED.test(file) && file.slice(1) < hour);
  await Promise.all([...tooMany, ...abandoned].map((file) => fs.unlink(join(folder, file)).catch(() => {}))); // gone, or not ours to remove
}

/** `2026-11-28T18-06-36.123Z-…` as a time that can be parsed. */
function timeIn(name: string): string {
  return name.slice(0, 24).replace(/T(\d\d)-(\d\d)-/, 'T$1:$2:');
}
