/**
 * The fields that go on, and those that belong to one connection and do not (RFC 9110 §7.6.1).
 *
 * @module
 */
import { isFieldValue, isToken, trimWhitespace } from '../../http/grammar.ts';
import type { Request } from '../../http/request.ts';

/** A field line. */
export type Field = readonly [name: string, value: string];

/** Fields of one connection, or of the framing, in both directions; besides these all of `Proxy-…` and what Connection names. */
const OF_THE_CONNECTION: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'http2-settings',
  'keep-alive',
  'proxy', // a CGI program behind would take it for HTTP_PROXY
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What is said about the client and the way to it: ours to say, whatever the client does. With `_` too, which programs take for the same. */
const ABOUT_THE_CLIENT = /^(?:forwarded|x[-_]forwarded[-_].*|x[-_]real[-_]ip)$/;

/** Protocols that carry further requests of HTTP: these would pass by all that stands in front of the upstream, so nobody may switch to them. */
const HTTP_INSIDE = /^(?:h2c?|http|tls)(?:\/|$)/i;

/** The fields of a request that go upstream, without those that we say ourselves: Host, the framing, and all about the client. */
export function requestFields(request: Request): Field[] {
  const named = namedByConnection(request.headers);
  const fields: Field[] = [];
  for (const [name, value] of request.headers) {
    const key = name.toLowerCase();
    if (key === 'host' || key === 'expect' || isOfConnection(key, named) || ABOUT_THE_CLIENT.test(key)) continue;
    fields.push([name, key === 'max-forwards' && request.method === 'OPTIONS' ? oneLess(value) : value]);
  }
  return fields;
}

/** The protocols that a client offers to switch to and that may be passed on; undefined: none. A request with a body stays what it is. */
export function offeredUpgrade(request: Request): string | undefined {
  if (request.httpVersion !== '1.1' || request.body.size !== 0) return undefined;
  if (!namedByConnection(request.headers).has('upgrade')) return undefined;
  const offers = membersOf(request.headerAll('upgrade')).filter((offer) => !HTTP_INSIDE.test(offer));
  return offers.length > 0 ? offers.join(', ') : undefined;
}

/** Whether the protocol that an upstream has switched to is one of those offered (RFC 9110 §7.8). */
export function isOffered(protocol: string | undefined, offered: string): protocol is string {
  return protocol !== undefined && membersOf([offered.toLowerCase()]).includes(protocol.toLowerCase());
}

/** A response head as it came, in bytes. */
export interface UpstreamHead {
  readonly status: number;
  /** Without those of the connection. */
  readonly fields: readonly Field[];
  /** What Content-Length says. */
  readonly size: number | undefined;
  /** What Upgrade says. */
  readonly upgrade: string | undefined;
}

/**
 * Reads a response head.
 *
 * @param raw Name, value, name, value…
 * @returns The head, or what is wrong with it.
 */
export function readHead(status: number, raw: readonly (Buffer | string)[]): UpstreamHead | string {
  const all: Field[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [name, value] = [textOf(raw[i]), trimWhitespace(textOf(raw[i + 1]))];
    if (!isToken(name) || !isFieldValue(value)) return `its field ${JSON.stringify(name.slice(0, 100))} is malformed`;
    all.push([name, value]);
  }
  const found = (wanted: string): string | undefined => all.find(([name]) => name.toLowerCase() === wanted)?.[1];
  const coding = found('transfer-encoding');
  // undici has undone `chunked` and nothing else: with another coding the body would be something that nobody names any more.
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') return `its Transfer-Encoding is ${JSON.stringify(coding.slice(0, 100))}`;
  const length = found('content-length');
  const named = namedByConnection(all);
  return {
    status,
    fields: all.filter(([name]) => !isOfConnection(name.toLowerCase(), named)),
    size: length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined,
    upgrade: found('upgrade'),
  };
}

function isOfConnection(key: string, named: ReadonlySet<string>): boolean {
  return OF_THE_CONNECTION.has(key) || named.has(key) || key.startsWith('proxy-');
}

function namedByConnection(fields: readonly Field[]): ReadonlySet<string> {
  const values = fields.filter(([name]) => name.toLowerCase() === 'connection').map(([, value]) => value.toLowerCase());
  return new Set(membersOf(values));
}

function membersOf(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split(',').map(trimWhitespace)).filter((member) => member !== '');
}

/** One character a byte: what is not ASCII goes on as it came. */
function textOf(bytes: Buffer | string | undefined): string {
  return typeof bytes === 'string' ? bytes : (bytes?.toString('latin1') ?? '');
}

/** Max-Forwards behind one more hop (RFC 9110 §7.6.2). */
function oneLess(value: string): string {
  return /^[1-9]\d{0,8}$/.test(value) ? String(Number(value) - 1) : value;
}
