/**
 * The functions of a module, each of which calls it in an I/O thread and waits.
 *
 * @module
 */
import { basename } from 'node:path';
import { scriptPath } from '../process/place/script-path.ts';
import { fieldsWith } from '../process/watching/call-channel.ts';
import { all, allSettled, messageFor, Way, watched } from './call.ts';
import { methods } from './held.ts';
import type { Target } from './link.ts';
import { current, RELEASE } from './marks.ts';
import { Patience } from './patience.ts';

declare const HANDLE: unique symbol;

/** Stays in its I/O thread; made by `blocking.handle`. */
export interface Handle<T extends object> {
  readonly [HANDLE]: T;
}

/** What a call returns for what the called function returns. */
export type CallResult<V> =
  V extends Handle<infer T>
    ? HandleCalls<T>
    : V extends Uint8Array
      ? Uint8Array<ArrayBuffer>
      : V extends AsyncIterable<infer Item>
        ? IterableIterator<CallResult<Item>> & Disposable
        : V;

/** The functions of a module as plain calls. */
export type BlockingCalls<M> = {
  readonly [K in keyof M as M[K] extends (...args: never[]) => unknown ? K : never]: M[K] extends (...args: infer A) => infer R
    ? (...args: A) => CallResult<Awaited<R>>
    : never;
};

/** A handle as its caller has it. */
export type HandleCalls<T> = BlockingCalls<T> & Disposable;

/** What `createBlocking` has checked. */
export interface CallSettings {
  readonly timeout: number;
  readonly name: string | undefined;
  readonly thread: string | undefined;
}

/** @internal Calls into the module with this URL. */
export function callsInto(url: string, { timeout, name, thread }: CallSettings): object {
  const label = name ?? labelOf(url);
  const way = new Way(thread ?? url, url, label, timeout);
  return methods((called) => {
    const shown = `${label}.${called}`;
    const target: Target = { url, called, patience: new Patience() };
    return function call(...args: unknown[]): unknown {
      const message = messageFor({ kind: 'blocking', name: shown });
      if (!message) return way.call(target, shown, call, args);
      return watched(message, () => way.call(target, shown, call, args, undefined, fieldsWith(message)));
    };
  });
}

function labelOf(url: string): string {
  return basename(scriptPath(url) ?? url).replace(/\.\w+$/, '');
}

/** What goes with `createBlocking`. */
export interface BlockingWords {
  /**
   * Makes several calls at the same time and waits once, until all have answered.
   *
   * @param calls Functions, not `async` ones: each makes one call and returns its result as it is.
   * @returns The results, in the order of the calls.
   * @throws The first error in that order; the calls behind it are then aborted. Code `blocking-misused` for a function that does anything else, such as
   *   to return a promise, and for what is no function.
   */
  all<const T extends readonly unknown[]>(calls: { readonly [I in keyof T]: () => T[I] }): T;
  /** The same, but an error is a result in its place, as with `Promise.allSettled`. */
  allSettled<const T extends readonly unknown[]>(
    calls: { readonly [I in keyof T]: () => T[I] },
  ): {
    -readonly [I in keyof T]: PromiseSettledResult<T[I]>;
  };
  /**
   * For functions in an I/O thread: returns an object whose methods its caller can call, instead of a copy of its data. It is released when the handler
   * in which it was made has answered, or failed; and when its caller's thread ends.
   *
   * @param release Called once, when it is not used any more: has to give back what it holds.
   */
  handle<T extends object>(object: T, release: () => unknown): Handle<T>;
  /**
   * For functions in an I/O thread: aborts when nobody waits for the call any more, because its time is up or the client of its request has left. To be read
   * before the first `await`.
   */
  signal(): AbortSignal;
}

/** See `BlockingWords`. */
export const blocking: BlockingWords = {
  all(calls) {
    // oxlint-disable-next-line typescript/unbound-method -- only to be found in the stack
    return all(calls, blocking.all) as never;
  },
  allSettled(calls) {
    // oxlint-disable-next-line typescript/unbound-method -- only to be found in the stack
    return allSettled(calls, blocking.allSettled) as never;
  },
  handle(object, release) {
    return Object.defineProperty(object, RELEASE, { value: release }) as never;
  },
  signal() {
    return current.call?.signal ?? new AbortController().signal; // called without a caller, as a test does
  },
};
