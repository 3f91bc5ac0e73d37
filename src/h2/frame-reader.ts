/**
 * Cuts what comes into frames (RFC 9113 §3.4, §4.1), behind the preface.
 *
 * A frame is passed on when it is whole: none is larger than 16 KiB.
 *
 * @module
 */
import { ConnectionError, FRAME_SIZE_ERROR, PROTOCOL_ERROR } from './errors.ts';
import { FRAME_HEAD, MAX_PAYLOAD, PADDED, PREFACE, read31 } from './frames.ts';

/** Bytes that are kept unread before the client has to wait. */
const MAX_AHEAD: number = 64 * 1024;
const NOTHING: Buffer = Buffer.alloc(0);

/** The frames of one connection, one after the other. */
export class FrameReader {
  /** The frame that was read last: its payload is `bytes` from `start` to `end`. */
  type = 0;
  flags = 0;
  id = 0;
  bytes: Buffer = NOTHING;
  start = 0;
  end = 0;
  /** Bytes of the preface that have come. */
  #preface = 0;
  #at = 0;
  #length = 0;
  /** Whether `bytes` is our own: what comes next may be put behind the input. */
  #isOwn = false;

  /** Whether bytes are here that make no whole frame, or have not been looked at. */
  get hasInput(): boolean {
    return this.#at < this.#length;
  }

  /** Whether so much has come that was not read that more must wait. */
  get isFull(): boolean {
    return this.#length - this.#at >= MAX_AHEAD;
  }

  /** Whether the preface has come whole. */
  get isOpen(): boolean {
    return this.#preface === PREFACE.length;
  }

  /** Bytes of its payload. */
  get length(): number {
    return this.end - this.start;
  }

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  payload(): Buffer {
    return this.bytes.subarray(this.start, this.end);
  }

  /** @throws ConnectionError unless the frame is one of a stream that a client can have started (§5.1.1). */
  onStream(): void {
    if (this.id % 2 === 0) throw new ConnectionError(PROTOCOL_ERROR, 'A frame came that needs a request, and there is none');
  }

  /** @throws ConnectionError unless the frame is one of the connection. */
  onConnection(): void {
    if (this.id !== 0) throw new ConnectionError(PROTOCOL_ERROR, 'A frame came on a stream that concerns the connection');
  }

  /** @throws ConnectionError unless the payload has that many bytes. */
  exactly(size: number): void {
    if (this.length !== size) throw wrongSize();
  }

  /** @throws ConnectionError unless the payload has that many bytes, or more. */
  atLeast(size: number): void {
    if (this.length < size) throw wrongSize();
  }

  /** Leaves out the padding of DATA and HEADERS, if there is any. @throws ConnectionError when it is longer than the frame (§6.1, §6.2). */
  removePadding(): void {
    if (!this.has(PADDED)) return;
    this.atLeast(1);
    const padding = this.bytes[this.start++] as number; // it is there
    if (padding > this.length) throw new ConnectionError(PROTOCOL_ERROR, 'The padding of a frame is longer than the frame');
    this.end -= padding;
  }

  /** Takes bytes in. They must not change before `keep` is called. */
  push(bytes: Buffer, length: number): void {
    if (this.#at === this.#length) {
      this.bytes = bytes;
      this.#isOwn = false;
      this.#at = 0;
      this.#length = length;
      return;
    }
    if (!this.#isOwn || this.bytes.length - this.#length < length) this.#own(this.#length - this.#at + length);
    bytes.copy(this.bytes, this.#length, 0, length);
    this.#length += length;
  }

  /** Copies what has not been read, so that the buffer it came in may be used again. */
  keep(): void {
    if (this.#at === this.#length) this.clear();
    else if (!this.#isOwn) this.#own(this.#length - this.#at);
  }

  /** Forgets the input. */
  clear(): void {
    this.bytes = NOTHING;
    this.#isOwn = false;
    this.#at = 0;
    this.#length = 0;
  }

  /**
   * Reads the next frame.
   *
   * @returns Whether there is a whole one.
   * @throws ConnectionError when the preface is another, or a frame is too large.
   */
  next(): boolean {
    if (this.#preface < PREFACE.length && !this.#readPreface()) return false;
    const { bytes } = this;
    const at = this.#at;
    const available = this.#length - at;
    if (available < FRAME_HEAD) return false;
    const size = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number); // nine are there
    if (size > MAX_PAYLOAD) throw new ConnectionError(FRAME_SIZE_ERROR, `A frame is larger than ${MAX_PAYLOAD} bytes`); // §4.2
    if (available < FRAME_HEAD + size) return false;
    this.type = bytes[at + 3] as number;
    this.flags = bytes[at + 4] as number;
    this.id = read31(bytes, at + 5);
    this.start = at + FRAME_HEAD;
    this.end = this.start + size;
    this.#at = this.end;
    return true;
  }

  #readPreface(): boolean {
    while (this.#preface < PREFACE.length && this.#at < this.#length) {
      if (this.bytes[this.#at++] !== PREFACE[this.#preface++]) throw new ConnectionError(PROTOCOL_ERROR, 'This is no HTTP/2');
    }
    return this.isOpen;
  }

  /** Moves what has not been read into a buffer of our own, with room for as much again: input may come byte by byte. */
  #own(size: number): void {
    const own = Buffer.allocUnsafe(size * 2);
    this.#length = this.bytes.copy(own, 0, this.#at, this.#length);
    this.bytes = own;
    this.#isOwn = true;
    this.#at = 0;
  }
}

function wrongSize(): ConnectionError {
  return new ConnectionError(FRAME_SIZE_ERROR, 'A frame has a size that its type cannot have');
}
