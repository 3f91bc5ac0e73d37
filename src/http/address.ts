/**
 * IP addresses as text: the groups of IPv6, IPv4 addresses mapped into IPv6 (RFC 4291 §2.2, §2.5.5.2), and what counts as one client.
 *
 * @module
 */

/** How an IPv4-mapped address begins, in whatever spelling; some others do too. */
const MAPPED_START = /^[0:]+:ffff:/i;
/** Groups in the first 64 bits: one customer has at least that many addresses (RFC 6177 §2), and may use one after the other. */
const NETWORK_GROUPS = 4;

/**
 * An IPv4 address where the address is an IPv4-mapped one, else the address itself.
 *
 * @param address One that is known to be an IP address.
 * @example
 * unmapped('::ffff:192.0.2.1'); // '192.0.2.1', and so is '0:0:0:0:0:FFFF:C000:201'
 */
export function unmapped(address: string): string {
  if (!MAPPED_START.test(address)) return address;
  const groups = groupsOf(address);
  if (groups[5] !== 0xffff || groups.slice(0, 5).some((group) => group !== 0)) return address;
  return groups.slice(6).flatMap(bytesOf).join('.');
}

/**
 * What of an address all addresses of one client have in common: an IPv4 address, the first 64 bits of IPv6.
 *
 * @param address One that is known to be an IP address.
 * @example
 * networkOf('2001:db8::1'); // '2001:db8:0:0', however it is written
 */
export function networkOf(address: string): string {
  const plain = unmapped(address);
  if (!plain.includes(':')) return plain;
  const network = groupsOf(plain).slice(0, NETWORK_GROUPS);
  return network.map((group) => group.toString(16)).join(':');
}

/** The eight groups of an IPv6 address, each a number of 16 bits. A zone (`%eth0`) is left out: it is ours, not the peer's. */
export function groupsOf(address: string): number[] {
  const [bare = ''] = address.split('%');
  const [head = [], tail] = bare.split('::').map(partsOf);
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

function bytesOf(group: number): number[] {
  return [group >> 8, group & 0xff];
}
