/**
 * Tells those who wait for it that a server has begun to drain.
 *
 * @module
 */

/** The beginning of a drain. */
export class Stopping {
  #hasBegun = false;
  readonly #calls: Set<() => void> = new Set();

  /** Calls a function when the drain begins; at once when it has. @returns Takes it back. */
  when(call: () => void): () => void {
    if (this.#hasBegun) call();
    else this.#calls.add(call);
    return () => this.#calls.delete(call);
  }

  /** The drain begins. */
  begin(): void {
    this.#hasBegun = true;
    for (const call of this.#calls) call();
    this.#calls.clear();
  }
}
