/**
 * Whether handlers are called in this thread: not in the primary of workers, nor in a main thread that hands requests on to others.
 *
 * @module
 */

let isHere = false;
const waiting = new Set<() => void>();

/** Handlers are called in this thread. */
export function handlersAreHere(): void {
  isHere = true;
  for (const call of waiting) call();
  waiting.clear();
}

/** Calls a function as soon as handlers are called in this thread: at once, later, or never. */
export function whenHandlersAreHere(call: () => void): void {
  if (isHere) call();
  else waiting.add(call);
}
