/**
 * What counts as one client when nothing but the address is known.
 *
 * @module
 */
import { isIPv6 } from 'node:net';
import { groupsOf, unmapped } from '../../http/address.ts';
import type { Request } from '../../http/request.ts';

/** Groups in the first 64 bits: one customer has at least that many addresses (RFC 6177 §2), and may use one after the other. */
const GROUPS = 4;
/**
 * The key of all clients of a unix socket. It differs from any address, and from the empty key of requests that came over no connection.
 */
const UNIX = 'unix';

/**
 * The client's address; of IPv6 the first 64 bits.
 *
 * Clients on a unix socket that have no address, because they connect directly or no trusted proxy names one, count as one client, `unix`.
 * So do requests that our server did not receive (made by hand, or passed to `toFetch`), under the empty key.
 */
export function clientKey(request: Request): string {
  const { remoteAddress, peer } = request;
  if (remoteAddress === undefined) return peer.server ? UNIX : '';
  if (!isIPv6(remoteAddress)) return remoteAddress;
  const address = unmapped(remoteAddress);
  return isIPv6(address) ? networkOf(address) : address;
}

/** The first 64 bits: `2001:db8:0:0` for `2001:db8::1`, however it is written. */
function networkOf(address: string): string {
  const network = groupsOf(address).slice(0, GROUPS);
  return network.map((group) => group.toString(16)).join(':');
}
