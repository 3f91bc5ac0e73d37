/**
 * Keeps the files of one form until the response is sent.
 *
 * Small files are buffers. The others are written one after the other to one temporary file, unlinked as soon as it is open, so that a form
 * costs one descriptor however many files it has, and leaves nothing behind whatever happens. When the body of the request is in memory, so
 * are its files: writing them to disk would save nothing.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, openSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withCode } from '../../http/errors/error-codes.ts';
import { piecesOfFile } from '../../http/file/file-pieces.ts';
import type { Request } from '../../http/request.ts';
import { HttpError } from '../../http/response.ts';
import { type FileContent, writeWhole } from './uploaded-file.ts';

/** A file up to this stays in memory. */
const SMALL = 64 * 1024;
/** Most bytes of all small files together; further ones go to disk. */
const ALL_SMALL = 1024 * 1024;

/** Stores the files of one form, one after the other. */
export class FileStore {
  readonly #request: Request;
  readonly #maxFile: number;
  #memory: number;
  /** The pieces of the file that is coming. */
  #pieces: Buffer[] = [];
  #size = 0;
  #disk: TemporaryFile | undefined;
  /** Where the file that is coming begins on disk; undefined while it is in memory. */
  #start: number | undefined;

  constructor(request: Request) {
    const { isInMemory } = request.body;
    this.#request = request;
    this.#maxFile = isInMemory ? Number.POSITIVE_INFINITY : SMALL;
    this.#memory = isInMemory ? Number.POSITIVE_INFINITY : ALL_SMALL;
  }

  /** Bytes of the file that is coming. */
  get size(): number {
    return this.#size;
  }

  /** Adds to the file that is coming. @throws HttpError 507 when the disk is full, else the error of the file system. */
  append(piece: Buffer): void {
    this.#size += piece.length;
    if (this.#start !== undefined) return this.#write(piece);
    this.#pieces.push(piece);
    if (this.#size > Math.min(this.#maxFile, this.#memory)) this.#toDisk();
  }

  /** Completes the file. The next piece begins another one. */
  finish(): FileContent {
    const content = this.#start === undefined ? this.#inMemory() : (this.#disk as TemporaryFile).range(this.#start, this.#size); // #start is set with #disk
    this.#pieces = [];
    this.#size = 0;
    this.#start = undefined;
    return content;
  }

  /** Releases everything. */
  close(): void {
    this.#disk?.close();
  }

  #inMemory(): FileContent {
    this.#memory -= this.#size;
    const bytes = Buffer.concat(this.#pieces); // a copy: a slice would hold the whole piece of the body it was cut from
    return { size: bytes.length, pieces: () => (bytes.length > 0 ? [bytes] : []) };
  }

  #toDisk(): void {
    if (!this.#disk) {
      const disk = new TemporaryFile();
      this.#disk = disk;
      this.#request.onEnd(() => disk.close());
    }
    this.#start = this.#disk.size;
    for (const piece of this.#pieces.splice(0)) this.#write(piece);
  }

  #write(piece: Buffer): void {
    this.#disk?.append(piece);
  }
}

/** An open file without a name. */
class TemporaryFile {
  size = 0;
  #descriptor: number | undefined;

  constructor() {
    const path = join(tmpdir(), `filrouge-${randomBytes(12).toString('hex')}`);
    this.#descriptor = orFull(() => openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600));
    unlinkSync(path);
  }

  append(bytes: Buffer): void {
    const descriptor = this.#open();
    orFull(() => writeWhole(descriptor, bytes, this.size));
    this.size += bytes.length;
  }

  range(start: number, size: number): FileContent {
    return { size, pieces: () => piecesOfFile(() => this.#open(), start, start + size) };
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #open(): number {
    if (this.#descriptor !== undefined) return this.#descriptor;
    throw withCode(
      new TypeError('Cannot read uploaded file: the response has been sent, and the temporary file is closed'),
      'body-is-gone',
    );
  }
}

function orFull<T>(f: () => T): T {
  try {
    return f();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOSPC' && code !== 'EDQUOT' && code !== 'EFBIG') throw cause;
    throw new HttpError(507, 'Cannot read form: there is no room for its files', { code: 'storage-full', cause });
  }
}
