import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { Caller } from '../../src/blocking/inside/caller.ts';
import { Turn } from '../../src/blocking/inside/turn.ts';
import { LifeCells } from '../../src/blocking/life.ts';
import { Link } from '../../src/blocking/link.ts';
import { Mailbox } from '../../src/blocking/mailbox.ts';
import { Patience } from '../../src/blocking/patience.ts';
import { WaitBoard } from '../../src/process/wait-board.ts';
import { until } from '../support/until.ts';

describe('a turn of an I/O thread', () => {
  it('takes what is asked while the thread is awake without a message', async () => {
    const { life, ends } = place(1);
    const [end] = ends;
    end?.call('now');
    expect(life.ring()).toBe(false); // the message is on its way
    await answers(end, 'now');
    await until(
      () => end?.call('now') === 1 || undefined,
      () => 'a thread that sleeps, and has to be woken by a message',
    );
  });

  it('hears at its end what was asked in it', async () => {
    const { turn, ends } = place(2);
    const [one, other] = ends;
    one?.call('now');
    turn.look();
    expect(one?.take()).toBe('now');
    expect(other?.call('now')).toBe(0); // awake: no message
    await answers(other, 'now');
  });

  it('wakes a caller at once when nobody else waits, and several together at its end', async () => {
    const { turn, life, ends, settle } = place(2);
    const [one, other] = ends;
    one?.call('later');
    turn.look();
    expect(life.crowd).toBe(1);
    settle(0);
    await until(
      () => one?.isWoken || undefined,
      () => 'the wake of the only caller',
    );
    expect(one?.take()).toBe('later');
    one?.call('later');
    other?.call('later');
    turn.look();
    expect(life.crowd).toBe(2);
    settle(1);
    await Promise.resolve(); // the answer lies there, and the end of the turn is yet to come
    await Promise.resolve();
    expect([one?.take(), one?.isWoken]).toEqual(['later', false]);
    settle(2);
    await answers(other, 'later');
    expect([one?.isWoken, other?.isWoken]).toEqual([true, true]);
  });

  it('takes what a caller has asked before it was known, whose bell was heard already', async () => {
    const { turn, ends, join } = place(1);
    const [one] = ends;
    const late = join();
    one?.call('now');
    turn.look();
    expect(late.end.call('now')).toBe(0); // awake: no message
    for (let turns = 0; turns < 4; turns++) await new Promise(setImmediate); // it hears the bell at the end of one, and then sleeps
    late.isKnown();
    await answers(late.end, 'now');
  });

  it('forgets the calls of a caller that is gone', async () => {
    const { turn, life, ends } = place(2);
    const [one, other] = ends;
    one?.call('later');
    other?.call('later');
    turn.look();
    one?.caller.end(life);
    other?.caller.end(life);
    one?.call('now');
    turn.look();
    expect(life.crowd).toBe(1);
    await answers(one, 'now');
  });
});

interface End {
  readonly caller: Caller;
  /** @returns The messages that it has sent. */
  call(name: string): number;
  take(): unknown;
  readonly isWoken: boolean;
}

interface Place {
  readonly turn: Turn;
  readonly life: LifeCells;
  readonly ends: End[];
  settle(call: number): void;
  /** Makes a caller of which the thread learns later. */
  join(): { readonly end: End; isKnown(): void };
}

/** So many callers, and the inside of an I/O thread, all in this thread. */
function place(count: number): Place {
  const life = new LifeCells();
  const callers = new Set<Caller>();
  const turn = new Turn(life, callers);
  const settles: (() => void)[] = [];
  const module = { now: () => 'now', later: () => new Promise((resolve) => settles.push(() => resolve('later'))) };
  const ends = Array.from({ length: count }, () => endOf(life, turn, module));
  for (const { caller } of ends) callers.add(caller);
  const join = (): ReturnType<Place['join']> => {
    const end = endOf(life, turn, module);
    const isKnown = (): void => {
      callers.add(end.caller);
      turn.joined(end.caller);
    };
    return { end, isKnown };
  };
  return { turn, life, ends, settle: (call) => settles[call]?.(), join };
}

function endOf(life: LifeCells, turn: Turn, module: Record<string, unknown>): End {
  const { port1, port2 } = new MessageChannel();
  port1.unref();
  const [mailbox, board] = [new Mailbox().buffer, new WaitBoard()];
  const caller = new Caller(['link', port1, board.buffer, mailbox], { moduleOf: () => module, turn });
  let rings = 0;
  const post = port2.postMessage.bind(port2) as (message: unknown) => void;
  port2.postMessage = (message: unknown) => {
    if (message === 0) rings++;
    post(message);
  };
  const link = new Link({ port: port2, life: life.buffer, mailbox });
  const targets = new Map(Object.keys(module).map((called) => [called, { url: 'test:', called, patience: new Patience() }]));
  let [id, signal] = [0, 0];
  return {
    caller,
    call(name) {
      ({ signal } = board);
      id = link.expect(false);
      const target = targets.get(name);
      const before = rings;
      if (target) link.call(id, target, []);
      return rings - before;
    },
    take: () => link.take(id)?.[2],
    get isWoken() {
      return board.signal !== signal;
    },
  };
}

async function answers(end: End | undefined, value: unknown): Promise<void> {
  await until(
    () => end?.isWoken || undefined,
    () => `the answer ${String(value)}`,
  );
  expect(end?.take() ?? value).toBe(value);
}
