import { describe, expect, it } from 'vitest';
import { addDurations, DURATION_BOUNDS, DurationTally, durationsSince, NO_DURATIONS, quantileOf } from '../../src/process/durations.ts';

function tallyOf(...seconds: readonly number[]): DurationTally {
  const tally = new DurationTally();
  for (const one of seconds) tally.add(one);
  return tally;
}

describe('DurationTally', () => {
  it('counts each duration in the bucket whose bound is the first that it does not exceed', () => {
    const { count, buckets } = tallyOf(0, 0.0005, 0.00051, 0.001, 29.9, 30, 30.1, 4000).read();
    expect(count).toBe(8);
    expect(buckets).toEqual([2, 2, ...Array.from({ length: DURATION_BOUNDS.length - 3 }, () => 0), 2, 2]);
  });

  it('adds them up', () => {
    expect(tallyOf(0.25, 0.5, 60).read().sum).toBe(60.75);
  });

  it('counts where it is told, so that another thread can read it', () => {
    const cells = new Float64Array(new SharedArrayBuffer(8 * 32));
    new DurationTally(cells).add(0.3);
    expect(new DurationTally(cells).read()).toMatchObject({ count: 1, sum: 0.3 });
  });
});

describe('the durations of several', () => {
  it('are added bucket by bucket, and nothing added changes nothing', () => {
    const [a, b] = [tallyOf(0.01, 3).read(), tallyOf(0.01, 0.2).read()];
    expect(addDurations(a, b)).toEqual(tallyOf(0.01, 3, 0.01, 0.2).read());
    expect(addDurations(NO_DURATIONS, a)).toEqual(a);
    expect(durationsSince(a, addDurations(a, b))).toMatchObject({ count: 2, buckets: b.buckets });
  });
});

describe('quantileOf', () => {
  it('finds a percentile by count, and spreads what is inside a bucket evenly', () => {
    const tally = new DurationTally();
    for (let i = 0; i < 90; i++) tally.add(0.04); // up to 0.05
    for (let i = 0; i < 10; i++) tally.add(0.2); // up to 0.25
    expect(quantileOf(tally.read(), 0.45)).toBeCloseTo(0.0375, 10); // in the middle of 0.025 to 0.05
    expect(quantileOf(tally.read(), 0.9)).toBeCloseTo(0.05, 10);
    expect(quantileOf(tally.read(), 0.95)).toBeCloseTo(0.175, 10); // in the middle of 0.1 to 0.25
  });

  it('is the last bound for what took longer than all of them, and undefined of nothing', () => {
    expect(quantileOf(tallyOf(100).read(), 0.5)).toBe(30);
    expect(quantileOf(NO_DURATIONS, 0.5)).toBeUndefined();
  });
});
