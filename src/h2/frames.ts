/**
 * Frames of HTTP/2 as bytes (RFC 9113 §4.1, §6): nine octets of head, then the payload.
 *
 *     +-----------------------------------------------+
 *     |                 Length (24)                   |
 *     +---------------+---------------+---------------+
 *     |   Type (8)    |   Flags (8)   |
 *     +-+-------------+---------------+-------------------------------+
 *     |R|                 Stream Identifier (31)                      |
 *     +=+=============================================================+
 *     |                   Frame Payload (0...)                      ...
 *
 * @module
 */

export const DATA = 0x0;
export const HEADERS = 0x1;
export const PRIORITY = 0x2;
export const RST_STREAM = 0x3;
export const SETTINGS = 0x4;
export const PUSH_PROMISE = 0x5;
export const PING = 0x6;
export const GOAWAY = 0x7;
export const WINDOW_UPDATE = 0x8;
export const CONTINUATION = 0x9;
/** RFC 9218 §7.1. */
export const PRIORITY_UPDATE = 0x10;

/** DATA and HEADERS: the last frame of the stream in this direction. */
export const END_STREAM = 0x1;
/** SETTINGS and PING: an answer. */
export const ACK = 0x1;
/** HEADERS and CONTINUATION: the last frame of the header block. */
export const END_HEADERS = 0x4;
/** DATA and HEADERS: the payload begins with the length of its padding. */
export const PADDED = 0x8;
/** HEADERS: five octets of the old priority scheme come first. */
export const HAS_PRIORITY = 0x20;

/** Octets of a frame's head. */
export const FRAME_HEAD = 9;
/** The largest payload that must be taken, and the largest that we take (RFC 9113 §4.2). */
export const MAX_PAYLOAD: number = 16 * 1024;
/** The largest stream identifier, and the largest window. */
export const MAX_31_BITS: number = 2 ** 31 - 1;

/** What a client sends first (RFC 9113 §3.4). */
export const PREFACE: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** The 31 bits at a place: the bit in front of them is reserved and ignored. */
export function read31(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) & 0x7f) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

/** The 32 bits at a place. */
export function read32(bytes: Uint8Array, at: number): number {
  return read31(bytes, at) + ((bytes[at] as number) & 0x80) * 2 ** 24;
}

/**
 * Memory in which frames are gathered, of which one piece is used again and again.
 *
 * New memory for each write costs more than what is written into it: without this, bodies of 64 KiB took 1.5 times as long.
 */
export class FrameMemory {
  #spare: Buffer | undefined;

  /** Gives memory for so many bytes, or more. */
  take(size: number): Buffer {
    const spare = this.#spare;
    if (size <= SPARE && spare) {
      this.#spare = undefined;
      return spare;
    }
    return size > SMALL ? Buffer.allocUnsafeSlow(Math.max(size, SPARE)) : Buffer.allocUnsafe(Math.max(size, LEAST));
  }

  /** Whether it is worth while to give frames back when they are written. */
  isReusable(frames: Buffer): boolean {
    return frames.buffer.byteLength === SPARE;
  }

  /** Takes frames back that nobody will look at again. */
  giveBack(frames: Buffer): void {
    if (this.isReusable(frames)) this.#spare = Buffer.from(frames.buffer);
    else this.#spare ??= Buffer.allocUnsafeSlow(SPARE);
  }
}

/** Room for the bodies of one write, the heads of their frames, and what is gathered before them, bytes. */
const SPARE: number = 96 * 1024;
/** Without a spare piece, this much and less is made to measure. */
const SMALL: number = 16 * 1024;
const LEAST = 1024;
const NOTHING: Buffer = Buffer.alloc(0);

/** Frames that are gathered to be sent in one write. */
export class FrameBuffer {
  readonly #memory: FrameMemory;
  #bytes: Buffer = NOTHING;
  #length = 0;

  constructor(memory: FrameMemory) {
    this.#memory = memory;
  }

  /** Bytes gathered. */
  get length(): number {
    return this.#length;
  }

  /** Gives what has been gathered, and starts anew. */
  take(): Buffer {
    const gathered = this.#bytes.subarray(0, this.#length);
    this.#bytes = NOTHING;
    this.#length = 0;
    return gathered;
  }

  /** What cannot be taken for now moves into memory made to measure: a client that does not read must not hold more than it is sent. */
  keep(): void {
    if (this.#bytes.buffer.byteLength !== SPARE || this.#length * 2 > SPARE) return;
    const shared = this.#bytes;
    this.#bytes = Buffer.from(shared.subarray(0, this.#length));
    this.#memory.giveBack(shared);
  }

  /** Makes room. @returns Where the next byte belongs. */
  #reserve(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const larger = this.#memory.take(Math.max(this.#length, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
    }
    return at;
  }

  /** Begins a frame whose payload is written right after. @returns Where the payload begins. */
  #begin(length: number, type: number, flags: number, id: number): number {
    const at = this.#reserve(FRAME_HEAD + length);
    const bytes = this.#bytes;
    bytes[at] = length >>> 16;
    bytes[at + 1] = length >>> 8;
    bytes[at + 2] = length;
    bytes[at + 3] = type;
    bytes[at + 4] = flags;
    put32(bytes, at + 5, id);
    return at + FRAME_HEAD;
  }

  /** A frame with a part of some bytes as its payload. */
  frame(type: number, flags: number, id: number, payload: Uint8Array, start: number, end: number): void {
    const at = this.#begin(end - start, type, flags, id);
    copy(payload, start, end, this.#bytes, at);
  }

  /** A DATA frame that holds a text. @param size Its bytes as UTF-8. */
  text(flags: number, id: number, text: string, size: number): void {
    const at = this.#begin(size, DATA, flags, id);
    if (size === text.length) this.#bytes.write(text, at, size, 'latin1');
    else this.#bytes.write(text, at, size, 'utf8');
  }

  /** A frame of one number: RST_STREAM, WINDOW_UPDATE. */
  number(type: number, id: number, value: number): void {
    const at = this.#begin(4, type, 0, id);
    put32(this.#bytes, at, value);
  }

  /** @param pairs Identifier, value, identifier, value… */
  settings(pairs: readonly number[]): void {
    let at = this.#begin(pairs.length * 3, SETTINGS, 0, 0);
    for (let i = 0; i < pairs.length; i += 2, at += 6) {
      this.#bytes[at] = (pairs[i] as number) >>> 8; // within, as is the next
      this.#bytes[at + 1] = pairs[i] as number;
      put32(this.#bytes, at + 2, pairs[i + 1] as number);
    }
  }

  acknowledgeSettings(): void {
    this.#begin(0, SETTINGS, ACK, 0);
  }

  goAway(lastId: number, code: number, why: string): void {
    const at = this.#begin(8 + why.length, GOAWAY, 0, 0);
    put32(this.#bytes, at, lastId);
    put32(this.#bytes, at + 4, code);
    this.#bytes.write(why, at + 8, why.length, 'latin1');
  }
}

/** A header block of less than this is copied byte by byte: a call into C++ costs more. */
const SHORT = 64;

function copy(from: Uint8Array, start: number, end: number, into: Buffer, at: number): void {
  if (end - start > SHORT) into.set(start === 0 && end === from.length ? from : from.subarray(start, end), at);
  else for (let i = start; i < end; i++) into[at + i - start] = from[i] as number;
}

function put32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
