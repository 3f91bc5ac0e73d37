/**
 * What proxies tell about the client they received a request from: Forwarded (RFC 7239), and the X-Forwarded fields that came before it.
 *
 * What we tell ourselves comes from what we know: what a client has sent under these names is not passed on, so that it may be trusted.
 *
 * Both are read into hops, the one our own proxy wrote last. Each field line is read alone, and a member that does not parse tells nothing at
 * all: an unclosed quote in what the client sent must not reach into what the proxy wrote behind it.
 *
 * @module
 */
import { isHost, isToken, trimWhitespace } from '../grammar.ts';
import { isQuotedString, splitOutsideQuotes, unquote } from './list.ts';

/** One hop, as told by the proxy that received from it. */
export interface Hop {
  /** Its address without brackets and port, or whatever stands in its place (`unknown`, `_name`); not checked. */
  readonly node: string | undefined;
  /** In lower case. */
  readonly protocol: string | undefined;
  /** The host it asked for. */
  readonly host: string | undefined;
}

/** Names under which a client, or whoever stands before us, speaks of itself. */
const ABOUT_CLIENT = /^(?:forwarded|x-forwarded-.*|x-real-ip)$/;

/** Whether a field says who the client is: ours to say, whatever was sent. `_` counts as `-`, as behind a gateway to CGI. */
export function isAboutClient(name: string): boolean {
  return ABOUT_CLIENT.test(name.toLowerCase().replaceAll('_', '-'));
}

/**
 * Forwarded and X-Forwarded-*, as name and value pairs.
 *
 * @param address Of the client; undefined when there is none.
 * @param host What the client asked for; left out when it is not valid.
 */
export function forwardedFields(address: string | undefined, host: string | undefined, secure: boolean): [name: string, value: string][] {
  const known = host !== undefined && host !== '' && isHost(host) ? host : undefined;
  const protocol = secure ? 'https' : 'http';
  const fields: [string, string][] = [];
  if (address !== undefined) fields.push(['X-Forwarded-For', address]);
  fields.push(['X-Forwarded-Proto', protocol]);
  if (known !== undefined) fields.push(['X-Forwarded-Host', known]);
  fields.push(['Forwarded', `for=${nodeFor(address)};${known === undefined ? '' : `host="${known}";`}proto=${protocol}`]);
  return fields;
}

/** RFC 7239 §6: an IPv6 address is put in brackets, and those in quotes. */
function nodeFor(address: string | undefined): string {
  if (address === undefined) return 'unknown';
  return address.includes(':') ? `"[${address}]"` : address;
}

const SILENT: Hop = { node: undefined, protocol: undefined, host: undefined };

/** A value without quotes: more than a token, since `[2001:db8::1]:80` must stand in quotes, but is often written without. */
const BARE = /^[^"\\ \t]*$/;
/** RFC 7239 §6: a port may be a number or an obfuscated one. */
const BRACKETED = /^\[([^[\]]+)\](?::(?:\d+|_[A-Za-z0-9._-]+))?$/;
const IPV4_AND_PORT = /^(\d+\.\d+\.\d+\.\d+):(?:\d+|_[A-Za-z0-9._-]+)$/;

/**
 * Reads Forwarded: `1#( [ pair ] *( ";" [ pair ] ) )` (RFC 7239 §4).
 *
 * @param lines The value of each field line, in the order they came.
 */
export function parseForwarded(lines: readonly string[]): Hop[] {
  return lines
    .flatMap((line) => splitOutsideQuotes(line, ','))
    .filter((element) => trimWhitespace(element) !== '')
    .map(hopOf);
}

/**
 * Reads X-Forwarded-For together with -Proto and -Host.
 *
 * A list in -Proto is matched with the addresses from the right; a single protocol, and the last host, are those of every hop. Without addresses
 * there is one hop without a node.
 *
 * @param nodes The value of each line of X-Forwarded-For; the others likewise.
 */
export function parseXForwarded(nodes: readonly string[], protocols: readonly string[], hosts: readonly string[]): Hop[] {
  const names = membersOf(nodes);
  const schemes = membersOf(protocols);
  const host = hostOf(membersOf(hosts).at(-1));
  if (names.length === 0) {
    const protocol = schemes.at(-1)?.toLowerCase();
    return protocol === undefined && host === undefined ? [] : [{ node: undefined, protocol, host }];
  }
  return names.map((name, i) => ({
    node: nodeOf(name),
    protocol: (schemes.at(i - names.length) ?? schemes.at(-1))?.toLowerCase(),
    host,
  }));
}

function hopOf(element: string): Hop {
  const pairs = new Map<string, string>();
  for (const part of splitOutsideQuotes(element, ';')) {
    const pair = trimWhitespace(part);
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = pair.slice(0, Math.max(equals, 0)).toLowerCase();
    const value = pair.slice(equals + 1);
    if (!isToken(name) || !(BARE.test(value) || isQuotedString(value))) return SILENT;
    if (pairs.has(name)) return SILENT; // RFC 7239 §4: each parameter once
    pairs.set(name, unquote(value));
  }
  const node = pairs.get('for');
  return { node: node && nodeOf(node), protocol: pairs.get('proto')?.toLowerCase(), host: hostOf(pairs.get('host')) };
}

function membersOf(lines: readonly string[]): string[] {
  return lines
    .flatMap((line) => line.split(','))
    .map(trimWhitespace)
    .filter((member) => member !== '');
}

function nodeOf(text: string): string {
  return BRACKETED.exec(text)?.[1] ?? IPV4_AND_PORT.exec(text)?.[1] ?? text;
}

function hostOf(host: string | undefined): string | undefined {
  return host !== undefined && host !== '' && isHost(host) ? host : undefined;
}
