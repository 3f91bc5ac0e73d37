import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HitCounter, TICKS } from '../../src/process/hit-counter.ts';

const WINDOW = 32; // seconds: a tick is one second
const TICK = (WINDOW * 1000) / TICKS;

/** Whether a hit is let through. */
function passes(counter: HitCounter, now: number, { key = 'a', window = WINDOW, limit = 3 } = {}): boolean {
  return counter.hit(key, window, limit, now).count <= limit;
}

describe('HitCounter', () => {
  it('counts up to the limit, and gives one more than that to whoever is refused', () => {
    const counter = new HitCounter();
    expect([0, 1, 2, 3, 4].map((now) => counter.hit('a', WINDOW, 3, now).count)).toEqual([1, 2, 3, 4, 4]);
  });

  it('counts each key, and each length of window, by itself', () => {
    const counter = new HitCounter();
    for (let i = 0; i < 3; i++) passes(counter, 0);
    expect(passes(counter, 0)).toBe(false);
    expect(passes(counter, 0, { key: 'b' })).toBe(true);
    expect(passes(counter, 0, { window: 60 })).toBe(true);
  });

  it('says when there will be room again, to the millisecond', () => {
    const counter = new HitCounter();
    for (const now of [500, 7000, 8000]) passes(counter, now);
    const { resetAfter } = counter.hit('a', WINDOW, 3, 9000);
    expect(passes(counter, 9000 + resetAfter * 1000 - 1)).toBe(false);
    expect(passes(counter, 9000 + resetAfter * 1000)).toBe(true);
    expect(passes(counter, 9000 + resetAfter * 1000)).toBe(false); // the second and the third are still there
  });

  it('does not count what it refuses: who keeps asking gets through again', () => {
    const counter = new HitCounter();
    let passed = 0;
    for (let now = 0; now < 10 * (WINDOW * 1000 + TICK); now += 100) if (passes(counter, now)) passed++;
    expect(passed).toBe(30);
  });

  it('lets at most the limit through in any stretch of a window, and refuses nobody who had room for a tick longer than that', () => {
    const step = fc.record({ key: fc.constantFrom('a', 'b'), wait: fc.nat({ max: WINDOW * 250 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 5 }), fc.nat(), (steps, limit, start) => {
        const counter = new HitCounter();
        const passed: { key: string; at: number }[] = [];
        let now = start;
        for (const { key, wait } of steps) {
          now += wait;
          const { count, resetAfter } = counter.hit(key, WINDOW, limit, now);
          const since = (ms: number): number => passed.filter((one) => one.key === key && one.at > now - ms).length;
          if (count <= limit) {
            expect(since(WINDOW * 1000)).toBeLessThan(limit);
            passed.push({ key, at: now });
          } else expect(since(WINDOW * 1000 + TICK)).toBeGreaterThanOrEqual(limit);
          expect(resetAfter).toBeGreaterThan(0);
          expect(resetAfter).toBeLessThanOrEqual(WINDOW + TICK / 1000);
        }
      }),
    );
  });

  it('tells what it has counted, as long as it counts, and forgets it when told', () => {
    const counter = new HitCounter();
    const peek = (now: number): unknown => counter.peek('a', WINDOW, 3, now);
    expect(peek(0)).toEqual({ count: 0, resetAfter: 0 });
    for (const now of [500, 7000]) passes(counter, now);
    expect([peek(8000), peek(8000)]).toEqual([
      { count: 2, resetAfter: 25 },
      { count: 2, resetAfter: 25 },
    ]);
    expect(peek(WINDOW * 1000 + TICK)).toEqual({ count: 1, resetAfter: 7 });
    expect(peek(2 * WINDOW * 1000)).toEqual({ count: 0, resetAfter: 0 });
    passes(counter, 2 * WINDOW * 1000);
    counter.reset('b', WINDOW);
    counter.reset('a', 60);
    expect(peek(2 * WINDOW * 1000)).toMatchObject({ count: 1 });
    counter.reset('a', WINDOW);
    expect(peek(2 * WINDOW * 1000)).toEqual({ count: 0, resetAfter: 0 });
    expect(counter.size).toBe(0);
  });

  it('forgets keys when their window is over', () => {
    const counter = new HitCounter();
    for (let i = 0; i < 10_001; i++) passes(counter, 0, { key: `k${i}` });
    expect(counter.size).toBe(10_001);
    passes(counter, 5 * TICK, { key: 'k0' });
    passes(counter, WINDOW * 1000 + TICK, { key: 'late' });
    expect(counter.size).toBe(2);
  });

  it('keeps no more keys than it may, and forgets those that were hit the longest ago', () => {
    const counter = new HitCounter(32);
    for (let i = 0; i < 3; i++) passes(counter, i, { key: 'first' });
    for (let i = 0; i < 31; i++) passes(counter, TICK, { key: `k${i}` });
    for (let i = 0; i < 3; i++) passes(counter, 2 * TICK, { key: 'last' });
    expect(counter.size).toBeLessThanOrEqual(32);
    expect(passes(counter, 2 * TICK, { key: 'last' })).toBe(false);
    expect(passes(counter, 2 * TICK, { key: 'first' })).toBe(true);
    for (let i = 0; i < 100_000; i++) passes(counter, 2 * TICK, { key: `n${i}` });
    expect(counter.size).toBeLessThanOrEqual(32);
  });
});
