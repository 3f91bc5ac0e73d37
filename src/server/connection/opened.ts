/**
 * A connection speaks HTTP from now on: whoever watches is told.
 *
 * @module
 */
import type { Socket } from 'node:net';
import type { Peer } from '../../http/request.ts';
import { areConnectionsWatched, type Connection, openConnection } from '../../process/watching/connection-channels.ts';

/** Tells those who watch connections, if there are any. */
export function tellOpened(socket: Socket, peer: Peer, protocol: Connection['protocol']): void {
  if (!areConnectionsWatched()) return;
  const { remoteAddress, secure: isSecure } = peer;
  peer.connection = openConnection(socket, { remoteAddress, protocol, isSecure }, performance.now());
}
