/**
 * Who the client is when a trusted proxy speaks for it: Forwarded (RFC 7239) and the X-Forwarded fields.
 *
 * The list of addresses is walked from the right, where our own proxy wrote, over trusted addresses only; what lies further left is anybody's claim.
 *
 * @module
 */
import { type BlockList, isIP } from 'node:net';
import type { FieldLines } from '../http/field-lines.ts';
import { isHost, trimWhitespace } from '../http/grammar.ts';
import type { Peer } from '../http/request.ts';

/** One hop, as the proxy that received from it tells. */
interface Hop {
  readonly address: string | undefined;
  readonly protocol: string | undefined;
  readonly host: string | undefined;
}

/** Whether an address is one of the trusted ones. */
export function isTrusted(trusted: BlockList, address: string | undefined): boolean {
  if (address === undefined) return false;
  const family = isIP(address);
  return family !== 0 && trusted.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** The client as the trusted proxies in front of us tell it; `peer` itself when they tell nothing. */
export function clientBehind(peer: Peer, lines: FieldLines, trusted: BlockList): Peer {
  const hops = lines.get('forwarded') === undefined ? hopsOfX(lines) : parseForwarded(lines.all('forwarded').join(','));
  let client = peer;
  for (let i = hops.length - 1; i >= 0; i--) {
    const hop = hops[i] as Hop; // i is within
    if (hop.address === undefined) break; // "unknown" or an obfuscated name: nobody beyond it can be believed
    const secure = hop.protocol === undefined ? client.secure : hop.protocol === 'https';
    client = { ...peer, remoteAddress: hop.address, remotePort: undefined, secure, host: hop.host ?? client.host };
    if (!isTrusted(trusted, hop.address)) break;
  }
  return client;
}

/** X-Forwarded-For beside -Proto and -Host. The latter tell of the first hop; a list in -Proto is matched from the right. */
function hopsOfX(lines: FieldLines): Hop[] {
  const addresses = listOf(lines, 'x-forwarded-for');
  const protocols = listOf(lines, 'x-forwarded-proto');
  const host = listOf(lines, 'x-forwarded-host').at(-1);
  return addresses.map((address, i) => ({
    address: addressOf(address),
    protocol: (protocols.at(i - addresses.length) ?? protocols.at(-1))?.toLowerCase(),
    host: host !== undefined && isHost(host) && host !== '' ? host : undefined,
  }));
}

function listOf(lines: FieldLines, name: string): string[] {
  return lines
    .all(name)
    .flatMap((value) => value.split(','))
    .map(trimWhitespace)
    .filter((member) => member !== '');
}

/** Forwarded = 1#( [ pair ] *( ";" [ pair ] ) ), RFC 7239 §4. A member that does not parse hides those to its left. */
function parseForwarded(text: string): Hop[] {
  return splitOutsideQuotes(text, ',').map((element) => {
    const pairs = new Map<string, string>();
    for (const pair of splitOutsideQuotes(element, ';')) {
      const equals = pair.indexOf('=');
      if (equals > 0) pairs.set(trimWhitespace(pair.slice(0, equals)).toLowerCase(), unquote(trimWhitespace(pair.slice(equals + 1))));
    }
    const host = pairs.get('host');
    return {
      address: addressOf(pairs.get('for') ?? ''),
      protocol: pairs.get('proto')?.toLowerCase(),
      host: host && isHost(host) ? host : undefined,
    };
  });
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"' && text[i - 1] !== '\\') isQuoted = !isQuoted;
    else if (text[i] === separator && !isQuoted) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function unquote(text: string): string {
  return text.startsWith('"') && text.endsWith('"') && text.length > 1 ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text;
}

/** An IP address without brackets and port; undefined for anything else. */
function addressOf(text: string): string | undefined {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(text);
  const address = bracketed?.[1] ?? (/^\d+\.\d+\.\d+\.\d+:\d+$/.test(text) ? text.slice(0, text.indexOf(':')) : text);
  return isIP(address) === 0 ? undefined : address;
}
