import { afterEach, describe, expect, it, vi } from 'vitest';
import { placeFound, Slowest } from '../../../src/server/seen/slowest.ts';

function requestTo(path: string): { method: string; path: string } {
  return { method: 'GET', path };
}

describe('the slowest requests', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('are the ten slowest, and the bar is what one must exceed to be among them', () => {
    const slowest = new Slowest();
    expect(slowest.bar).toBe(10);
    for (let ms = 100; ms < 120; ms++) slowest.note(requestTo(`/${ms}`), ms, 200);
    expect(slowest.list().map(({ ms }) => ms)).toEqual([119, 118, 117, 116, 115, 114, 113, 112, 111, 110]);
    expect(slowest.bar).toBe(110);
  });

  it('are forgotten after five minutes, and the bar with them', () => {
    vi.useFakeTimers();
    const slowest = new Slowest();
    for (let i = 0; i < 10; i++) slowest.note(requestTo('/old'), 1000, 200);
    vi.advanceTimersByTime(5 * 60_000 + 1);
    slowest.note(requestTo('/new'), 20, 200);
    expect(slowest.list().map(({ path }) => path)).toEqual(['/new']);
    expect(slowest.bar).toBe(10);
  });

  it('bring the line at which the request was found to stand, before it was over or after', () => {
    const slowest = new Slowest();
    const [before, after] = [requestTo('/before'), requestTo('/after')];
    placeFound(before, 'at work (a.ts:1:1)');
    slowest.note(before, 40, 503);
    slowest.note(after, 30, 200);
    placeFound(after, 'at work (b.ts:1:1)');
    placeFound(after, undefined);
    expect(slowest.list().map(({ place }) => place)).toEqual(['at work (a.ts:1:1)', 'at work (b.ts:1:1)']);
  });
});
