import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Exchange } from '../../../src/exchange/exchange.ts';
import { Traffic } from '../../../src/server/figures/traffic.ts';

/** An exchange whose request came at this time. */
function exchangeAt(readAt: number): Exchange {
  return {
    request: { readAt, method: 'GET', path: '/', route: undefined },
    head: { method: 'GET' },
    isAwaited: true,
  } as unknown as Exchange;
}

describe('how long requests take', () => {
  let now = 0;
  beforeEach(() => {
    now = 10_000;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('is measured while somebody looks, and for five seconds after that', () => {
    const clock = { now };
    const traffic = new Traffic(false, clock);
    traffic.answering(exchangeAt(now - 2), 200);
    expect(traffic.look().count).toBe(0);
    traffic.answering(exchangeAt(now - 2), 200);
    clock.now = 14_999;
    now = 15_100;
    traffic.answering(exchangeAt(now - 2), 200);
    clock.now = 15_000;
    traffic.answering(exchangeAt(now - 2), 200);
    expect(traffic.look()).toMatchObject({ count: 2, sum: 0.004 });
  });

  it('is told by the last tick of the clock while nobody looks, which is enough to find those that took long', () => {
    const traffic = new Traffic(false, { now: now - 100 });
    const asked = vi.mocked(performance.now).mock.calls.length;
    traffic.answering(exchangeAt(now - 50), 200);
    expect(vi.mocked(performance.now).mock.calls.length).toBe(asked);
    traffic.answering(exchangeAt(now - 3000), 503);
    expect(traffic.slowest.list()).toMatchObject([{ ms: 3000, status: 503 }]);
  });
});
