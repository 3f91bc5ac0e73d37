/**
 * Whether a client that has ended its side is gone, or only has nothing more to say (RFC 9112 §9.6 allows both).
 *
 * After the end of its input Node does not look at a socket any more, so that a response which waits for its next piece, such as an event stream, would
 * never hear of a reset. Keep-alive probes make the system ask; the host of a vanished client answers with a reset, after which there is no peer to ask for.
 * To ask it for the peer takes a private field of the socket, feature-checked: without it a client counts as there until something is written to it.
 *
 * @module
 */
import type { Socket } from 'node:net';

/** When the system asks first, ms; then every second. */
const FIRST_PROBE = 1000;

/** Has the system ask from time to time whether the client is there. */
export function probe(socket: Socket): void {
  socket.setKeepAlive(true, FIRST_PROBE);
}

/** Whether the system knows no peer any more. */
export function isGone(socket: Socket): boolean {
  const { _handle: handle } = socket as { readonly _handle?: { getpeername?: (out: object) => number } | null };
  return typeof handle?.getpeername === 'function' && handle.getpeername({}) !== 0;
}
