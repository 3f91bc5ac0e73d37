/**
 * A header block that comes in several frames (RFC 9113 §4.3): nothing else may come between them.
 *
 * @module
 */
import { ConnectionError, ENHANCE_YOUR_CALM } from './errors.ts';

/** More CONTINUATION frames for one block have no purpose: each holds up to 16 KiB (CVE-2024-27316). */
const MAX_FRAMES = 16;

/** The fragments of one block. */
export class HeaderFragments {
  readonly #maxSize: number;
  #fragments: Buffer[] = [];
  #size = 0;

  /** @param maxSize Octets of a block. */
  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  get isEmpty(): boolean {
    return this.#fragments.length === 0;
  }

  /** Adds a fragment, which is copied. @throws ConnectionError ENHANCE_YOUR_CALM: a block that is not decoded is the end of the connection. */
  add(payload: Uint8Array, start: number, end: number): void {
    this.#size += end - start;
    if (this.#size > this.#maxSize) throw new ConnectionError(ENHANCE_YOUR_CALM, 'A header block is too large');
    if (this.#fragments.length === MAX_FRAMES) throw new ConnectionError(ENHANCE_YOUR_CALM, 'A header block has too many frames');
    this.#fragments.push(Buffer.from(payload.subarray(start, end)));
  }

  /** The whole block. */
  take(): Buffer {
    const whole = Buffer.concat(this.#fragments, this.#size);
    this.#fragments = [];
    this.#size = 0;
    return whole;
  }
}
