import { EventEmitter, on } from 'node:events';
import { describe, expect, it } from 'vitest';
import { toFetch } from '../../../src/fetch.ts';
import { type After, PacedPieces } from '../../../src/http/body/paced-pieces.ts';
import { type EventStreamOptions, Response } from '../../../src/index.ts';

/** A source that gives what it is told to. */
class ByHand implements AsyncIterableIterator<string> {
  isEnded = false;
  #give: (step: IteratorResult<string>) => void = () => {};
  #fail: (error: Error) => void = () => {};

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<string>> {
    return new Promise((resolve, reject) => {
      this.#give = resolve;
      this.#fail = reject;
    });
  }

  return(): Promise<IteratorResult<string>> {
    this.isEnded = true;
    return Promise.resolve({ done: true, value: undefined });
  }

  give(value: string): void {
    this.#give({ done: false, value });
  }

  end(): void {
    this.#give({ done: true, value: undefined });
  }

  fail(error: Error): void {
    this.#fail(error);
  }
}

/** Time that passes when it is told to. */
function clock(): { after: After; pass: () => void; asked: number[] } {
  const calls = new Set<() => void>();
  const asked: number[] = [];
  return {
    asked,
    after: (ms, call) => {
      asked.push(ms);
      calls.add(call);
      return () => calls.delete(call);
    },
    pass: () => {
      for (const call of calls) call();
      calls.clear();
    },
  };
}

const HEARTBEAT = { every: 7, piece: ':\n\n' };

describe('pieces of a body without an end of its own', () => {
  it('are those of the source, with a heartbeat for each time that it rests', async () => {
    const [source, time] = [new ByHand(), clock()];
    const pieces = new PacedPieces(source, HEARTBEAT, time.after);
    const [first, pass] = [pieces.next(), (): void => time.pass()];
    pass();
    expect(await first).toEqual({ done: false, value: ':\n\n' });
    const second = pieces.next();
    pass();
    expect(await second).toEqual({ done: false, value: ':\n\n' });
    const third = pieces.next();
    source.give('a');
    expect(await third).toEqual({ done: false, value: 'a' });
    pass(); // nobody waits: nothing is due
    const last = pieces.next();
    source.end();
    expect(await last).toEqual({ done: true, value: undefined });
    expect(time.asked).toEqual([7, 7, 7, 7]);
  });

  it('are not lost when they come while a heartbeat is on its way', async () => {
    const [source, time] = [new ByHand(), clock()];
    const pieces = new PacedPieces(source, HEARTBEAT, time.after);
    const first = pieces.next();
    time.pass();
    await first;
    source.give('a');
    expect(await pieces.next()).toEqual({ done: false, value: 'a' });
  });

  it('end when they are stopped, also while the source rests, and let go of it', async () => {
    const source = new ByHand();
    const pieces = new PacedPieces(source, HEARTBEAT, undefined);
    const first = pieces.next();
    pieces.stop();
    expect([await first, await pieces.next(), source.isEnded]).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined },
      true,
    ]);
  });

  it('are given as far as they are there when they are stopped', async () => {
    const source = new ByHand();
    const pieces = new PacedPieces(source, HEARTBEAT, undefined);
    const first = pieces.next();
    source.give('a');
    await Promise.resolve();
    await Promise.resolve();
    pieces.stop();
    expect(await first).toEqual({ done: false, value: 'a' });
    expect(await pieces.next()).toEqual({ done: true, value: undefined });
  });

  it('fail with the source', async () => {
    const source = new ByHand();
    const first = new PacedPieces(source, HEARTBEAT, undefined).next();
    source.fail(new Error('broken'));
    await expect(first).rejects.toThrow('broken');
  });
});

describe('Response.events', () => {
  it.each<[EventStreamOptions, string]>([
    [{ heartbeat: -1 }, 'heartbeat is -1, not'],
    [{ heartbeat: 0.5 }, 'heartbeat is 0.5, not'],
    [{ hartbeat: 5 } as EventStreamOptions, 'hartbeat'],
  ])('refuses %j', (options, message) => {
    expect(() => Response.events(new ByHand() as never, options)).toThrow(message);
  });

  it('sends a comment while nothing happens, also as a guest', async () => {
    const answer = toFetch(() => Response.events(new ByHand() as never, { heartbeat: 5 }));
    const reader = (await answer(new globalThis.Request('http://a/'))).body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe(':\n\n');
    await reader?.cancel();
  });

  it('lets go of a source that rests, such as the events of an emitter', async () => {
    const emitter = new EventEmitter();
    const answer = toFetch(() => Response.events(on(emitter, 'news') as never));
    const reader = (await answer(new globalThis.Request('http://a/'))).body?.getReader();
    const reading = reader?.read();
    await expect.poll(() => emitter.listenerCount('news')).toBe(1);
    await reader?.cancel();
    await reading;
    await expect.poll(() => emitter.listenerCount('news')).toBe(0);
  });

  it('ends as a guest when the other server says that it stops', async () => {
    const stopping = new AbortController();
    const seen: boolean[] = [];
    const answer = toFetch(
      (request) => {
        request.stopping.addEventListener('abort', () => seen.push(true));
        return Response.events(new ByHand() as never);
      },
      { stopping: stopping.signal },
    );
    const text = (await answer(new globalThis.Request('http://a/'))).text();
    stopping.abort();
    expect([await text, seen]).toEqual(['', [true]]);
  });
});
