/**
 * What proxies tell about the client they received a request from: Forwarded (RFC 7239), and the X-Forwarded fields that came before it.
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
