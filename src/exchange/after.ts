/**
 * Time for what has no clock of its own: the heartbeat of a body.
 *
 * @module
 */

/** Calls a function once, after so many milliseconds. Does not keep the process alive. @returns Cancels that. */
export function after(ms: number, call: () => void): () => void {
  const timer = setTimeout(call, ms);
  timer.unref();
  return () => clearTimeout(timer);
}
