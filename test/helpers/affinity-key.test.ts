import { afterEach, describe, expect, it } from 'vitest';
import { affinityKeyHere } from '../../src/index.ts';
import { homeText, settleIn, slotOf } from '../../src/process/place/slots.ts';

const before = homeText();
afterEach(() => settleIn(before));

const all = (): boolean => true;

describe('affinityKeyHere', () => {
  it('makes keys that belong to the slot of this worker, however many there are', () => {
    for (const [slot, count] of [
      [0, 1],
      [3, 4],
      [17, 64],
    ]) {
      settleIn(`${slot}:${count}`);
      for (let i = 0; i < 50; i++) expect(slotOf(affinityKeyHere(), count as number, all)).toBe(slot);
    }
  });

  it('counts the prefix as a part of the key', () => {
    settleIn('1:4');
    const keys = Array.from({ length: 50 }, () => affinityKeyHere('game-'));
    expect(keys.filter((key) => !/^game-[\w-]{24}$/.test(key))).toEqual([]);
    expect(keys.filter((key) => slotOf(key, 4, all) !== 1)).toEqual([]);
    expect(new Set(keys).size).toBe(50);
  });

  it('gives any random key where there are no slots', () => {
    expect(affinityKeyHere('a')).toMatch(/^a[\w-]{24}$/);
    expect(affinityKeyHere()).not.toBe(affinityKeyHere());
  });
});

describe('slotOf', () => {
  const KEYS = Array.from({ length: 20_000 }, (_, i) => `user-${i}`);

  it('spreads keys evenly', () => {
    const counts = [0, 0, 0, 0, 0];
    for (const key of KEYS) counts[slotOf(key, 5, all)] = (counts[slotOf(key, 5, all)] ?? 0) + 1;
    expect(Math.min(...counts)).toBeGreaterThan(3800);
    expect(Math.max(...counts)).toBeLessThan(4200);
  });

  it('gives the keys of a slot that does not count to all others, and moves no other key', () => {
    const counts = new Map<number, number>();
    for (const key of KEYS) {
      const slot = slotOf(key, 4, all);
      const without = slotOf(key, 4, (other) => other !== 2);
      if (slot !== 2) expect(without).toBe(slot);
      else counts.set(without, (counts.get(without) ?? 0) + 1);
    }
    expect([...counts.keys()].toSorted()).toEqual([0, 1, 3]);
    expect(Math.min(...counts.values())).toBeGreaterThan(1400);
  });

  it('is -1 when none counts', () => {
    expect(slotOf('a', 4, () => false)).toBe(-1);
  });
});
