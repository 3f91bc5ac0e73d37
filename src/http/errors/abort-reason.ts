/**
 * Why `request.signal` and the signals beside it abort. The errors have the names that `fetch`, streams and `AbortSignal.timeout` give
 * theirs, so that code which tells departures from faults by name works with them.
 *
 * @module
 */

/** The client has left: an `AbortError`. @param cause What another server says about it. */
export function clientLeft(cause?: unknown): DOMException {
  return new DOMException('The client has gone away', { name: 'AbortError', cause });
}

/** The server drains: an `AbortError`. */
export function serverStops(): DOMException {
  return new DOMException('The server is stopping', 'AbortError');
}

/** `handlerTimeout` is over: a `TimeoutError`. */
export function timeIsUp(): DOMException {
  return new DOMException('The handler has taken longer than handlerTimeout', 'TimeoutError');
}
