/**
 * One who waits for something to happen, and looks again whenever it does: for loops that are fed by events.
 *
 * @module
 */

/** Lets one wait until others wake it. What happens while nobody waits is not kept: look first, then wait. */
export class Waiter {
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

  /** Something has happened. */
  wake(): void {
    const resolve = this.#resolve;
    this.#resolve = undefined;
    resolve?.();
  }
}
