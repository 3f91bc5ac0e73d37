import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { drainOnSignals } from '../../src/server/signals.ts';

describe('drainOnSignals', () => {
  const others = { SIGTERM: process.listeners('SIGTERM'), SIGINT: process.listeners('SIGINT') };

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.removeAllListeners(signal);
  });

  afterEach(() => {
    vi.useRealTimers();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.removeAllListeners(signal);
      for (const listener of others[signal]) process.on(signal, listener);
    }
  });

  /** Whether each call was urgent. The drain never ends, so that this process does not either. */
  function callsOf(): boolean[] {
    const calls: boolean[] = [];
    drainOnSignals((isUrgent) => {
      calls.push(isUrgent);
      return new Promise(() => {});
    });
    return calls;
  }

  it('drains once for a Ctrl-C that a launcher passes on as well', () => {
    const calls = callsOf();
    process.emit('SIGINT');
    vi.advanceTimersByTime(499);
    process.emit('SIGINT');
    process.emit('SIGTERM');
    expect(calls).toEqual([false]);
  });

  it('ends the server at once with a second signal half a second later', () => {
    const calls = callsOf();
    process.emit('SIGTERM');
    vi.advanceTimersByTime(500);
    process.emit('SIGINT');
    expect(calls).toEqual([false, true]);
  });
});
