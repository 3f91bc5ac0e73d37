/**
 * Evenness among workers that accept from one shared socket.
 *
 * The system offers a new connection to all of them, and the first one awake takes it: in a burst a worker that is already awake takes most.
 * So a worker that has gained more than a few connections within a moment holds still for a fraction of a millisecond before it takes the
 * next: by then the others, woken by the same connection, are there. This costs nothing where connections come and go evenly, and it is bounded,
 * so that a flood cannot keep a worker still. Measured in docs/decisions/0001-distribution.md.
 *
 * @module
 */

/** A moment, ms. */
const SPAN = 100;
/** Connections that a worker may gain in a moment without regard for the others. */
const FREE = 4;
/** How long it holds still, ms: several times as long as it takes to wake a process. */
const STILLNESS = 0.3;
/** How often it holds still in a moment, at most: about a fifth of that moment in all. */
const MOST = 64;

const never = new Int32Array(new SharedArrayBuffer(4));

/** Counts what one worker gains. */
export class FairShare {
  #since = 0;
  #base = 0;
  #times = 0;

  /**
   * Called when a connection has been accepted.
   *
   * @param open Connections that are open now.
   */
  accepted(open: number): void {
    const now = performance.now();
    if (now - this.#since > SPAN) {
      this.#since = now;
      this.#base = open;
      this.#times = 0;
      return;
    }
    if (open < this.#base + FREE || this.#times === MOST) return;
    this.#times++;
    Atomics.wait(never, 0, 0, STILLNESS);
  }
}
