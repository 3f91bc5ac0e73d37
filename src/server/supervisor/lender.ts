/**
 * `maxConnections` over all workers, exactly: the primary owns the number and lends parts of it; inside/lease-gate.ts is the worker's side.
 *
 * A worker admits connections out of its lease. When that is used up, the next connection waits unread while the primary is asked. The
 * primary lends what is free. When nothing is, it first reclaims what other workers have borrowed and do not use, and only then says no. So the sum
 * never exceeds the number, and no part of it lies idle while a client is refused. The lease of a worker that dies comes back.
 *
 * @module
 */
import { PORTION } from './messages.ts';

/** A borrower, as the lender sees it. */
export interface Borrower {
  /** Connections lent. */
  lent: number;
  grant(count: number): void;
  reclaim(): void;
}

/** The primary's side. */
export class Lender {
  #free: number;
  readonly #borrowers: Set<Borrower> = new Set();
  /** Borrowers that wait for the answers of others. */
  readonly #waiting: Set<Borrower> = new Set();
  /** Borrowers that have not answered `reclaim` yet. */
  readonly #asked: Set<Borrower> = new Set();
  readonly #portion: number;

  constructor(total: number, workers: number) {
    this.#free = total;
    this.#portion = Math.max(1, Math.min(PORTION, Math.floor(total / (workers * 4))));
  }

  add(borrower: Borrower): void {
    this.#borrowers.add(borrower);
  }

  /** A worker is gone, with all its connections. */
  remove(borrower: Borrower): void {
    if (!this.#borrowers.delete(borrower)) return;
    this.#waiting.delete(borrower);
    this.#free += borrower.lent;
    this.#settle(borrower);
  }

  /** A worker has used up its lease. */
  want(borrower: Borrower): void {
    if (!this.#borrowers.has(borrower)) return; // sent before its death, read after it
    if (this.#lend(borrower)) return;
    this.#waiting.add(borrower);
    for (const other of this.#borrowers) {
      if (other === borrower || other.lent === 0 || this.#asked.has(other) || this.#waiting.has(other)) continue;
      this.#asked.add(other);
      other.reclaim();
    }
    if (this.#asked.size === 0) this.#answerAll();
  }

  /** A worker gives back what it does not use; also its answer to `reclaim`, even when that is nothing. */
  giveBack(borrower: Borrower, count: number): void {
    if (!this.#borrowers.has(borrower)) return; // all it had has come back by its death
    borrower.lent -= count;
    this.#free += count;
    this.#settle(borrower);
  }

  #settle(borrower: Borrower): void {
    this.#asked.delete(borrower);
    for (const waiting of this.#waiting) {
      if (this.#free > 0 && this.#lend(waiting)) this.#waiting.delete(waiting);
    }
    if (this.#asked.size === 0) this.#answerAll();
  }

  /** Everyone has answered, and nothing is left: those that wait get nothing. */
  #answerAll(): void {
    for (const waiting of this.#waiting) waiting.grant(0);
    this.#waiting.clear();
  }

  #lend(borrower: Borrower): boolean {
    const count = Math.min(this.#portion, this.#free);
    if (count === 0) return false;
    this.#free -= count;
    borrower.lent += count;
    borrower.grant(count);
    return true;
  }
}
