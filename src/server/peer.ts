/**
 * Who the client is when a trusted proxy speaks for it, in one family of fields: X-Forwarded-For, -Proto and -Host, or Forwarded (RFC 7239).
 *
 * The hops are walked from the right, where our own proxy wrote, over trusted addresses only; what lies further left is anybody's claim. The
 * fields of the other family are never looked at: a proxy that writes the one passes on the other as the client sent it.
 *
 * @module
 */
import { BlockList, isIP } from 'node:net';
import { unmapped } from '../http/address.ts';
import { badOption } from '../http/errors/bad-option.ts';
import type { FieldLines } from '../http/field-lines.ts';
import { type Hop, parseForwarded, parseXForwarded } from '../http/fields/forwarded.ts';
import type { Peer } from '../http/request.ts';

/** The family of fields in which the proxies tell of the client. */
export type ProxyHeader = 'x-forwarded' | 'forwarded';

/** Bits of an IPv6 address before the IPv4 address that is mapped into it (RFC 4291 §2.5.5.2). */
const MAPPED_BITS = 96;

/** The peers whose word about the client is believed, and the fields it stands in. */
export class TrustedProxies {
  readonly header: ProxyHeader;
  readonly #addresses: BlockList = new BlockList();
  #trustsUnix = false;

  constructor(header: ProxyHeader) {
    this.header = header;
  }

  /** Trusts an address or a CIDR range. @returns Whether it is one. */
  add(range: string): boolean {
    const [given = '', prefix, ...rest] = range.split('/');
    const address = addressOf(given);
    if (address === undefined || rest.length > 0 || (prefix !== undefined && !/^\d+$/.test(prefix))) return false;
    const family = isIP(address);
    const most = family === 4 ? 32 : 128;
    const bits = prefix === undefined ? most : Number(prefix) - (address === given ? 0 : MAPPED_BITS);
    if (bits < 0 || bits > most) return false;
    this.#addresses.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6');
    return true;
  }

  /** Trusts peers without an address. Only for a server that listens on a unix socket: elsewhere, that is a client that has gone already. */
  addUnix(): void {
    this.#trustsUnix = true;
  }

  /** Whether a peer is trusted. @param address Its address; `undefined` on a unix socket. */
  has(address: string | undefined): boolean {
    if (address === undefined) return this.#trustsUnix;
    const [bare = ''] = unmapped(address).split('%'); // a link-local peer has a zone
    const family = isIP(bare);
    return family !== 0 && this.#addresses.check(bare, family === 4 ? 'ipv4' : 'ipv6');
  }
}

/** What the options say about proxies. */
export interface ProxyOptions {
  readonly trustProxy?: readonly string[] | undefined;
  readonly proxyHeader?: ProxyHeader | undefined;
  readonly path?: string | undefined;
}

/** @internal Checks the options. @throws TypeError with code `bad-option`. */
export function resolveProxies(subject: string, options: ProxyOptions): TrustedProxies | undefined {
  const { trustProxy, proxyHeader = 'x-forwarded', path } = options;
  if (proxyHeader !== 'x-forwarded' && proxyHeader !== 'forwarded') {
    throw badOption(subject, "proxyHeader is neither 'x-forwarded' nor 'forwarded'");
  }
  if (trustProxy === undefined) {
    if (options.proxyHeader !== undefined) throw badOption(subject, 'proxyHeader has no effect without trustProxy');
    return undefined;
  }
  if (!Array.isArray(trustProxy)) throw badOption(subject, 'trustProxy is not a list of addresses');
  const trusted = new TrustedProxies(proxyHeader);
  for (const peer of trustProxy as readonly unknown[]) {
    if (peer === 'unix') {
      if (path === undefined) throw badOption(subject, 'trustProxy holds "unix", which has no effect without path');
      trusted.addUnix();
    } else if (typeof peer !== 'string' || !trusted.add(peer)) {
      throw badOption(subject, `trustProxy holds ${JSON.stringify(peer)}, which is neither an address nor a CIDR range`);
    }
  }
  return trusted;
}

/** @internal The proxies that are trusted, when the peer is one of them. */
export function proxiesFor({ remoteAddress }: Peer, trusted: TrustedProxies | undefined): TrustedProxies | undefined {
  return trusted?.has(remoteAddress) ? trusted : undefined;
}

/** @internal The client as the trusted proxies in front of us tell it; `peer` itself when they tell nothing. */
export function clientBehind(peer: Peer, lines: FieldLines, trusted: TrustedProxies): Peer {
  const hops = hopsOf(lines, trusted.header);
  if (hops.length === 0) return peer;
  let { remoteAddress, remotePort, secure, host } = peer;
  for (let i = hops.length - 1; i >= 0; i--) {
    const hop = hops[i] as Hop; // i is within
    if (hop.protocol !== undefined) secure = hop.protocol === 'https';
    host = hop.host ?? host;
    const address = addressOf(hop.node);
    if (address === undefined) break; // the proxy hides it, or does not know: nobody beyond it can be believed
    remoteAddress = address;
    remotePort = undefined;
    if (!trusted.has(remoteAddress)) break;
  }
  return { ...peer, remoteAddress, remotePort, secure, host, port: undefined, clientCertificate: undefined }; // that of the proxy is not the client's
}

function hopsOf(lines: FieldLines, header: ProxyHeader): Hop[] {
  if (header === 'forwarded') return parseForwarded(lines.all('forwarded'));
  return parseXForwarded(lines.all('x-forwarded-for'), lines.all('x-forwarded-proto'), lines.all('x-forwarded-host'));
}

function addressOf(node: string | undefined): string | undefined {
  if (node === undefined || isIP(node) === 0 || node.includes('%')) return undefined; // a zone means nothing on another machine
  return unmapped(node);
}
