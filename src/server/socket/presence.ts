/**
 * Whether a client that has ended its side is gone, or only has nothing more to send (RFC 9112 §9.6 allows both).
 *
 * After the end of its input Node stops watching a socket, so that a response waiting for its next piece, such as an event stream, would
 * never notice a reset. Keep-alive probes make the system ask; the host of a vanished client answers with a reset, after which there is no
 * peer to ask for. Asking for the peer takes a private field of the socket, feature-checked: without it a client counts as present until
 * something is written to it.
 *
 * @module
 */
import type { Socket } from 'node:net';

/** The time before the first probe, ms; then one every second. */
const FIRST_PROBE = 1000;

/** Makes the system probe from time to time whether the client is still there. */
export function probe(socket: Socket): void {
  socket.setKeepAlive(true, FIRST_PROBE);
}

/** Whether the system no longer knows a peer. */
export function isGone(socket: Socket): boolean {
  const { _handle: handle } = socket as { readonly _handle?: { getpeername?: (out: object) => number } | null };
  return typeof handle?.getpeername === 'function' && handle.getpeername({}) !== 0;
}
