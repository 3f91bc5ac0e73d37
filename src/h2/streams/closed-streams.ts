/**
 * How streams ended that are forgotten (RFC 9113 §5.1, "closed").
 *
 * What comes on a stream that we have reset may have been on its way, and is ignored. On one that the client has reset, it is an error of the
 * stream; on one that the client has ended, an error of the connection. So it is on one that the client has left out: the use of a higher number
 * has closed it (§5.1.1).
 *
 * @module
 */

/** Resets that are remembered: longer than anything is on its way. */
const MAX_REMEMBERED = 256;
/** Gaps in the numbers that are remembered. Clients leave none. */
const MAX_GAPS = 64;

/** The streams that were reset last. */
export class ClosedStreams {
  #resets: Map<number, boolean> | undefined;
  /** The first and the last number of each gap. */
  #gaps: [first: number, last: number][] | undefined;

  /** @param isOurs Whether we have reset it. */
  note(id: number, isOurs: boolean): void {
    this.#resets ??= new Map();
    if (this.#resets.size >= MAX_REMEMBERED) this.#resets.delete(this.#resets.keys().next().value as number); // it is not empty
    this.#resets.set(id, isOurs);
  }

  /** Whether we have reset it. */
  isOurs(id: number): boolean {
    return this.#resets?.get(id) === true;
  }

  /** Whether the client has reset it. */
  isTheirs(id: number): boolean {
    return this.#resets?.get(id) === false;
  }

  /** The client has left numbers out. */
  noteGap(first: number, last: number): void {
    this.#gaps ??= [];
    if (this.#gaps.push([first, last]) > MAX_GAPS) this.#gaps.shift();
  }

  /** Whether the client has left it out. */
  isLeftOut(id: number): boolean {
    return this.#gaps?.some(([first, last]) => first <= id && id <= last) === true;
  }
}
