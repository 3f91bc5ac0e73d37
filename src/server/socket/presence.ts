/**
 * Whether there still is a peer at the other end of a connection whose input is not read.
 *
 * Node does not watch a socket that is paused, or whose input has ended, so that a reset goes unnoticed. Keep-alive probes make the system
 * ask; the host of a vanished client answers with a reset, after which there is no peer to ask for. Asking for the peer takes a private
 * field of the socket, feature-checked: without it a client counts as present until something is written to it.
 *
 * @module
 */
import type { Socket } from 'node:net';

/** The time before the first probe, ms; then one every second. */
const FIRST_PROBE = 1000;

/** Whether the client of a paused socket has left. To be asked from time to time: the first call begins to look. */
export function hasLeft(socket: Socket): boolean {
  probe(socket);
  return isGone(socket);
}

/** Makes the system probe from time to time whether the client is still there. */
export function probe(socket: Socket): void {
  socket.setKeepAlive(true, FIRST_PROBE);
}

/** Whether the system no longer knows a peer. */
export function isGone(socket: Socket): boolean {
  const { _handle: handle } = socket as { readonly _handle?: { getpeername?: (out: object) => number } | null };
  return typeof handle?.getpeername === 'function' && handle.getpeername({}) !== 0;
}
