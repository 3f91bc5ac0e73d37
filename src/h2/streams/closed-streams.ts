/**
 * How streams ended that are forgotten (RFC 9113 §5.1, "closed").
 *
 * What comes on a stream that we have reset may have been on its way, and is ignored. On one that the client has reset, it is an error of the
 * stream; on one that the client has ended, an error of the connection.
 *
 * @module
 */

/** Resets that are remembered: longer than anything is on its way. */
const MAX_REMEMBERED = 256;

/** The streams that were reset last. */
export class ClosedStreams {
  #resets: Map<number, boolean> | undefined;

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
}
