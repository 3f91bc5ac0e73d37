/**
 * A worker's share of `maxConnections`: the other side of lender.ts.
 *
 * @module
 */
import type { ConnectionGate } from '../../connection-gate.ts';
import { PORTION } from '../messages.ts';

/** The worker's side: a gate that admits out of a lease. */
export class LeaseGate implements ConnectionGate {
  /** Connections that may still come in. */
  #free = 0;
  #isAsking = false;
  readonly #waiting: ((isAdmitted: boolean) => void)[] = [];
  readonly #ask: () => void;
  readonly #giveBack: (count: number) => void;

  /**
   * @param ask Tells the primary that the lease is used up.
   * @param giveBack Gives part of the lease back.
   */
  constructor(ask: () => void, giveBack: (count: number) => void) {
    this.#ask = ask;
    this.#giveBack = giveBack;
  }

  enter(): boolean | Promise<boolean> {
    if (this.#free > 0) {
      this.#free--;
      return true;
    }
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#request();
    });
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next) return next(true);
    this.#free++;
    if (this.#free < PORTION * 2) return;
    this.#free -= PORTION;
    this.#giveBack(PORTION);
  }

  /** The primary's answer: 0 means that there is no more. */
  granted(count: number): void {
    this.#isAsking = false;
    this.#free += count;
    while (this.#free > 0 && this.#waiting.length > 0) {
      this.#free--;
      this.#waiting.shift()?.(true);
    }
    if (count === 0) for (const refuse of this.#waiting.splice(0)) refuse(false);
    else if (this.#waiting.length > 0) this.#request();
  }

  /** The primary asks for what is free. */
  reclaimed(): void {
    const count = this.#free;
    this.#free = 0;
    this.#giveBack(count);
  }

  #request(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#ask();
  }
}
