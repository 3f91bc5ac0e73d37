/**
 * What is said of a Redis that cannot be reached.
 *
 * @module
 */

/** Says it once, until Redis has been reached again. */
export class Outage {
  readonly #what: string;
  #isOn = false;

  /** @param what The whole sentence but for the reason. */
  constructor(what: string) {
    this.#what = what;
  }

  readonly fail = (error: unknown): void => {
    if (this.#isOn) return;
    this.#isOn = true;
    console.error(`${this.#what}: ${error instanceof Error ? error.message || error.name : String(error)}`);
  };

  readonly end = (): void => {
    this.#isOn = false;
  };
}
