import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { NO_DURATIONS } from '../../../src/process/durations.ts';
import { Sight } from '../../../src/server/supervisor/sight.ts';

describe('the sight of a worker', () => {
  it('is what the worker says, as long as it answers', async () => {
    const seen = { threads: [], slowest: [], latency: NO_DURATIONS, marks: [] };
    const sight: Sight = new Sight({ look: (id) => sight.looked(id, seen), watch: () => expect.unreachable() });
    expect(await sight.activity()).toBe(seen);
  });

  it('is what its watching thread says when it does not answer, also when that takes its time the next time', async () => {
    let isMute = false;
    const standing = {
      ms: 900,
      request: { method: 'GET', path: '/loop' },
      place: 'at forEver (a.js:1:1)',
      stack: ['at forEver (a.js:1:1)'],
    };
    const sight: Sight = new Sight({ look: () => {}, watch: (id) => isMute || sight.stands(id, standing) });
    const thread = {
      thread: 0,
      state: 'running',
      place: standing.place,
      open: 1,
      requests: [{ method: 'GET', path: '/loop', ms: 900 }],
    };
    expect((await sight.activity()).threads).toEqual([thread]);
    expect(await sight.stackOf(0)).toEqual(standing.stack);
    isMute = true;
    expect((await sight.activity()).threads).toEqual([thread]);
  });

  it('is a thread that cannot be looked into when neither answers, and the watching thread is not asked again meanwhile', async () => {
    let asked = 0;
    const sight = new Sight({ look: () => {}, watch: () => asked++ });
    expect((await sight.activity()).threads).toEqual([{ thread: 0, state: 'blocked', open: 0, requests: [] }]);
    expect(await sight.stackOf(0)).toBeUndefined();
    expect(asked).toBe(1);
  });

  it('waits for the stack of a handler thread for as long as the worker may take to look into it', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const asked: number[] = [];
    const sight = new Sight({ look: (id) => asked.push(id), watch: () => expect.unreachable() });
    const stack = sight.stackOf(2);
    vi.advanceTimersByTime(3400);
    await new Promise(setImmediate);
    sight.looked(asked[0] as number, ['at forEver (a.js:1:1)']);
    expect(await stack).toEqual(['at forEver (a.js:1:1)']);
  });

  it('ends with the worker', async () => {
    const sight = new Sight({ look: () => {}, watch: () => {} });
    sight.abandon();
    expect((await sight.activity()).threads).toHaveLength(1);
    expect(await sight.stackOf(1)).toBeUndefined();
  });
});
