/**
 * The body of a request: complete when the handler runs, so that reading it is a plain call.
 *
 * A small body is a buffer, and a large one while there is room in memory. Otherwise it lies in a temporary file that no longer has a name, and
 * is read from its descriptor. Large ones are gone when the response has been sent.
 * Only the body of a request chosen by `streamBody` is still on its way.
 *
 * @module
 */
import { Readable } from 'node:stream';
import { badOption } from '../errors/bad-option.ts';
import { withCode } from '../errors/error-codes.ts';
import { PIECE, piecesOf, piecesOfFile, readRange } from '../file/file-pieces.ts';
import { HttpError } from '../response.ts';
import { decodeUtf8 } from '../utf8.ts';
import { sayNoJson } from './no-json.ts';

const NOTHING = Buffer.alloc(0);

/** A body on disk. The server closes it when the response has been sent; `descriptor` is then undefined. */
export interface SpooledFile {
  readonly descriptor: number | undefined;
  readonly size: number;
  /** Keeps the file open for a reader in another thread. @returns A function that releases it. */
  retain?(): () => void;
}

/** What is kept of a body that is passed on as it comes. */
export interface Beginning {
  /** Its first bytes. */
  readonly bytes: Buffer;
  /** How many have come. */
  readonly received: number;
}

/** A body, or what there is of it, for a reader that comes later. */
export interface HeldBody {
  readonly bytes: Buffer | { readonly descriptor: number; readonly size: number };
  /** Bytes of all of it: as announced, or as far as it has come. */
  readonly length: number;
  /** Lets go of what it takes. */
  readonly letGo: (() => void) | undefined;
}

/** A body that is still arriving. */
export interface LiveBody {
  /** What has come is kept up to a bound where requests are recorded. */
  readonly stream: Readable & { readonly kept?: Beginning | undefined };
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

  #source: Buffer | SpooledFile | LiveBody;
  readonly #retain: (() => () => void) | undefined;
  /** Whether somebody may have a view of it. */
  #isLent = false;

  /** @internal @param retain Of a large body in memory: see `SpooledFile`. */
  constructor(source: Buffer | SpooledFile | LiveBody, retain?: () => () => void) {
    this.#source = source;
    this.#retain = retain;
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

  /** @internal Keeps what a large body takes for a reader in another thread. @returns A function that releases it; undefined for others. */
  retain(): (() => void) | undefined {
    const source = this.#source;
    return this.#retain ? this.#retain() : 'retain' in source ? source.retain?.() : undefined;
  }

  /**
   * @internal Holds what there is of it. In a handler thread a file cannot be held open: the main thread closes it, so that it is copied.
   *
   * @param most Bytes that are of use.
   * @returns Undefined when it has been released.
   */
  held(most: number): HeldBody | undefined {
    const source = this.#source;
    if (Buffer.isBuffer(source)) return { bytes: source, length: source.length, letGo: this.retain() };
    if (isLive(source)) {
      const { kept } = source.stream;
      return { bytes: kept?.bytes ?? NOTHING, length: source.size ?? kept?.received ?? 0, letGo: undefined };
    }
    const { descriptor, size } = source;
    if (descriptor === undefined) return undefined;
    const letGo = this.retain();
    return { bytes: letGo ? { descriptor, size } : readRange(descriptor, 0, Math.min(size, most)), length: size, letGo };
  }

  /**
   * @internal Lets go of the bytes, as if they were on disk: whoever keeps the request must not keep them.
   *
   * @returns Whether nobody else has them, so that their memory can be used again.
   */
  release(): boolean {
    this.#source = { descriptor: undefined, size: this.size };
    return !this.#isLent;
  }

  /**
   * The whole body. Of a body on disk this is a copy in memory.
   *
   * @param limit Most bytes to accept.
   * @throws HttpError 413 when the body is larger than `limit`.
   */
  bytes(limit?: number): Buffer {
    this.#isLent = true;
    return this.#read(limit);
  }

  /**
   * The whole body as text, without a byte order mark.
   *
   * @param limit Most bytes to accept.
   * @throws HttpError 400 when it is not valid UTF-8, 413 when it is larger than `limit`.
   */
  text(limit?: number): string {
    return textOf(this.#read(limit));
  }

  /** The body in pieces of at most 64 KiB: 200 MB cost no more memory than that. May be called again. */
  chunks(): Iterable<Buffer> {
    const { size } = this;
    return this.#retain || (this.isInMemory && size > PIECE) ? piecesOf((start, end) => this.copy(start, end), size) : this.range(0, size);
  }

  /** @internal A part of it, in a buffer of its own. */
  copy(start: number, end: number): Buffer {
    const source = this.#complete(undefined);
    return Buffer.isBuffer(source) ? Buffer.from(source.subarray(start, end)) : readRange(descriptorOf(source), start, end);
  }

  /**
   * @internal A part of it, in pieces that nobody may keep; a view where it is in memory.
   *
   * @param piecesIn How it is read where it is on disk: `passingPieces` for whoever is done with each when it asks for the next.
   */
  range(start: number, end: number, piecesIn: typeof piecesOfFile = piecesOfFile): Iterable<Buffer> {
    const source = this.#complete(undefined);
    if (!Buffer.isBuffer(source)) return piecesIn(() => descriptorOf(source), start, end);
    return start < end ? [source.subarray(start, end)] : [];
  }

  /** The body as a stream: as it comes in when `streamBody` chose this request, otherwise from memory or disk. */
  stream(): Readable {
    if (isLive(this.#source)) return this.#source.stream;
    return Readable.from(this.chunks(), { objectMode: false });
  }

  #read(limit: number | undefined): Buffer {
    const source = this.#complete(limit);
    return Buffer.isBuffer(source) ? source : readRange(descriptorOf(source), 0, source.size);
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

sayNoJson(RequestBody, 'the body of a request', 'read it, by readJson(request) or request.body.text()');

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
  throw withCode(new TypeError('Cannot read body: its response has been sent, and what it held has been released'), 'body-is-gone');
}
