/**
 * The client of a request, as the main thread has passed it on.
 *
 * @module
 */
import type { Carrier, Peer, PeerServer } from '../../../http/request.ts';
import type { WirePeer } from '../wire.ts';

/** The client, and what ties it to this thread. @param id Under which its request came. */
export function peerFrom(wire: WirePeer, server: PeerServer, carrier: Carrier, id: number): Peer {
  const [remoteAddress, remotePort, secure, host, readAt, port, connection, clientCertificate] = wire;
  return {
    remoteAddress,
    remotePort,
    secure,
    clientCertificate,
    host,
    port,
    readAt: readAt - performance.timeOrigin,
    server,
    carrier,
    connection,
    id,
  };
}
