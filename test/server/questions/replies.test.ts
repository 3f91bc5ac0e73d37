import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Replies } from '../../../src/server/questions/replies.ts';

const PATIENCE = 1000;

/** One side that asks, with the questions it has sent. */
function asking(patience?: number): { replies: Replies<string, string>; sent: [id: number, question: string][] } {
  const sent: [number, string][] = [];
  return { replies: new Replies((id, question) => sent.push([id, question]), patience), sent };
}

describe('questions to another process or thread', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate'] });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('are matched to their answers by number, in whatever order these come', async () => {
    const { replies, sent } = asking();
    const asked = [replies.ask('first'), replies.ask('second')];
    expect(sent).toEqual([
      [0, 'first'],
      [1, 'second'],
    ]);
    replies.answered(1, 'two');
    replies.answered(0, 'one');
    expect(await Promise.all(asked)).toEqual(['one', 'two']);
  });

  it('may be answered before the call that sends them returns', async () => {
    const replies: Replies<string, string> = new Replies((id, question) => replies.answered(id, `${question}!`), PATIENCE);
    expect(await replies.ask('now')).toBe('now!');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('have no answer when the other side says that it knows none', async () => {
    const { replies } = asking();
    const asked = replies.ask('unknown');
    replies.answered(0, undefined);
    expect(await asked).toBeUndefined();
  });

  it('have no answer when none comes within the patience, and one that comes later is passed over', async () => {
    const { replies } = asking(PATIENCE);
    const asked = replies.ask('mute');
    await vi.advanceTimersByTimeAsync(PATIENCE + 1);
    expect(await asked).toBeUndefined();
    replies.answered(0, 'late');
    expect(await asked).toBeUndefined();
  });

  it('take an answer that waits behind the timer, as after a handler that took its time', async () => {
    const { replies } = asking(PATIENCE);
    const asked = replies.ask('slow');
    vi.advanceTimersToNextTimer(); // the timer alone; the message comes before setImmediate does
    replies.answered(0, 'there');
    expect(await asked).toBe('there');
  });

  it('leave no timer behind once they are answered', () => {
    const { replies } = asking(PATIENCE);
    void replies.ask('quick');
    expect(vi.getTimerCount()).toBe(1);
    replies.answered(0, 'here');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('wait for ever without a patience', () => {
    const { replies } = asking();
    void replies.ask('patient');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('have no answer when the other side is gone, and are not sent any more', async () => {
    const { replies, sent } = asking(PATIENCE);
    const before = replies.ask('before');
    replies.abandon();
    expect(await before).toBeUndefined();
    expect(await replies.ask('after')).toBeUndefined();
    expect(sent).toEqual([[0, 'before']]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('pass over an answer that nobody has asked for', async () => {
    const { replies } = asking();
    const asked = replies.ask('one');
    replies.answered(-1, 'unasked');
    replies.answered(0, 'one');
    expect(await asked).toBe('one');
  });
});
