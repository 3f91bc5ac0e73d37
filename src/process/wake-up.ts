/**
 * A wake-up signal for one loop that is fed by events.
 *
 * @module
 */

/** Lets one loop wait until an event wakes it. What happens while nobody waits is not kept: look first, then wait. */
export class WakeUp {
  #resolve: (() => void) | undefined;

  /** Whether somebody waits. */
  get isWaiting(): boolean {
    return this.#resolve !== undefined;
  }

  /** Waits until the next `wake`. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Wakes the loop: something has happened. */
  wake(): void {
    const resolve = this.#resolve;
    this.#resolve = undefined;
    resolve?.();
  }
}
