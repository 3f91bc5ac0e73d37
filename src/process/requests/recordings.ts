/**
 * What this process is still to write of requests that went wrong: one after another, and no more at a time than a bound.
 *
 * Failures come in floods, when a database is gone, and a disk may be slow: what is beyond the bound is dropped, so that neither memory nor
 * descriptors pile up behind it.
 *
 * @module
 */

/** Something to be written. */
interface Job {
  /** Bytes that it holds while it waits. */
  readonly size: number;
  run(): Promise<void>;
}

/** Most recordings that wait. */
const MAX_WAITING = 32;
/** When they hold this many bytes, no more is taken. */
const MAX_HELD = 64 * 1024 * 1024;
/** Folders whose trouble is remembered: there are few. */
const MAX_FOLDERS = 64;

const waiting: Job[] = [];
let held = 0;
let isWriting = false;
let whenIdle: (() => void)[] = [];
/** Folders that could not be written to the last time. */
const broken = new Set<string>();

/** Whether one more may wait. */
export function mayWrite(): boolean {
  return waiting.length < MAX_WAITING && held < MAX_HELD;
}

/** Writes something when what came before is written. @param run Must not reject. */
export function writeSoon(size: number, run: () => Promise<void>): void {
  waiting.push({ size, run });
  held += size;
  if (!isWriting) void write();
}

/** Settles when nothing waits any more. */
export function allWritten(): Promise<void> {
  return isWriting ? new Promise((resolve) => whenIdle.push(resolve)) : Promise.resolve();
}

/** Notes whether a folder could be written to. @returns Whether that is news, and bad ones: to be told once. */
export function isNewTrouble(folder: string, hasFailed: boolean): boolean {
  if (!hasFailed) {
    broken.delete(folder);
    return false;
  }
  if (broken.has(folder) || broken.size >= MAX_FOLDERS) return false;
  broken.add(folder);
  return true;
}

async function write(): Promise<void> {
  isWriting = true;
  await Promise.resolve(); // whoever records is to go on first
  for (let job = waiting[0]; job; job = waiting[0]) {
    await job.run();
    waiting.shift();
    held -= job.size;
  }
  isWriting = false;
  const idle = whenIdle;
  whenIdle = [];
  for (const resolve of idle) resolve();
}
