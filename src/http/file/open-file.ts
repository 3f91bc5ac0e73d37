/**
 * A regular file that is open for reading.
 *
 * It is read by position, so that readers do not disturb each other, and closed once, never under a read: the number could name another file by then.
 *
 * @module
 */
import { close, closeSync, constants, fstat, fstatSync, open, openSync, read, readSync, type Stats } from 'node:fs';
import { hold, letGo } from '../../process/place/held-files.ts';
import { withCode } from '../errors/error-codes.ts';

/** A FIFO must not block us: without O_NONBLOCK, opening one waits for a writer. Windows has neither. */
const FOR_READING: number = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** What distinguishes one state of a file from the next. Times are milliseconds since 1970, with the fractions that the file system has. */
export interface FileVersion {
  /** Bytes. */
  readonly size: number;
  /** When the content was last written, or is claimed to have been. */
  readonly modified: number;
  /** When anything about the file last changed; nobody can set it back. */
  readonly changed: number;
  readonly device: number;
  readonly inode: number;
}

/** Closes files that were forgotten: a request made by hand never ends, so nothing else would close the file of its response. */
const FORGOTTEN: FinalizationRegistry<number> = new FinalizationRegistry(closeHeld);

/** A file that is open. */
export class OpenFile {
  readonly path: string;
  readonly version: FileVersion;
  #descriptor: number | undefined;
  #reads = 0;
  #isOver = false;

  constructor(path: string, descriptor: number, version: FileVersion) {
    this.path = path;
    this.#descriptor = descriptor;
    this.version = version;
  }

  /**
   * Opens a regular file.
   *
   * @returns The file, or undefined for anything else: a folder, a FIFO, a device.
   * @throws The file system's error.
   */
  static openSync(path: string): OpenFile | undefined {
    const descriptor = openSync(path, FOR_READING);
    try {
      const stats = fstatSync(descriptor);
      if (stats.isFile()) return OpenFile.#opened(path, descriptor, stats);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    closeSync(descriptor);
    return undefined;
  }

  /** Opens a regular file. @throws The file system's error, or one of our own when it is not a regular file. */
  static async open(path: string): Promise<OpenFile> {
    const descriptor = await new Promise<number>((resolve, reject) => {
      open(path, FOR_READING, (error, opened) => (error ? reject(error) : resolve(opened)));
    });
    try {
      const stats = await new Promise<Stats>((resolve, reject) => {
        fstat(descriptor, (error, found) => (error ? reject(error) : resolve(found)));
      });
      if (!stats.isFile()) throw new Error(`Cannot send "${path}": it is no longer a regular file`);
      return OpenFile.#opened(path, descriptor, stats);
    } catch (error) {
      close(descriptor, () => {});
      throw error;
    }
  }

  static #opened(path: string, descriptor: number, stats: Stats): OpenFile {
    hold(descriptor);
    return new OpenFile(path, descriptor, versionOf(stats));
  }

  /** @throws TypeError (code `stale-file`) when the file has been closed. */
  get descriptor(): number {
    if (this.#descriptor !== undefined && !this.#isOver) return this.#descriptor;
    throw withCode(
      new TypeError(`Cannot send "${this.path}": it was open for a request that is over; make a new Response for each request`),
      'stale-file',
    );
  }

  /** Reads a range at once. @throws The file system's error, or one of our own when the file has become shorter. */
  readSync(start: number, end: number): Buffer {
    const bytes = Buffer.allocUnsafe(end - start);
    for (let filled = 0; filled < bytes.length; ) {
      const count = readSync(this.descriptor, bytes, filled, bytes.length - filled, start + filled);
      if (count === 0) throw new Error(`Cannot read "${this.path}": it has become shorter`);
      filled += count;
    }
    return bytes;
  }

  /** Reads up to `most` bytes; none at the end of the file. @param bytes Where to: at least as large. */
  async read(start: number, most: number, bytes: Buffer = Buffer.allocUnsafe(most)): Promise<Buffer> {
    const { descriptor } = this;
    this.#reads++;
    const count = await new Promise<number>((resolve, reject) => {
      read(descriptor, bytes, 0, most, start, (error, filled) => {
        this.#reads--;
        if (this.#isOver) this.close();
        if (error) reject(error);
        else resolve(filled);
      });
    });
    return count === bytes.length ? bytes : bytes.subarray(0, count);
  }

  /** Closes the file at some time after this object has become garbage. */
  closeWhenForgotten(): void {
    FORGOTTEN.register(this, this.descriptor, this);
  }

  /** Hands the descriptor over; the new owner closes it. */
  giveAway(): number {
    const { descriptor } = this;
    FORGOTTEN.unregister(this);
    this.#isOver = true;
    this.#descriptor = undefined;
    return descriptor;
  }

  /** Closes the file once the reads under way have ended. May be called again. */
  close(): void {
    this.#isOver = true;
    if (this.#descriptor === undefined || this.#reads > 0) return;
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    FORGOTTEN.unregister(this);
    closeHeld(descriptor);
  }
}

/** Closes a file that is noted as held. */
export function closeHeld(descriptor: number): void {
  letGo(descriptor); // first: a thread that ends in between leaves it open, instead of having another file closed
  closeSync(descriptor);
}

/** Whether a path leads to the file as it was. */
export function isSameVersion(a: FileVersion, b: FileVersion): boolean {
  return a.size === b.size && a.modified === b.modified && a.changed === b.changed && a.inode === b.inode && a.device === b.device;
}

/** The part of a `stat` that distinguishes versions. */
export function versionOf(stats: Stats): FileVersion {
  return { size: stats.size, modified: stats.mtimeMs, changed: stats.ctimeMs, device: stats.dev, inode: stats.ino };
}
