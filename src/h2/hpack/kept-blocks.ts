/**
 * Header blocks that a connection has seen, to know them again by their bytes: clients repeat themselves (docs/decisions/0009-repetition.md).
 *
 * The same bytes mean the same fields as long as the table is the same, and they leave it as it is when the block inserts nothing. So a client
 * whose fields are in the table, or that does not use it, is answered with what was decoded before, after one comparison of all its bytes.
 *
 * @module
 */
import type { DecodedHeaders, HeaderLimits } from './header-block.ts';

/** How many blocks: a page and what it polls. */
const MAX_BLOCKS = 4;
/** Longest block that is kept: all of a browser's fields in full. Nothing that depends on it is larger than the limits let a list be. */
const MAX_KEPT = 1024;

interface KeptBlock {
  readonly bytes: Buffer;
  readonly headers: DecodedHeaders;
}

/** The last blocks of a connection that changed nothing in its table. */
export class KeptBlocks {
  #blocks: KeptBlock[] = [];
  /** Which one gives way to the next. */
  #oldest = 0;
  /** The table and the limits that all of them were decoded with. */
  #revision = 0;
  #limits: HeaderLimits | undefined;

  /** What these bytes were decoded to, if that was with this revision of the table and these limits. */
  find(block: Uint8Array, start: number, end: number, revision: number, limits: HeaderLimits): DecodedHeaders | undefined {
    if (revision !== this.#revision || limits !== this.#limits) return undefined;
    for (const { bytes, headers } of this.#blocks) {
      if (bytes.length !== end - start || bytes[bytes.length - 1] !== block[end - 1]) continue; // a call costs 80 ns, measured
      if (bytes.compare(block, start, end) === 0) return headers;
    }
    return undefined;
  }

  /** Keeps what a block was decoded to that left the table at this revision, as it had been before. */
  keep(block: Uint8Array, start: number, end: number, revision: number, limits: HeaderLimits, headers: DecodedHeaders): void {
    if (end - start > MAX_KEPT) return;
    if (revision !== this.#revision || limits !== this.#limits) this.#forget(revision, limits);
    const bytes = Buffer.allocUnsafeSlow(end - start); // not a part of a larger one, which it would hold
    bytes.set(block.subarray(start, end));
    this.#blocks[this.#oldest] = { bytes, headers };
    this.#oldest = (this.#oldest + 1) % MAX_BLOCKS;
  }

  #forget(revision: number, limits: HeaderLimits): void {
    this.#blocks = [];
    this.#oldest = 0;
    this.#revision = revision;
    this.#limits = limits;
  }
}
