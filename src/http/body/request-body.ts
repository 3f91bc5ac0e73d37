/**
 * The body of a request: complete when the handler runs, so that reading it is a plain call.
 *
 * A small body is a buffer. A large one lies in a temporary file that no longer has a name, and is read from its descriptor.
 * Only the body of a request chosen by `streamBody` is still on its way.
 *
 * @module
 */
import { Readable } from 'node:stream';
import { badOption } from '../errors/bad-option.ts';
import { withCode } from '../errors/error-codes.ts';
import { piecesOfFile, readRange } from '../file/file-pieces.ts';
import { HttpError } from '../response.ts';
import { decodeUtf8 } from '../utf8.ts';

const NOTHING = Buffer.alloc(0);

/** A body on disk. The server closes it when the response has been sent; `descriptor` is then undefined. */
export interface SpooledFile {
  readonly descriptor: number | undefined;
  readonly size: number;
  /** Keeps the file open for a reader in another thread. @returns A function that releases it. */
  retain?(): () => void;
}

/** A body that is still arriving. */
export interface LiveBody {
  readonly stream: Readable;
  /** From Content-Length; undefined when the client did not say. */
  readonly size: number | undefined;
}

/**
 * The body of a request.
 *
 * @example
 * const hash = createHash('sha256');
 * for (const chunk of request.body.chunks()) hash.update(chunk);
 */
export class RequestBody {
  /** @internal */
  static readonly EMPTY: RequestBody = new RequestBody(NOTHING);

  readonly #source: Buffer | SpooledFile | LiveBody;

  /** @internal */
  constructor(source: Buffer | SpooledFile | LiveBody) {
    this.#source = source;
  }

  /** Bytes. Of a streamed body: what Content-Length announced, or -1 without it. */
  get size(): number {
    if (Buffer.isBuffer(this.#source)) return this.#source.length;
    return this.#source.size ?? -1;
  }

  /** @internal Where the bytes are. */
  get source(): Buffer | SpooledFile | LiveBody {
    return this.#source;
  }

  /** @internal Whether all of it is in memory already. */
  get isInMemory(): boolean {
    return Buffer.isBuffer(this.#source);
  }

  /**
   * The whole body. Of a body on disk this is a copy in memory.
   *
   * @param limit Most bytes to accept.
   * @throws HttpError 413 when the body is larger than `limit`.
   */
  bytes(limit?: number): Buffer {
    const source = this.#complete(limit);
    return Buffer.isBuffer(source) ? source : readRange(descriptorOf(source), 0, source.size);
  }

  /**
   * The whole body as text, without a byte order mark.
   *
   * @param limit Most bytes to accept.
   * @throws HttpError 400 when it is not valid UTF-8, 413 when it is larger than `limit`.
   */
  text(limit?: number): string {
    return textOf(this.bytes(limit));
  }

  /** The body in pieces of at most 64 KiB: 200 MB cost no more memory than that. May be called again. */
  chunks(): Iterable<Buffer> {
    return this.range(0, this.size);
  }

  /** @internal A part of it, in a buffer of its own. */
  copy(start: number, end: number): Buffer {
    const source = this.#complete(undefined);
    return Buffer.isBuffer(source) ? Buffer.from(source.subarray(start, end)) : readRange(descriptorOf(source), start, end);
  }

  /** @internal A part of it, in pieces; a view where it is in memory. */
  range(start: number, end: number): Iterable<Buffer> {
    const source = this.#complete(undefined);
    if (!Buffer.isBuffer(source)) return piecesOfFile(() => descriptorOf(source), start, end);
    return start < end ? [source.subarray(start, end)] : [];
  }

  /** The body as a stream: as it comes in when `streamBody` chose this request, otherwise from memory or disk. */
  stream(): Readable {
    if (isLive(this.#source)) return this.#source.stream;
    return Readable.from(this.chunks(), { objectMode: false });
  }

  #complete(limit: number | undefined): Buffer | SpooledFile {
    if (isLive(this.#source)) {
      throw withCode(
        new TypeError('Cannot read body: this request was chosen by streamBody; use request.body.stream()'),
        'body-is-streamed',
      );
    }
    // Not `limit < 0`: NaN must be refused too, since nothing is larger than it.
    if (limit !== undefined && !(limit >= 0)) {
      throw badOption('Cannot read body', `limit is ${limit}, not a number of bytes from 0 on`, RangeError);
    }
    if (limit !== undefined && this.size > limit) {
      throw new HttpError(413, `Cannot read body: it has ${this.size} bytes, ${limit} are allowed`, { code: 'body-too-large' });
    }
    return this.#source;
  }
}

/** The text of a body that has been read. @throws HttpError 400 when it is not valid UTF-8. */
export function textOf(bytes: Buffer): string {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new HttpError(400, 'Cannot read body: it is not valid UTF-8', { code: 'bad-text' });
  return text;
}

function isLive(source: Buffer | SpooledFile | LiveBody): source is LiveBody {
  return 'stream' in source;
}

function descriptorOf({ descriptor }: SpooledFile): number {
  if (descriptor !== undefined) return descriptor;
  throw withCode(new TypeError('Cannot read body: its response has been sent, and the temporary file is closed'), 'body-is-gone');
}
