/**
 * The address of the client at the other end of a socket.
 *
 * @module
 */
import type { Socket } from 'node:net';
import { unmapped } from '../../http/address.ts';

/** Undefined on a unix socket, and when the client has gone before anybody asked. */
export function addressOf({ remoteAddress }: Socket): string | undefined {
  return remoteAddress && unmapped(remoteAddress); // an IPv4 client of an IPv6 socket
}

/** The address of a TLS socket's client, also after its end. Taken from the socket beneath it: without that there is none. */
export function addressUnder(socket: Socket): string | undefined {
  return addressOf(socketUnder(socket) ?? socket);
}

/** The socket beneath a TLS socket: a private field. */
export function socketUnder(socket: Socket): Socket | undefined {
  return (socket as { readonly _parent?: Socket | null })._parent ?? undefined;
}
