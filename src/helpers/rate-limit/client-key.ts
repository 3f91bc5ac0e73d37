/**
 * Who counts as one client when nothing but the address is known.
 *
 * @module
 */
import { isIPv6 } from 'node:net';
import { groupsOf, unmapped } from '../../http/address.ts';
import type { Request } from '../../http/request.ts';

/** Groups in the first 64 bits: what one customer has at least (RFC 6177 §2), and may use address by address. */
const GROUPS = 4;
/** Everybody at the other end of a unix socket. No address looks like it, and it is not the empty key of requests that came over no connection. */
const UNIX = 'unix';

/**
 * The client's address; of IPv6 the first 64 bits.
 *
 * Those who come over a unix socket without an address, whether directly or because no trusted proxy tells theirs, are one client, `unix`. So are
 * requests that a server did not receive (made by hand, or given to `toFetch`), under the empty key.
 */
export function clientKey(request: Request): string {
  const { remoteAddress, peer } = request;
  if (remoteAddress === undefined) return peer.server ? UNIX : '';
  if (!isIPv6(remoteAddress)) return remoteAddress;
  const address = unmapped(remoteAddress);
  return isIPv6(address) ? networkOf(address) : address;
}

/** `2001:db8::1` gives `2001:db8:0:0`, however it is written. */
function networkOf(address: string): string {
  const network = groupsOf(address).slice(0, GROUPS);
  return network.map((group) => group.toString(16)).join(':');
}
