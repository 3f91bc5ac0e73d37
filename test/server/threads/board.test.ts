import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Board, INBOX } from '../../../src/server/threads/board.ts';

describe('the board of a thread', () => {
  it('is seen from both sides of its memory', () => {
    const main = new Board();
    const thread = new Board(main.buffer);
    main.offer(1);
    expect(thread.enter(7)).toBe(true);
    expect([main.entered, main.left, main.current]).toEqual([1, 0, 7]);
    thread.leave();
    thread.answerProbe();
    expect([main.entered, main.left, main.moves, main.probes]).toEqual([1, 1, 2, 1]);
  });

  it('remembers which route has matched last for each of the last few thousand requests', () => {
    const main = new Board();
    const thread = new Board(main.buffer);
    const last = 0x3fffffff;
    expect([main.routeOf(0), main.routeOf(7), main.routeOf(last)]).toEqual([-1, -1, -1]);
    thread.noteRoute(7, 3);
    thread.noteRoute(7, 199);
    thread.noteRoute(last, 0);
    expect([main.routeOf(7), main.routeOf(last), main.routeOf(8)]).toEqual([199, 0, -1]);
    thread.noteRoute(7 + 4096, 5);
    expect([main.routeOf(7), main.routeOf(7 + 4096)]).toEqual([-1, 5]);
  });

  it('knows the files that a thread holds, until that closes them or the main thread takes them over', () => {
    const main = new Board();
    const thread = new Board(main.buffer);
    for (const descriptor of [0, 20, 21, 22]) thread.hold(descriptor);
    thread.letGo(20);
    main.letGo(21);
    main.letGo(99);
    expect(main.files).toEqual([0, 22]);
    for (let i = 100; i < 100 + 2 * INBOX; i++) thread.hold(i);
    expect([main.files.length, main.routeOf(7)]).toEqual([INBOX, -1]);
  });

  it('lets either side claim a request, once: it is entered or recalled, never both and never neither', () => {
    const claims = fc.array(fc.oneof(fc.constant('thread' as const), fc.nat({ max: 5 })), { maxLength: 40 });
    const starts = fc.constantFrom(0, 250, 0x7ffffffd); // the count goes on from the largest number to the least
    fc.assert(
      fc.property(claims, starts, (attempts, start) => {
        const main = new Board();
        const thread = new Board(main.buffer);
        new Int32Array(main.buffer).fill(start, 0, 2); // so many have been entered, and have left
        const orders = Array.from({ length: 6 }, (_, i) => (start + 1 + i) | 0);
        const claimed = orders.map((): string[] => []);
        let next = 0;
        const enter = (): void => {
          if (next === orders.length) return;
          if (thread.enter(next)) {
            claimed[next]?.push('thread');
            thread.leave();
          }
          next++;
        };
        for (const order of orders) main.offer(order);
        for (const attempt of attempts) {
          if (attempt === 'thread') enter();
          else if (main.recall(orders[attempt] as number)) claimed[attempt]?.push('main');
        }
        while (next < orders.length) enter(); // in the end the thread comes to each that waits in its inbox
        for (const sides of claimed) expect(sides).toHaveLength(1);
        expect(orders.every((order) => main.hasCome(order))).toBe(true);
        expect(main.entered).toBe(main.left); // one that is passed over counts as entered and left
      }),
    );
  });

  it('uses a cell again for a request that comes later, and takes back none that had it before', () => {
    const board = new Board();
    for (let order = 1; order <= INBOX; order++) {
      board.offer(order);
      expect(board.enter(order)).toBe(true);
      board.leave();
    }
    board.offer(1 + INBOX);
    expect(board.recall(1)).toBe(false);
    expect([board.enter(1 + INBOX), board.current]).toEqual([true, 1 + INBOX]);
  });
});
