/**
 * What few requests need, created on demand: every request that comes is an object, and most have none of this.
 *
 * @module
 */

/** What a request has besides its head and body. `R` is the Request, which knows these, not the other way round. */
export interface Extras<R> {
  query: URLSearchParams | undefined;
  controller: AbortController | undefined;
  abortReason: Error | undefined;
  stopping: AbortController | undefined;
  /** The request this one was made from, and the prefix that was cut off its path. */
  origin: R | undefined;
  prefix: string;
  /** Called when the response has been sent. */
  endings: (() => void)[] | undefined;
  /** Called on an abort, besides the signal. */
  onAbort: ((reason: Error) => void)[] | undefined;
}

/** None of it yet. */
export function noExtras<R>(): Extras<R> {
  return {
    query: undefined,
    controller: undefined,
    abortReason: undefined,
    stopping: undefined,
    origin: undefined,
    prefix: '',
    endings: undefined,
    onAbort: undefined,
  };
}
