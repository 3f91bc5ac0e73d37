/**
 * A promise where a value is wanted, as when an `await` was forgotten. Whoever refuses it is the last to see it: that it rejects later would end the
 * process, and other requests with it.
 *
 * @module
 */

/** Whether a value that is refused is a promise. Its rejection is handled from now on: what the program learns is that it was refused. */
export function isRefusedPromise(value: unknown): value is Promise<unknown> {
  if (!(value instanceof Promise)) return false;
  value.catch(() => {});
  return true;
}
