/**
 * A file that came with a form.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { HttpError } from '../../http/response.ts';
import { decodeUtf8 } from '../../http/utf8.ts';
import { shown } from './form-error.ts';

/** A file that came with a form. Everything about it but its size is as the client claims. */
export interface UploadedFile {
  /**
   * The name on the user's system: the last part of the path, without control characters, never empty. Do not save under it: names repeat.
   */
  readonly filename: string;
  /** As in `image/png`, without parameters. Not checked against the content. */
  readonly contentType: string;
  /** Bytes. */
  readonly size: number;
  /** The whole content, in memory. */
  bytes(): Buffer;
  /** The whole content as text. @throws HttpError 400 (code `bad-text`) when it is not valid UTF-8. */
  text(): string;
  /**
   * Copies the content to a file, in pieces of 64 KiB. An existing file is replaced at the end, in one step: nobody sees half a file.
   *
   * @param path Yours, not the client's. Its folder must exist.
   * @throws The error of the file system.
   */
  saveTo(path: string): void;
}

/** The bytes of a file, in memory or on disk. */
export interface FileContent {
  readonly size: number;
  /** Pieces of at most 64 KiB, or the one piece that is in memory. */
  pieces(): Iterable<Buffer>;
}

/** An uploaded file and its content. */
export class StoredFile implements UploadedFile {
  readonly filename: string;
  readonly contentType: string;
  readonly #content: FileContent;

  constructor(filename: string, contentType: string, content: FileContent) {
    this.filename = filename;
    this.contentType = contentType;
    this.#content = content;
  }

  get size(): number {
    return this.#content.size;
  }

  bytes(): Buffer {
    const pieces = [...this.#content.pieces()];
    return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, this.size);
  }

  text(): string {
    const text = decodeUtf8(this.bytes());
    if (text !== undefined) return text;
    throw new HttpError(400, `Cannot read file ${shown(this.filename)}: it is not valid UTF-8`, { code: 'bad-text' });
  }

  saveTo(path: string): void {
    const unfinished = join(dirname(path), `.filrouge-${randomBytes(12).toString('hex')}`); // beside it: a rename is atomic only within one file system
    try {
      const descriptor = openSync(unfinished, 'wx');
      try {
        for (const piece of this.#content.pieces()) writeWhole(descriptor, piece);
      } finally {
        closeSync(descriptor);
      }
      renameSync(unfinished, path);
    } catch (error) {
      rmSync(unfinished, { force: true });
      throw error;
    }
  }
}

/** Writes all bytes, at the end or at `position`: a single write may take fewer. */
export function writeWhole(descriptor: number, bytes: Buffer, position?: number): void {
  for (let at = 0; at < bytes.length; ) {
    at += writeSync(descriptor, bytes, at, bytes.length - at, position === undefined ? null : position + at);
  }
}
