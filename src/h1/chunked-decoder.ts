/**
 * The chunked coding, undone byte by byte (RFC 9112 §7.1).
 *
 * A machine of small states, one for each place a packet may be cut. Line ends are CR LF and nothing else: the leniency that
 * RFC 9112 §2.2 allows for lines does not extend to chunks (erratum 7633), and is how requests are smuggled.
 * Data of one input is joined, so that ten thousand tiny chunks cost one buffer and not ten thousand.
 *
 * @module
 */

import { ProtocolError } from '../http/errors/protocol-error.ts';
import type { HeadLimits } from '../http/request/head-limits.ts';
import { BEFORE_SEMICOLON, END, placeAfter, WRONG } from './chunk-extension.ts';
import { MAX_CHUNK_OVERHEAD, MAX_EXTENSIONS } from './limits.ts';
import { parseFields } from './parser.ts';

const SIZE_START = 0;
const SIZE = 1;
const EXTENSION = 2;
const SIZE_LF = 3;
const DATA = 4;
const DATA_CR = 5;
const DATA_LF = 6;
const TRAILERS = 7;
const DONE = 8;

const CR = 0x0d;
const LF = 0x0a;
/** 13 hexadecimal digits are below 2^53; with leading zeros up to 16 are read. */
const MAX_DIGITS = 16;

/** Undoes the chunked coding of one body. */
export class ChunkedDecoder {
  readonly #limits: HeadLimits;
  #state = SIZE_START;
  #digits = 0;
  /** Bytes of the present chunk that are still to come. */
  #left = 0;
  /** Where in an extension the reading stands, see `placeAfter`. */
  #place = BEFORE_SEMICOLON;
  #extensions = 0;
  #overhead = 0;
  #received = 0;
  /** The trailer section as far as it is there, one character a byte. */
  #trailers = '';
  /** What is wrong with the bytes behind the data that was given last. */
  #failure: ProtocolError | undefined;

  constructor(limits: HeadLimits) {
    this.#limits = limits;
  }

  /** Whether the last chunk and the trailers have been read. */
  get isDone(): boolean {
    return this.#state === DONE;
  }

  /** Where the last `decode` stopped in its input: behind the body when it is done. */
  end = 0;

  /**
   * Decodes what has come.
   *
   * @param input Read from `start` to `length`, or to the end of the body, see `end`.
   * @returns The data in it, or undefined when there is none.
   * @throws ProtocolError 400, 413 or 431. Data before the fault is given first, and the error thrown by the next call.
   */
  decode(input: Buffer, start: number, length: number = input.length): Buffer | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    let at = start;
    let data: Buffer | undefined;
    let filled = 0;
    try {
      while (at < length && this.#state !== DONE) {
        if (this.#state === DATA) {
          const count = Math.min(this.#left, length - at);
          if (data === undefined && count === length - at) {
            data = input.subarray(at, length); // the chunk takes all that is left: no copy
            filled = count;
          } else {
            data ??= Buffer.allocUnsafe(length - at);
            copyBytes(input, at, count, data, filled);
            filled += count;
          }
          at += count;
          this.#left -= count;
          this.#received += count;
          if (this.#left === 0) this.#state = DATA_CR;
        } else if (this.#state === TRAILERS) {
          at = this.#readTrailers(input, at, length);
        } else {
          this.#step(input[at] as number); // at < length
          at++;
        }
      }
    } catch (error) {
      if (filled === 0 || !(error instanceof ProtocolError)) throw error;
      this.#failure = error; // what came before it is given first, as if it had come in a packet of its own
    }
    this.end = at;
    return filled === 0 ? undefined : data?.subarray(0, filled);
  }

  /** One byte of framing. */
  #step(byte: number): void {
    if (++this.#overhead > MAX_CHUNK_OVERHEAD + this.#received) {
      throw new ProtocolError(400, 'chunk-overhead', 'Cannot read body: its chunks are too small');
    }
    switch (this.#state) {
      case SIZE_START:
      case SIZE: {
        const digit = hexValue(byte);
        if (digit === -1) return this.#endSize(byte);
        if (++this.#digits > MAX_DIGITS) throw badChunk('a size has too many digits');
        this.#left = this.#left * 16 + digit;
        this.#state = SIZE;
        return;
      }
      case EXTENSION:
        this.#place = placeAfter(this.#place, byte);
        if (this.#place === WRONG) throw badChunk('a size is followed by something other than extensions');
        if (this.#place === END) this.#state = SIZE_LF;
        return this.#countExtension();
      case SIZE_LF:
        if (byte !== LF) throw badChunk('a size line does not end in CR LF');
        this.#digits = 0;
        this.#state = this.#left === 0 ? TRAILERS : DATA;
        return;
      case DATA_CR:
        if (byte !== CR) throw badChunk('the data of a chunk is not followed by CR LF');
        this.#state = DATA_LF;
        return;
      default:
        if (byte !== LF) throw badChunk('the data of a chunk is not followed by CR LF');
        this.#state = SIZE_START;
    }
  }

  #endSize(byte: number): void {
    if (this.#state === SIZE_START) throw badChunk('a size is missing or not hexadecimal');
    if (!Number.isSafeInteger(this.#left)) throw new ProtocolError(413, 'body-too-large', 'Cannot read body: a chunk is beyond any body');
    if (byte === CR) {
      this.#state = SIZE_LF;
      return;
    }
    this.#place = placeAfter(BEFORE_SEMICOLON, byte);
    if (this.#place === WRONG) throw badChunk('a size is not hexadecimal');
    this.#state = EXTENSION;
  }

  #countExtension(): void {
    if (++this.#extensions > MAX_EXTENSIONS) {
      throw new ProtocolError(413, 'chunk-overhead', 'Cannot read body: its chunk extensions are too large');
    }
  }

  /**
   * Trailers are checked like header lines and then dropped: nobody may take a Host or a length from there (RFC 9110 §6.5.1).
   */
  #readTrailers(input: Buffer, at: number, length: number): number {
    const before = this.#trailers.length;
    const most = this.#limits.maxHeaderSize + 2; // the empty line behind them
    const text = input.toString('latin1', at, Math.min(length, at + most + 2 - before));
    this.#trailers += text;
    if (!text.includes('\n') && this.#trailers.length <= most) return at + text.length; // no verdict changes without a line end
    const end = parseFields(this.#trailers, 0, this.#limits, [], undefined);
    if (end === -1) return at + this.#trailers.length - before;
    this.#state = DONE;
    this.#trailers = '';
    return at + end - before;
  }
}

function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** For a few bytes a loop is faster than the call into `Buffer.copy`. */
function copyBytes(from: Buffer, start: number, count: number, to: Buffer, at: number): void {
  if (count > 64) {
    from.copy(to, at, start, start + count);
    return;
  }
  for (let i = 0; i < count; i++) to[at + i] = from[start + i] as number; // i < count
}

function badChunk(why: string): ProtocolError {
  return new ProtocolError(400, 'bad-chunk', `Cannot read body: ${why}`);
}
