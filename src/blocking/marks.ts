/**
 * What a module in an I/O thread and the thread's own code tell each other. They may come from different files, so they meet at symbols of the process.
 *
 * @module
 */

/** On a handle: what releases it. */
export const RELEASE: unique symbol = Symbol.for('filrouge.blocking.release') as never;
/** On an async iterable: what its caller gets together with it. */
export const HEAD: unique symbol = Symbol.for('filrouge.blocking.head') as never;
/** On globalThis: the call that is being begun in this I/O thread. */
export const CALL: unique symbol = Symbol.for('filrouge.blocking.call') as never;

/** A call, as the function that it calls may see it. */
export interface CurrentCall {
  readonly signal: AbortSignal;
  /** The same without a signal, which takes microseconds to make. */
  onAbort: ((reason: Error) => void) | undefined;
  /** What goes along with it. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

const holder = globalThis as { [CALL]?: { call: CurrentCall | undefined } };

/** Where the current call stands. */
export const current: { call: CurrentCall | undefined } = (holder[CALL] ??= { call: undefined });
