/**
 * How long things took, counted in buckets: a histogram. Those of several processes are added up, and percentiles are read from the sum.
 *
 * @module
 */

/** How many things took how long. */
export interface Durations {
  readonly count: number;
  /** Of all of them, seconds. */
  readonly sum: number;
  /**
   * How many took no longer than the bound at the same place in `DURATION_BOUNDS`, but longer than the one before it. The last is one more
   * than there are bounds: what took longer than all of them.
   */
  readonly buckets: readonly number[];
}

/** Upper bounds of the buckets, seconds. From what a server does without waiting for anybody, to what users do not wait for. */
export const DURATION_BOUNDS: readonly number[] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

const BUCKETS = DURATION_BOUNDS.length + 1;
/** The cell behind the buckets has the sum, seconds. */
const SUM = BUCKETS;
/** Numbers that a tally takes. */
export const TALLY_CELLS: number = BUCKETS + 1;

/** Nothing has been counted. */
export const NO_DURATIONS: Durations = { count: 0, sum: 0, buckets: DURATION_BOUNDS.map(() => 0).concat(0) };

/** Counts durations. To count one allocates nothing. */
export class DurationTally {
  readonly #cells: Float64Array;

  /** @param cells Where it counts, `TALLY_CELLS` of them: in memory that another thread reads, if it is shared. */
  constructor(cells: Float64Array = new Float64Array(TALLY_CELLS)) {
    this.#cells = cells;
  }

  /** Counts one. @param seconds Not negative. */
  add(seconds: number): void {
    const cells = this.#cells;
    let at = 0; // most are in the first
    while (at < DURATION_BOUNDS.length && seconds > (DURATION_BOUNDS[at] as number)) at++;
    cells[at] = (cells[at] as number) + 1;
    cells[SUM] = (cells[SUM] as number) + seconds;
  }

  /** What has been counted. */
  read(): Durations {
    const buckets = Array.from(this.#cells.subarray(0, BUCKETS));
    return { count: buckets.reduce((sum, count) => sum + count, 0), sum: this.#cells[SUM] as number, buckets };
  }
}

/** Both together. */
export function addDurations(a: Durations, b: Durations): Durations {
  return { count: a.count + b.count, sum: a.sum + b.sum, buckets: a.buckets.map((count, i) => count + (b.buckets[i] as number)) };
}

/** What has come since an earlier look at the same tally. */
export function durationsSince(earlier: Durations, later: Durations): Durations {
  return {
    count: later.count - earlier.count,
    sum: later.sum - earlier.sum,
    buckets: later.buckets.map((count, i) => count - (earlier.buckets[i] as number)),
  };
}

/**
 * A percentile, as exact as the buckets are narrow: within one, times are taken to be spread evenly, as `histogram_quantile` of Prometheus does.
 *
 * @param share 0.99 for the time that 99 % did not exceed.
 * @returns Seconds; the last bound when it was longer than that; undefined when nothing was counted.
 */
export function quantileOf({ count, buckets }: Durations, share: number): number | undefined {
  if (count === 0) return undefined;
  const rank = share * count;
  let below = 0;
  for (const [i, bound] of DURATION_BOUNDS.entries()) {
    const inside = buckets[i] as number;
    if (inside > 0 && below + inside >= rank) {
      const from = i === 0 ? 0 : (DURATION_BOUNDS[i - 1] as number);
      return from + ((bound - from) * Math.max(0, rank - below)) / inside;
    }
    below += inside;
  }
  return DURATION_BOUNDS.at(-1);
}
