/**
 * Who counts as one client when nothing but the address is known.
 *
 * @module
 */
import { isIPv6 } from 'node:net';
import type { Request } from '../../http/request.ts';

/** Groups in the first 64 bits: what one customer has at least (RFC 6177 §2), and may use address by address. */
const GROUPS = 4;

/** The client's address; of IPv6 the first 64 bits. Without an address (a unix socket and no trusted proxy) all clients are one. */
export function clientKey(request: Request): string {
  const address = request.remoteAddress ?? '';
  return isIPv6(address) ? networkOf(address) : address;
}

/** `2001:db8::1` gives `2001:db8:0:0`, however it is written; `::ffff:192.0.2.1` gives `192.0.2.1` (RFC 4291 §2.5.5.2). */
function networkOf(address: string): string {
  const [bare = ''] = address.toLowerCase().split('%'); // a zone is ours, not the client's
  const groups = groupsOf(bare);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (isMapped) return bytesOf(groups.slice(6)).join('.');
  const network = groups.slice(0, GROUPS);
  return network.map((group) => group.toString(16)).join(':');
}

function bytesOf(groups: readonly number[]): number[] {
  return groups.flatMap((group) => [group >> 8, group & 0xff]);
}

/** The eight groups of an address that is known to be one. */
function groupsOf(address: string): number[] {
  const [head = [], tail] = address.split('::').map(partsOf);
  if (tail === undefined) return [...head];
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
}

function partsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}
