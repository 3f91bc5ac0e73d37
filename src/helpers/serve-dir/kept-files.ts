/**
 * A cache of small files that are requested often.
 *
 * Each request still looks at the file: what is kept is sent only while size, times, device and inode are those that it was read with. And each second
 * the whole path is followed again, to notice a folder on it that was moved out of the root, which the file itself does not show.
 *
 * Each process, and each thread, has a cache of its own, of bounded size.
 *
 * @module
 */
import { isAscii } from 'node:buffer';
import { COARSEST_STEP } from '../../http/file/file-validators.ts';
import { type FileVersion, isSameVersion } from '../../http/file/open-file.ts';
import { HeaderList } from '../../http/header-list.ts';

/** Most bytes to keep. */
const MOST_BYTES = 4 * 1024 * 1024;
/** Most files to remember, including those of which no content is kept yet. */
const MOST_FILES = 1000;
/** How long a file is sent from memory before its path is checked again, and how soon it must be requested again to be kept, ms. */
const TRUST = 1000;

/** A file as it was read. */
export class KeptFile {
  readonly version: FileVersion;
  /** When its path was checked, in monotonic ms. */
  readonly judgedAt: number;
  /** Undefined after the first request. Text when it is ASCII: a string cannot be changed, and is sent without a copy. */
  readonly #content: string | Buffer | undefined;
  /** The header fields of the last answer with it; `key` holds everything they depend on. */
  fields: { readonly key: string; readonly list: HeaderList } = { key: '', list: HeaderList.EMPTY };

  constructor(version: FileVersion, judgedAt: number, content: string | Buffer | undefined) {
    this.version = version;
    this.judgedAt = judgedAt;
    this.#content = content;
  }

  /** Bytes of memory. */
  get size(): number {
    return this.#content?.length ?? 0;
  }

  get isThere(): boolean {
    return this.#content !== undefined;
  }

  /** For one response, whose owner may change it. */
  get content(): string | Buffer {
    return typeof this.#content === 'string' ? this.#content : Buffer.from(this.#content ?? '');
  }

  /** There is nothing to close. */
  close(): void {}
}

/** By path, the oldest first: files that are requested often are kept anew each second, and so are never among the oldest. */
const files = new Map<string, KeptFile>();
let bytes = 0;

/** @param version What the file at `place` is now. @returns That file from memory, if it is there. */
export function recall(place: string, version: FileVersion): KeptFile | undefined {
  const kept = files.get(place);
  if (!kept?.isThere || performance.now() - kept.judgedAt > TRUST || !isSameVersion(kept.version, version)) return undefined;
  return kept;
}

/**
 * Keeps a file that may be shown, at its second request within a second.
 *
 * @param version What was read.
 */
export function keep(place: string, version: FileVersion, content: Buffer): void {
  // A file written this recently could be written again and look the same.
  if (Date.now() - Math.max(version.modified, version.changed) < COARSEST_STEP) return;
  const now = performance.now();
  const last = files.get(place);
  const isHot = last !== undefined && (last.isThere || now - last.judgedAt <= TRUST);
  forget(place, last);
  const kept = new KeptFile(version, now, isHot ? contentOf(content) : undefined);
  files.set(place, kept);
  bytes += kept.size;
  for (const [oldest, file] of files) {
    if (bytes <= MOST_BYTES && files.size <= MOST_FILES) return;
    forget(oldest, file);
  }
}

function contentOf(bytesOfFile: Buffer): string | Buffer {
  return isAscii(bytesOfFile) ? bytesOfFile.toString('latin1') : Buffer.from(bytesOfFile); // the response has the other
}

function forget(place: string, file: KeptFile | undefined): void {
  if (files.delete(place)) bytes -= file?.size ?? 0;
}
