import { describe, expect, it } from 'vitest';
import { mark, marksOf, recentMarks } from '../../../src/server/seen/marks.ts';

describe('the marks of a process', () => {
  it('are the events of its log that happened to workers and threads: the last fifty, each bounded', () => {
    mark('slow', 'not one of them');
    for (let i = 0; i < 60; i++) mark('replaced', `${i}${'x'.repeat(1000)}`);
    const messages = recentMarks().map(({ message }) => message);
    expect(messages).toHaveLength(50);
    expect(messages[0]?.slice(0, 3)).toBe('10x');
    expect(messages[0]).toHaveLength(500);
  });

  it('come in the order of time when those of several processes are put together', () => {
    const at = (time: number) => ({ at: time, event: 'replaced', message: '' });
    expect(marksOf([at(1), at(3)], [at(2)]).map((one) => one.at)).toEqual([1, 2, 3]);
  });
});
