/**
 * Workers that die young, or before they listen: how long the next one waits, and when there is no hope.
 *
 * @module
 */
import type { WorkerProcess } from './worker-process.ts';

/** A worker that has served this long was healthy, ms: whatever it dies of, its successor starts at once. */
const HEALTHY_AFTER = 60_000;
/** The wait before a successor, ms: none at first, then this, doubled each time up to the longest. */
const FIRST_DELAY = 100;
const LONGEST_DELAY = 30_000;
/** This many workers ending before they listen, within this time (ms) and with no other listening, end the server. */
export const MAX_FAILURES = 5;
const FAILURE_SPAN = 10_000;

/** What is known of the workers that have ended. */
export class EarlyDeaths {
  /** Deaths in a row of workers that were not healthy. */
  #inARow = 0;
  /** When workers ended before they listened. */
  #failures: number[] = [];
  /** The first of their errors. */
  firstFailure: string | undefined;

  /** How long the successor of a worker waits, ms. @param why It has left, in the words of the log. */
  delayAfter({ readyAt }: WorkerProcess, why: string): number {
    const age = readyAt === undefined ? 0 : performance.now() - readyAt;
    if (age > HEALTHY_AFTER) this.#inARow = 0;
    else if (!why.endsWith('SIGKILL')) this.#inARow++; // a worker that is killed from outside was not at fault
    return this.#inARow <= 1 ? 0 : Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (this.#inARow - 2));
  }

  /** A worker has ended before it listened. @returns How many have within `FAILURE_SPAN`. */
  countFailure(error: unknown): number {
    const now = performance.now();
    this.firstFailure ??= messageOf(error);
    this.#failures = [...this.#failures.filter((at) => now - at < FAILURE_SPAN), now];
    return this.#failures.length;
  }
}

/** What an error says of itself. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
