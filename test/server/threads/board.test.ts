import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Board, INBOX } from '../../../src/server/threads/board.ts';

describe('the board of a thread', () => {
  it('is seen from both sides of its memory', () => {
    const main = new Board();
    const thread = new Board(main.buffer);
    main.offer(7);
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
    const claims = fc.array(fc.record({ id: fc.nat({ max: 5 }), side: fc.constantFrom('thread', 'main') }), { maxLength: 40 });
    fc.assert(
      fc.property(claims, (attempts) => {
        const main = new Board();
        const thread = new Board(main.buffer);
        const ids = [0, 1, 2, 3, 4, 5];
        const claimed = new Map<number, string[]>(ids.map((id) => [id, []]));
        const claim = (id: number, side: string): void => {
          const isMine = side === 'main' ? main.recall(id) : thread.enter(id);
          if (isMine) claimed.get(id)?.push(side);
          if (isMine && side === 'thread') thread.leave();
        };
        for (const id of ids) main.offer(id);
        for (const { id, side } of attempts) claim(id, side);
        for (const id of ids) claim(id, 'thread'); // in the end the thread comes to each that waits in its inbox
        for (const sides of claimed.values()) expect(sides).toHaveLength(1);
        expect(main.entered).toBe(main.left); // one that is passed over counts as entered and left
      }),
    );
  });

  it('uses a cell again for a request that comes later', () => {
    const board = new Board();
    board.offer(3);
    expect(board.recall(3)).toBe(true);
    board.offer(3 + INBOX);
    expect([board.enter(3 + INBOX), board.current]).toEqual([true, 3 + INBOX]);
  });
});
