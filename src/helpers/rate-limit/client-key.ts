/**
 * What counts as one client when nothing but the address is known.
 *
 * @module
 */
import { isIPv6 } from 'node:net';
import { networkOf } from '../../http/address.ts';
import type { Request } from '../../http/request.ts';

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
  return isIPv6(remoteAddress) ? networkOf(remoteAddress) : remoteAddress;
}
