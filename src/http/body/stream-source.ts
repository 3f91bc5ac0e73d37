/**
 * What produces a body piece by piece: how it is read, how it is let go of, and the context it belongs to.
 *
 * @module
 */
import { AsyncResource } from 'node:async_hooks';

/** What produces a body piece by piece. */
export type StreamSource = AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>;

/** Calls a function in a context that was left: that of `AsyncLocalStorage`. */
export type InContext = <T>(call: () => T) => T;

/** The context in which this is called. */
export function currentContext(): InContext {
  const here = new AsyncResource('FILROUGE'); // what AsyncLocalStorage.snapshot() makes as well, in five times as long
  return (call) => here.runInAsyncScope(call);
}

/** Begins to read a source. */
export function iteratorOf<T>(source: AsyncIterable<T> | Iterable<T>): AsyncIterator<T, unknown> | Iterator<T, unknown> {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
}

/** Whether a value can be a source; the function of a generator is none until it is called. */
export function isSource(value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> {
  return typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

/** Releases a source that is not read to its end, without waiting: one that never answers must not hold us up. */
export function dropSource(source: unknown): void {
  const { destroy, cancel, return: end } = source as { destroy?: unknown; cancel?: unknown; return?: unknown };
  if (typeof destroy === 'function') destroy.call(source);
  else if (typeof cancel === 'function' && !(source as ReadableStream).locked) Promise.resolve(cancel.call(source)).catch(() => {});
  else if (typeof end === 'function') Promise.resolve(end.call(source)).catch(() => {});
}

/** Releases a source of which reading may have begun. @param iterator Undefined: it has not. */
export function dropReading(source: unknown, iterator: unknown): void {
  dropSource(source);
  if (iterator !== undefined) dropSource(iterator);
}

/** Calls a source in the context in which it was made, so that an `AsyncLocalStorage` has its store there, whoever sends the body. */
export class SourceInContext implements AsyncIterable<Uint8Array | string> {
  readonly #source: StreamSource;
  readonly #inContext: InContext;

  constructor(source: StreamSource, inContext: InContext) {
    this.#source = source;
    this.#inContext = inContext;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array | string, unknown> {
    const iterator = this.#inContext(() => iteratorOf(this.#source));
    return {
      next: async () => this.#inContext(() => iterator.next()),
      return: async () => {
        this.#inContext(() => dropSource(iterator));
        return { done: true, value: undefined };
      },
    };
  }

  destroy(): void {
    this.#inContext(() => dropSource(this.#source));
  }
}
