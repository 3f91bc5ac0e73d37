import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest';
import { FairShare } from '../../src/server/fair-share.ts';

/** As in fair-share.ts: how long a moment is, what a worker may gain in it freely, and how often it holds still at most. */
const SPAN = 100;
const FREE = 4;
const MOST = 64;

describe('the fair share of a worker', () => {
  let share: FairShare;
  /** Each call is one time that the worker holds still. */
  let stillness: MockInstance<typeof Atomics.wait>;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
    vi.advanceTimersByTime(SPAN * 10);
    stillness = vi.spyOn(Atomics, 'wait').mockReturnValue('timed-out');
    share = new FairShare();
  });

  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  /** Accepts connections one after the other, all of which stay open. */
  function accept(count: number, open = 0): void {
    for (let i = 0; i < count; i++) share.accepted(open + i);
  }

  it('costs nothing for the first few connections of a moment', () => {
    accept(FREE);
    expect(stillness).not.toHaveBeenCalled();
  });

  it('makes it hold still for each connection that it gains beyond them', () => {
    accept(FREE + 5);
    expect(stillness).toHaveBeenCalledTimes(5);
  });

  it('makes it hold still for less than a millisecond, whoever may wake it', () => {
    accept(FREE + 1);
    const [array, index, value, time] = stillness.mock.lastCall as Parameters<typeof Atomics.wait>;
    expect(array[index]).toBe(value); // else the wait would end at once
    expect(time).toBeGreaterThan(0);
    expect(time).toBeLessThan(1);
  });

  it('is bounded in a moment, so that a flood cannot keep it still', () => {
    accept(10_000);
    expect(stillness).toHaveBeenCalledTimes(MOST);
  });

  it('begins anew with each moment', () => {
    accept(10_000);
    vi.advanceTimersByTime(SPAN + 1);
    stillness.mockClear();
    accept(FREE, 10_000);
    expect(stillness).not.toHaveBeenCalled();
    accept(10_000, 10_000 + FREE);
    expect(stillness).toHaveBeenCalledTimes(MOST);
  });

  it('costs nothing where connections come and go evenly', () => {
    for (let i = 0; i < 1000; i++) share.accepted(50 + (i % FREE));
    expect(stillness).not.toHaveBeenCalled();
  });

  it('costs nothing where connections come slowly', () => {
    for (let i = 0; i < 1000; i++) {
      vi.advanceTimersByTime(SPAN / 2);
      share.accepted(i);
    }
    expect(stillness).not.toHaveBeenCalled();
  });
});
