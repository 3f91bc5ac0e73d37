/** Waiting for what an event brings about: whoever waits looks again at each. */

/** Those that wait on one connection. */
export class Watchers {
  readonly #looks: Set<() => void> = new Set();

  /** Something has come. */
  wake(): void {
    for (const look of this.#looks) look();
  }

  /** Waits until a condition holds. @param failure Makes the error when it does not in time. @param deadline ms. */
  async until(isDone: () => boolean, failure: () => Error, deadline: number): Promise<void> {
    if (isDone()) return;
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (!isDone()) return;
        this.#looks.delete(look);
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#looks.delete(look);
        reject(failure());
      }, deadline);
      this.#looks.add(look);
    });
  }
}
