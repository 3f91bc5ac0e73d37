import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sharedForAWhile } from '../../../src/server/questions/shared-for-a-while.ts';

describe('a question that is shared for a while', () => {
  let now = 0;
  beforeEach(() => {
    now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('is asked once for all who ask until the answer is there, and for a moment after that', async () => {
    let count = 0;
    const ask = sharedForAWhile(async () => ++count);
    expect(await Promise.all([ask(), ask()])).toEqual([1, 1]);
    now = 399;
    expect(await ask()).toBe(1);
    now = 400;
    expect(await ask()).toBe(2);
  });

  it('is asked again after a failure', async () => {
    let count = 0;
    const ask = sharedForAWhile(async () => {
      if (++count === 1) throw new Error('failed');
      return count;
    });
    await expect(ask()).rejects.toThrow('failed');
    now = 400;
    expect(await ask()).toBe(2);
  });
});
