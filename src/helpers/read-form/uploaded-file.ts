/**
 * A file that came with a form.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { RequestBody } from '../../http/body/request-body.ts';
import { passingPieces } from '../../http/file/file-pieces.ts';
import { closeHeld } from '../../http/file/open-file.ts';
import { HttpError } from '../../http/response.ts';
import { decodeUtf8 } from '../../http/utf8.ts';
import { hold } from '../../process/place/held-files.ts';
import { shown } from '../reading/wrong-value.ts';

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

/** A file that is a range of the body it came in, in memory or on disk: it can be read for as long as that. */
export class FileInBody implements UploadedFile {
  readonly filename: string;
  readonly contentType: string;
  readonly size: number;
  readonly #body: RequestBody;
  readonly #start: number;

  constructor(filename: string, contentType: string, body: RequestBody, start: number, size: number) {
    this.filename = filename;
    this.contentType = contentType;
    this.size = size;
    this.#body = body;
    this.#start = start;
  }

  bytes(): Buffer {
    return this.#body.copy(this.#start, this.#start + this.size); // a view would keep all of the body, and change it
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
      hold(descriptor);
      try {
        for (const piece of this.#body.range(this.#start, this.#start + this.size, passingPieces)) writeWhole(descriptor, piece);
      } finally {
        closeHeld(descriptor);
      }
      renameSync(unfinished, path);
    } catch (error) {
      rmSync(unfinished, { force: true });
      throw error;
    }
  }
}

/** Writes all bytes at the end of a file: a single write may take fewer. */
function writeWhole(descriptor: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at, bytes.length - at, null);
}
