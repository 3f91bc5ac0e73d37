import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { blocking, createBlocking } from '../../src/blocking.ts';
import { watchUnhandled } from '../support/unhandled.ts';
import { until } from '../support/until.ts';
import type * as Store from './fixtures/store.mjs';

const URL_OF_STORE = new URL('./fixtures/store.mjs', import.meta.url);
const store = createBlocking<typeof Store>(URL_OF_STORE);

function thrownBy(call: () => unknown): Error & { readonly code?: unknown } {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

async function fail(): Promise<never> {
  throw new Error('no such thing');
}

describe('createBlocking', () => {
  it('returns what a promise resolves to, and what a function returns', () => {
    expect(store.add(1, 2)).toBe(3);
    expect(store.nothing()).toBeUndefined();
    expectTypeOf(store.add).toEqualTypeOf<(a: number, b: number) => number>();
  });

  it('runs the functions in a thread of its own, the same one for all calls', () => {
    const { threadId, isMainThread } = store.where();
    expect(isMainThread).toBe(false);
    expect(threadId).toBeGreaterThan(0);
    expect(createBlocking<typeof Store>(URL_OF_STORE).where().threadId).toBe(threadId);
  });

  it('lets modules that name the same thread share it', () => {
    const [one, two] = ['?one', '?two'].map((query) =>
      createBlocking<typeof Store>(new URL(`./fixtures/store.mjs${query}`, import.meta.url), { thread: 'both' }),
    );
    expect(one?.where()).toEqual(two?.where());
    expect(one?.where().threadId).not.toBe(store.where().threadId);
  });

  it('clones values both ways, with dates, maps and bytes', () => {
    const value = { at: new Date(0), map: new Map([['a', new Set([1])]]), text: 'ü', none: undefined, big: 2n ** 70n };
    expect(store.echo(value)).toEqual(value);
    expect(store.echo(Buffer.from('abc'))).toEqual(new Uint8Array([97, 98, 99]));
    expect(Buffer.compare(store.bytes(1_000_000), Buffer.alloc(1_000_000, 7))).toBe(0); // toEqual takes seconds
  });

  it('leaves bytes to those who own them, on both sides', () => {
    expect([store.keptBytes().length, store.keptBytes().length]).toEqual([10_000, 10_000]);
    const own = new Uint8Array(10_000);
    store.echo(own);
    expect(own.length).toBe(10_000);
  });

  it('throws an error again at the line of the caller, with class, message, code, fields, cause and both stacks', () => {
    const error = thrownBy(() => store.fail());
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({ name: 'RangeError', message: 'It is too far', code: 'FAR', detail: { km: 7 } });
    expect(error.cause).toMatchObject({ name: 'Error', message: 'it is' });
    const [first, second, ...rest] = (error.stack ?? '').split('\n');
    expect(first).toBe('RangeError: It is too far');
    expect(second).toMatch(/create-blocking\.test\.ts/);
    expect(rest.join('\n')).toMatch(/ {4}in the I\/O thread, called as store\.fail:\n {4}at .*store\.mjs/);
  });

  it('throws an AggregateError with its errors, and what is no error as it is', () => {
    const error = thrownBy(() => store.failAll());
    expect(error).toBeInstanceOf(AggregateError);
    expect((error as AggregateError).errors).toMatchObject([{ message: 'one' }, { name: 'TypeError', message: 'two' }]);
    expect(thrownBy(() => store.throwText())).toBe('a text');
  });

  it('throws a DataCloneError for what cannot be cloned, and goes on', () => {
    expect(thrownBy(() => store.unclonable()).name).toBe('DataCloneError');
    expect(thrownBy(() => store.echo(() => {})).name).toBe('DataCloneError');
    expect(store.add(2, 2)).toBe(4);
  });

  it('says that there is no function of a name', () => {
    const missing = (store as unknown as { missing(): void }).missing;
    expect(thrownBy(() => missing())).toMatchObject({
      name: 'TypeError',
      code: 'blocking-misused',
      message: expect.stringContaining('"missing"') as string,
    });
  });

  it('can be returned by an async function', async () => {
    expect(await Promise.resolve(store)).toBe(store);
  });

  it('ends a call that takes longer than its timeout, and aborts it', async () => {
    const url = new URL('./fixtures/store.mjs?hasty', import.meta.url);
    const hasty = createBlocking<typeof Store>(url, { timeout: 1000, name: 'hasty' });
    const patient = createBlocking<typeof Store>(url); // the same thread, which may take longer to start
    patient.nothing();
    expect(thrownBy(() => hasty.sleep(60_000))).toMatchObject({
      code: 'blocking-timeout',
      message: 'Cannot finish hasty.sleep: it took longer than 1000 ms',
    });
    const events = await until(
      () => patient.events().at(0),
      () => 'the abort of the call',
    );
    expect(events).toBe('aborted: The call has ended: it took longer than 1000 ms');
  });

  it('fails the calls of a thread that dies, and starts another for the next one', () => {
    const frail = createBlocking<typeof Store>(new URL('./fixtures/store.mjs?frail', import.meta.url), {
      name: 'frail',
    });
    const { threadId } = frail.where();
    expect(thrownBy(() => frail.exit(3))).toMatchObject({
      code: 'blocking-thread-died',
      message: 'Cannot finish frail.exit: its I/O thread has died',
    });
    expect(frail.where().threadId).not.toBe(threadId);
  });

  it('throws the error of a module that does not load', () => {
    const broken = createBlocking<{ f(): void }>(new URL('./fixtures/missing.mjs', import.meta.url));
    expect(thrownBy(() => broken.f())).toMatchObject({ code: 'ERR_MODULE_NOT_FOUND' });
  });

  it.each<[string, () => unknown]>([
    ['a path', () => createBlocking('./store.mjs')],
    ['another scheme', () => createBlocking(new URL('http://localhost/store.mjs'))],
    ['a negative timeout', () => createBlocking(URL_OF_STORE, { timeout: -1 })],
    ['an empty name', () => createBlocking(URL_OF_STORE, { name: '' })],
    ['an option that it does not know', () => createBlocking(URL_OF_STORE, { timeOut: 1 } as object)],
  ])('refuses %s', (_, make) => {
    expect(make).toThrow(expect.objectContaining({ code: 'bad-option' }));
  });

  it('leaves nothing behind after 10,000 calls of which half fail', { timeout: 120_000 }, () => {
    const count = (): number => process.getActiveResourcesInfo().length;
    store.nothing();
    const before = count();
    for (let i = 0; i < 5000; i++) {
      expect(store.add(i, 1)).toBe(i + 1);
      thrownBy(() => store.fail());
    }
    expect(count()).toBe(before);
  });
});

describe('a stream from a call', () => {
  it('is an iterable, whose items are made when they are wanted', () => {
    store.events();
    const numbers = store.numbers(1000);
    expect([numbers.next().value, numbers.next().value]).toEqual([1, 2]);
    expect(store.events()).toEqual([]);
    for (const number of numbers) if (number === 5) break;
    expect(store.events()).toEqual(['made 5']);
    expect(numbers.next()).toEqual({ done: true, value: undefined });
  });

  it('ends where the source ends', () => {
    expect([...store.numbers(3)]).toEqual([1, 2, 3]);
    expect(store.events()).toEqual(['all were read', 'made 4']);
  });

  it('throws the error of its source in its place', () => {
    const seen: number[] = [];
    expect(() => {
      for (const number of store.numbersThenError(2)) seen.push(number);
    }).toThrow(new TypeError('no more'));
    expect(seen).toEqual([1, 2]);
    store.events();
  });
});

describe('a handle', () => {
  it('has methods that are called in the I/O thread', () => {
    using transaction = store.begin();
    expect([transaction.insert('a'), transaction.insert('b')]).toEqual([1, 2]);
    expect(transaction.commit()).toEqual(['a', 'b']);
    expectTypeOf(transaction.insert).toEqualTypeOf<(row: string) => number>();
  });

  it('is released when its scope ends, and cannot be called afterwards', () => {
    store.events();
    const transaction = store.begin();
    transaction.insert('a');
    transaction[Symbol.dispose]();
    expect(store.events()).toEqual(['rolled back 1']);
    expect(thrownBy(() => transaction.insert('b'))).toMatchObject({ code: 'blocking-misused' });
  });
});

describe('blocking.all', () => {
  it('makes calls at the same time and returns their results in order', () => {
    const results = blocking.all([() => store.together(), () => store.add(1, 2), () => store.together(), () => store.together()]);
    expect(results[1]).toBe(3);
    expect(results[3]).toBe(3);
    expectTypeOf(results[1]).toEqualTypeOf<number>();
  });

  it('throws the first error in their order, and aborts those behind it', async () => {
    store.events();
    expect(() => blocking.all([() => store.add(1, 1), () => store.fail(), () => store.sleep(60_000)])).toThrow('It is too far');
    expect(
      await until(
        () => store.events().at(0),
        () => 'the abort',
      ),
    ).toBe('aborted: The call has ended: another call has failed');
  });

  it('puts each error in its place when it is to wait for all', () => {
    const [sum, failure, other] = blocking.allSettled([() => store.add(1, 1), () => store.fail(), () => store.echo('x')]);
    expect([sum, other]).toEqual([
      { status: 'fulfilled', value: 2 },
      { status: 'fulfilled', value: 'x' },
    ]);
    expect(failure).toMatchObject({ status: 'rejected', reason: { code: 'FAR' } });
  });

  it('refuses a function that does more, or less, than one call', () => {
    const misused = expect.objectContaining({ code: 'blocking-misused' }) as Error;
    expect(() => blocking.all([() => 1])).toThrow(misused);
    expect(() => blocking.all([() => (store.where() as { threadId: number }).threadId])).toThrow(misused);
    expect(() => blocking.all([() => blocking.all([])])).toThrow(misused);
    expect(store.add(1, 1)).toBe(2);
    expect(blocking.all([])).toEqual([]);
  });

  it('refuses an async function, says what to leave out, and lets its promise cost nothing', async () => {
    const unhandled = watchUnhandled();
    expect(thrownBy(() => blocking.all([async () => store.add(1, 1)]))).toMatchObject({
      code: 'blocking-misused',
      message: 'Cannot call together: function 0 returned a promise: leave out async, and return the result of its call as it is',
    });
    expect(thrownBy(() => blocking.allSettled([() => store.add(1, 1), async () => fail()]))).toMatchObject({ code: 'blocking-misused' });
    await turn();
    expect(unhandled).toEqual([]);
  });

  it('refuses values in place of functions, and what is no list', () => {
    expect(thrownBy(() => blocking.all([store.add(1, 1) as never]))).toMatchObject({
      code: 'blocking-misused',
      message: 'Cannot call together: call 0 is number, not a function: write () => … around it',
    });
    expect(thrownBy(() => blocking.all((() => store.add(1, 1)) as never))).toMatchObject({
      code: 'blocking-misused',
      message: 'Cannot call together: what to call is not a list of functions: write [() => …, () => …]',
    });
    expect(store.add(1, 1)).toBe(2);
  });

  it('refuses a promise in place of a function, and lets it cost nothing', async () => {
    const unhandled = watchUnhandled();
    expect(thrownBy(() => blocking.all([fail() as never]))).toMatchObject({ code: 'blocking-misused' });
    await turn();
    expect(unhandled).toEqual([]);
  });
});
