/**
 * The parts of an open file, read piece by piece for a response.
 *
 * Each piece is a buffer of its own, since the previous one may still be in use. To a sender that says when it is done with one (`recycle`), and
 * whose client takes them as fast as they come, larger ones are given, from buffers that are used again, and the next is read while it sends. Whoever
 * gets none of these has one small piece at a time.
 *
 * @module
 */
import { forgetReadBuffer, giveReadBuffer, takeReadBuffer } from '../../process/large-buffers.ts';
import type { OpenFile } from './open-file.ts';

/** Bytes read at a time, where the client is not fast. */
const PIECE = 64 * 1024;

/** Bytes from `start` up to, but not including, `end`. */
export interface FileRange {
  readonly start: number;
  readonly end: number;
}

/** Ranges of a file, and bytes of our own between them. */
export type FileParts = readonly (FileRange | Uint8Array)[];

/** A piece, and the large buffer that it is in. */
interface Read {
  readonly piece: Uint8Array | undefined;
  readonly buffer: Buffer | undefined;
}

/** The pieces in order. The file is closed at the end, also when reading stops midway or never starts. */
export class FileReading implements AsyncIterableIterator<Uint8Array> {
  readonly #file: OpenFile;
  readonly #parts: FileParts;
  #index = 0;
  /** How far the current part has been read. */
  #taken = 0;
  #isFast = false;
  #isOver = false;
  /** The large buffer that the sender has. */
  #lent: Buffer | undefined;
  /** The next piece, read while the sender has this one. */
  #ahead: Promise<Read> | undefined;

  constructor(file: OpenFile, parts: FileParts) {
    this.#file = file;
    this.#parts = parts;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const reading = this.#ahead ?? this.#read();
    this.#ahead = undefined;
    const { piece, buffer } = await reading;
    if (this.#isOver && buffer) giveReadBuffer(buffer); // it was left meanwhile, and nobody gets this
    if (this.#isOver || !piece) return this.return();
    this.#lent = buffer;
    if (this.#isFast && buffer) this.#readAhead();
    return { done: false, value: piece };
  }

  /**
   * Learns how the sender is doing, before the first piece and after each.
   *
   * @param isIdle Whether all that it was given is out, and it uses the last piece no more.
   */
  recycle(isIdle: boolean): void {
    this.#isFast = isIdle;
    if (isIdle && this.#lent) giveReadBuffer(this.#lent);
    else if (this.#lent) forgetReadBuffer();
    this.#lent = undefined;
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    if (!this.#isOver) {
      this.#isOver = true;
      this.recycle(false);
      this.#ahead?.then(({ buffer }) => buffer && giveReadBuffer(buffer)).catch(() => {});
      this.#ahead = undefined;
      this.#file.close();
    }
    return { done: true, value: undefined };
  }

  #readAhead(): void {
    this.#ahead = this.#read();
    this.#ahead.catch(() => {}); // `next` throws it, if that is called
  }

  /** Reads the next piece; none at the end, and where a file has been truncated: the sender notices that bytes are missing. */
  async #read(): Promise<Read> {
    let part = this.#parts[this.#index];
    while (part && this.#taken === lengthOf(part)) {
      part = this.#parts[++this.#index];
      this.#taken = 0;
    }
    if (!part || this.#isOver) return { piece: undefined, buffer: undefined };
    if (part instanceof Uint8Array) {
      this.#taken = part.length;
      return { piece: part, buffer: undefined };
    }
    const start = part.start + this.#taken;
    const left = part.end - start;
    const buffer = this.#isFast && left > PIECE ? takeReadBuffer() : undefined;
    try {
      const piece = await this.#file.read(start, Math.min(buffer?.length ?? PIECE, left), buffer);
      this.#taken += piece.length;
      if (piece.length > 0) return { piece, buffer };
    } catch (error) {
      if (buffer) giveReadBuffer(buffer);
      throw error;
    }
    if (buffer) giveReadBuffer(buffer);
    return { piece: undefined, buffer: undefined };
  }
}

/** Bytes of a part. */
export function lengthOf(part: FileRange | Uint8Array): number {
  return part instanceof Uint8Array ? part.length : part.end - part.start;
}
