/**
 * What a call may return instead of a value: streams and handles, which stay in the I/O thread and are used by further calls.
 *
 * @module
 */
import { sendable, type ToIo } from './wire.ts';

/** The function whose caller stands first in the stack of an error. */
export type Above = (...args: never[]) => unknown;

/** Calls something that the I/O thread holds. */
export type Ask = (what: string, above: Above, make: (id: number) => ToIo, args?: readonly unknown[]) => unknown;

/** The items of a stream, each asked for when it is wanted: what nobody reads is not made. */
export class Items implements IterableIterator<unknown> {
  /** Stands for the end. */
  static readonly END: unique symbol = Symbol('end');
  readonly #held: number;
  readonly #drop: () => void;
  readonly #ask: Ask;
  #isDone = false;

  constructor(held: number, drop: () => void, ask: Ask) {
    this.#held = held;
    this.#drop = drop;
    this.#ask = ask;
  }

  next(): IteratorResult<unknown> {
    if (this.#isDone) return { done: true, value: undefined };
    let value: unknown = Items.END;
    try {
      // oxlint-disable-next-line typescript/unbound-method -- only to be found in the stack
      value = this.#ask('', this.next, (id) => ['next', id, this.#held]);
    } finally {
      this.#isDone = value === Items.END;
    }
    return this.#isDone ? { done: true, value: undefined } : { done: false, value };
  }

  /** Called by `break`: the source is told that nobody reads on. */
  return(): IteratorResult<unknown> {
    if (!this.#isDone) this.#drop();
    this.#isDone = true;
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }

  [Symbol.dispose](): void {
    this.return();
  }
}

/** An object whose methods are those of a handle. */
export function handleOf(held: number, drop: () => void, ask: Ask): object {
  return methods(
    (name) =>
      function method(...args: unknown[]): unknown {
        const sent = sendable(args);
        return ask(name, method, (id) => ['method', id, held, name, sent], sent);
      },
    drop,
  );
}

/** An object that has a function for every name that is asked for, made once. `then` it has not, so that it may be returned by an async function. */
export function methods(make: (name: string) => (...args: unknown[]) => unknown, drop?: () => void): object {
  const made: Record<string | symbol, unknown> = Object.create(null) as Record<string | symbol, unknown>;
  if (drop) made[Symbol.dispose] = drop;
  return new Proxy(made, {
    get(target, name) {
      if (typeof name === 'string' && name !== 'then' && !(name in target)) target[name] = make(name);
      return target[name];
    },
    set: () => false,
  });
}
