import { availableParallelism } from 'node:os';
import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { Caller } from '../../src/blocking/inside/caller.ts';
import { Turn } from '../../src/blocking/inside/turn.ts';
import { LifeCells } from '../../src/blocking/life.ts';
import { Link } from '../../src/blocking/link.ts';
import { Mailbox } from '../../src/blocking/mailbox.ts';
import { current } from '../../src/blocking/marks.ts';
import { Patience } from '../../src/blocking/patience.ts';
import { WaitBoard } from '../../src/process/wait-board.ts';
import { until } from '../support/until.ts';

describe('a mailbox', () => {
  it('carries one call and one answer, and refuses a second until the first is taken', () => {
    const [caller, io] = pair();
    expect(caller.ask(7, 3, 2, ['ü', 1])).toBe(true);
    expect(caller.ask(8, 3, 2, [])).toBe(false);
    expect([io.before, io.takeCall(), io.before]).toEqual([2, ['call', 7, 3, ['ü', 1]], -1]);
    expect(io.answer(7, 'a')).toBe(true);
    expect(io.answer(8, undefined)).toBe(false);
    expect([caller.takeAnswer(), caller.takeAnswer()]).toEqual([['value', 7, 'a'], undefined]);
  });

  it('carries what goes along with a call for those who watch it, behind its arguments', () => {
    const [caller, io] = pair();
    expect(
      caller.ask(
        7,
        3,
        2,
        ['ü', 1],
        [
          ['traceparent', '00-1'],
          ['tracestate', 'ü=1'],
        ],
      ),
    ).toBe(true);
    expect(io.takeCall()).toEqual([
      'call',
      7,
      3,
      ['ü', 1],
      [
        ['traceparent', '00-1'],
        ['tracestate', 'ü=1'],
      ],
    ]);
    expect(caller.ask(8, 3, 2, [], [['traceparent', '00-1']])).toBe(true);
    expect(io.takeCall()).toEqual(['call', 8, 3, [], [['traceparent', '00-1']]]);
    expect(caller.ask(9, 3, 2, [1])).toBe(true);
    expect(io.takeCall()).toEqual(['call', 9, 3, [1]]);
    expect(caller.ask(10, 3, 2, [], [['baggage', 'x'.repeat(3000)]])).toBe(false);
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['an empty text', ''],
    ['a text', 'grüße\n'],
    ['null', null],
    ['a number', 1.5],
  ])('carries %s', (_, value) => {
    const [caller, io] = pair();
    expect(io.answer(1, value)).toBe(true);
    expect(caller.takeAnswer()).toEqual(['value', 1, value]);
  });

  it('refuses what UTF-8 cannot say, and what is larger in UTF-8 than there is room for', () => {
    const [caller, io] = pair();
    expect(io.answer(1, '\ud800')).toBe(true); // as JSON, which has an escape for it
    expect(caller.takeAnswer()).toEqual(['value', 1, '\ud800']);
    expect(io.answer(1, '€'.repeat(8000))).toBe(false);
    expect(io.answer(1, new Date(0))).toBe(false);
    expect(caller.ask(1, 0, 0, ['€'.repeat(2000)])).toBe(false);
  });
});

describe('a link', () => {
  it('takes calls and messages in the order in which they were sent', async () => {
    const { link, called } = connected();
    link.call(link.expect(false), note, ['mailbox']);
    link.call(link.expect(false), note, ['message, since the mailbox is full']);
    link.call(link.expect(false), note, [new Date(0)]);
    await until(
      () => called.length === 3 || undefined,
      () => `three calls, not ${called.join()}`,
    );
    expect(called).toEqual(['mailbox', 'message, since the mailbox is full', new Date(0)]);
  });

  it('sends a call by the mailbox also when something goes along with it', () => {
    const { link, caller, called } = connected();
    link.call(link.expect(false), { ...note, called: 'fields' }, [], [['traceparent', '00-1']]);
    caller.look(); // no message of the port has been heard
    expect(called).toEqual([[['traceparent', '00-1']]]);
  });

  it('takes what was sent before a call in the mailbox first', () => {
    const { link, caller, called } = connected();
    link.call(link.expect(false), note, [1n]);
    link.call(link.expect(false), note, ['mailbox']);
    caller.look();
    expect(called).toEqual([1n, 'mailbox']);
  });

  it('drops a handle that comes when its call was given up, also when all that follows lies in the mailbox', async () => {
    const { link, caller, called } = connected();
    const handle = link.expect(false);
    link.call(handle, { ...note, called: 'handle' }, []);
    caller.look();
    link.abort(handle, 'a test');
    const next = link.expect(false);
    link.call(next, note, ['next']);
    caller.look();
    expect(link.take(next)).toEqual(['value', next, 'next']);
    await until(
      () => called.includes('released') || undefined,
      () => 'the release',
    );
  });
});

describe('Patience', () => {
  const atOnce = (patience: Patience, life: LifeCells): boolean => {
    const board = new WaitBoard();
    const { signal } = board;
    board.wake();
    return patience.look(board, signal, life);
  };
  const inVain = (patience: Patience, life: LifeCells): boolean => {
    const board = new WaitBoard();
    return patience.look(board, board.signal, life);
  };

  it.runIf(availableParallelism() > 1)('looks where answers come at once, and rests longer each time that they do not', () => {
    const [patience, life] = [new Patience(), new LifeCells()];
    expect([atOnce(patience, life), atOnce(patience, life), inVain(patience, life)]).toEqual([true, true, false]);
    expect(Array.from({ length: 5 }, () => atOnce(patience, life))).toEqual([false, false, false, false, true]);
    expect(inVain(patience, life)).toBe(false);
  });

  it('leaves it to another thread that looks already, and to none that is gone', () => {
    const [patience, life] = [new Patience(), new LifeCells()];
    life.tryLook(99);
    expect(atOnce(patience, life)).toBe(false);
    life.endLook(98);
    expect(life.tryLook(1)).toBe(false);
    life.endLook(99);
    expect(life.tryLook(1)).toBe(true);
  });
});

const note = { url: 'test:', called: 'note', patience: new Patience() };

/** Both ends of a link in this thread. */
function connected(): { link: Link; caller: Caller; called: unknown[] } {
  const called: unknown[] = [];
  const { port1, port2 } = new MessageChannel();
  port1.unref();
  const [mailbox, life] = [new Mailbox().buffer, new LifeCells()];
  const module = {
    note: (value: unknown) => {
      called.push(value);
      return value;
    },
    fields: () => void called.push(current.call?.fields),
    handle: () => ({ [Symbol.for('filrouge.blocking.release')]: () => called.push('released') }),
  };
  const callers = new Set<Caller>();
  const caller = new Caller(['link', port1, new WaitBoard().buffer, mailbox], { moduleOf: () => module, turn: new Turn(life, callers) });
  callers.add(caller);
  return { link: new Link({ port: port2, life: life.buffer, mailbox }), caller, called };
}

function pair(): [Mailbox, Mailbox] {
  const caller = new Mailbox();
  return [caller, new Mailbox(caller.buffer)];
}
