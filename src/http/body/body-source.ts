/**
 * A response body on its way out: opened when its turn has come, its pieces as bytes, no more and no fewer than its head has announced.
 *
 * A body that is too long would run into the next message, one that is too short would look whole when the connection ends (RFC 9112 §8). So
 * the sender, in whatever protocol, counts it here, and cuts the connection or the stream when the count is wrong.
 *
 * @module
 */
import { kindOf } from '../errors/bad-option.ts';
import { withCode } from '../errors/error-codes.ts';
import { type BodySource, FileContent } from '../file/file-content.ts';
import { FileReading } from '../file/file-reading.ts';
import type { After } from './paced-pieces.ts';
import type { StreamContent } from './response-body.ts';
import { dropReading, iteratorOf } from './stream-source.ts';

export type { BodySource } from '../file/file-content.ts';

/**
 * Opens a body.
 *
 * @param after Times the heartbeat of a stream that has one.
 * @throws What the file system says, or a TypeError for a stream that was sent before.
 */
export async function openSource(content: FileContent | StreamContent, after: After): Promise<BodySource> {
  return content instanceof FileContent ? content.open() : { pieces: content.take(after), size: content.size };
}

/** A piece of a stream, checked. @throws TypeError when it is neither text nor bytes. */
export function checkedPiece(piece: unknown): string | Uint8Array {
  if (typeof piece === 'string' || piece instanceof Uint8Array) return piece;
  throw new TypeError(`Cannot send response: its stream gave ${kindOf(piece)}, not bytes or text`);
}

/** Counts a body against what was announced. */
export class LengthCheck {
  readonly #announced: number | undefined;
  #given = 0;

  /** Bytes that were counted. */
  get given(): number {
    return this.#given;
  }

  /** @param announced Bytes; undefined when nothing was announced: then any length is right. */
  constructor(announced: number | undefined) {
    this.#announced = announced;
  }

  /** Counts a piece. @throws RangeError (code `wrong-length`) when it is more than announced. */
  add(size: number): void {
    this.#given += size;
    const announced = this.#announced;
    if (announced !== undefined && this.#given > announced) throw wrongLength(`more than the ${announced} bytes announced`);
  }

  /** The body is over. @throws RangeError (code `wrong-length`) when it was less than announced. */
  end(): void {
    const announced = this.#announced;
    if (announced !== undefined && this.#given < announced) throw wrongLength(`${this.#given} of the ${announced} bytes announced`);
  }
}

/** The pieces of a body as bytes. They throw when they are not as many as announced: the sender must then cut the connection or the stream. */
export class CheckedPieces implements AsyncIterableIterator<Uint8Array> {
  readonly #source: BodySource['pieces'];
  readonly #length: LengthCheck;
  #iterator: ReturnType<typeof iteratorOf<Uint8Array | string>> | undefined = undefined;
  #isDone = false;

  /** @param announced Bytes; undefined when nothing was announced. */
  constructor(source: BodySource['pieces'], announced: number | undefined) {
    this.#source = source;
    this.#length = new LengthCheck(announced);
  }

  /** Bytes that it has given so far. */
  get bytes(): number {
    return this.#length.given;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#isDone) return { done: true, value: undefined };
    try {
      this.#iterator ??= iteratorOf(this.#source);
      return this.#checked(await this.#iterator.next());
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.drop();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Tells how the sender is doing: see `FileReading`. */
  recycle(isIdle: boolean): void {
    if (this.#source instanceof FileReading) this.#source.recycle(isIdle);
  }

  /** Lets go of the source, without waiting for what it may be busy with. */
  drop(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    dropReading(this.#source, this.#iterator);
  }

  #checked(step: IteratorResult<Uint8Array | string, unknown>): IteratorResult<Uint8Array, undefined> {
    if (step.done) {
      if (!this.#isDone) this.#length.end(); // one that was dropped may end early
      this.#isDone = true;
      return { done: true, value: undefined };
    }
    const piece = checkedPiece(step.value);
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
    this.#length.add(bytes.length);
    return { done: false, value: bytes };
  }
}

function wrongLength(what: string): RangeError {
  return withCode(new RangeError(`Cannot send response: its stream gave ${what}`), 'wrong-length');
}
