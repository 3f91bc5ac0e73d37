/**
 * Which fields are passed on, and which belong to one connection and are not (RFC 9110 §7.6.1).
 *
 * @module
 */
import { isAboutClient } from '../../http/fields/forwarded.ts';
import { isHopByHop, namedByConnection, withoutHopByHop } from '../../http/fields/hop-by-hop.ts';
import { isFieldValue, isToken, trimWhitespace } from '../../http/grammar.ts';
import type { Request } from '../../http/request.ts';

/** A field line. */
export type Field = readonly [name: string, value: string];

/** Not hop by hop, but not passed on in either direction: the framing, and what a CGI program behind would take for HTTP_PROXY. */
const OURS: ReadonlySet<string> = new Set(['content-length', 'proxy']);

/** Protocols that carry further HTTP requests, past everything that stands in front of the upstream: nobody may switch to them. */
const HTTP_INSIDE = /^(?:h2c?|http|tls)(?:\/|$)/i;

/** The fields of a request that go upstream, without those that we set ourselves: Host, the framing, and all about the client. */
export function requestFields(request: Request): Field[] {
  const fields: Field[] = [];
  for (const [name, value] of passedOn(request.headers)) {
    const key = keyOf(name);
    if (key === 'host' || key === 'expect' || isAboutClient(name)) continue;
    fields.push([name, key === 'max-forwards' && request.method === 'OPTIONS' ? oneLess(value) : value]);
  }
  return fields;
}

/** Fields without those that others have no value for. */
export function withoutLeftOut(fields: readonly Field[], others: readonly (readonly [name: string, value: string | undefined])[]): Field[] {
  const leftOut = new Set(others.filter(([, value]) => value === undefined).map(([name]) => keyOf(name)));
  return fields.filter(([name]) => !leftOut.has(keyOf(name)));
}

/** The protocols that a client offers to switch to and that may be passed on; undefined: none. A request with a body is never upgraded. */
export function offeredUpgrade(request: Request): string | undefined {
  if (request.httpVersion === '1.0' || request.body.size !== 0) return undefined;
  if (!namedByConnection(request.headerAll('connection')).has('upgrade')) return undefined;
  const offers = membersOf(request.headerAll('upgrade')).filter((offer) => !HTTP_INSIDE.test(offer));
  return offers.length > 0 ? offers.join(', ') : undefined;
}

/** Whether the protocol that an upstream has switched to was offered (RFC 9110 §7.8). */
export function isOffered(protocol: string | undefined, offered: string): protocol is string {
  return protocol !== undefined && membersOf([offered.toLowerCase()]).includes(protocol.toLowerCase());
}

/** The head of a response as it came, one character per byte. */
export interface UpstreamHead {
  readonly status: number;
  /** Those that are passed on. */
  readonly fields: readonly Field[];
  /** The value of Content-Length. */
  readonly size: number | undefined;
  /** The value of Upgrade. */
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
  const valuesOf = (wanted: string): string[] => all.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);
  const codings = valuesOf('transfer-encoding');
  const coding = codings.join(', ');
  // undici has undone `chunked`, once, and nothing else: with another coding the body would be something that nobody names any more.
  if (codings.length > 0 && coding.toLowerCase() !== 'chunked') return `its Transfer-Encoding is ${JSON.stringify(coding.slice(0, 100))}`;
  const [length] = valuesOf('content-length');
  return {
    status,
    fields: passedOn(all),
    size: length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined,
    upgrade: valuesOf('upgrade')[0],
  };
}

/** The fields that a proxy passes on: none of the connection, of the framing, or for proxies alone (RFC 9110 §7.6.1, §11.7). */
function passedOn(fields: readonly Field[]): Field[] {
  return withoutHopByHop(fields).filter(([name]) => {
    const key = keyOf(name);
    return !isHopByHop(key) && !OURS.has(key) && !key.startsWith('proxy-');
  });
}

/** A name in lower case, with `-` for `_`: programs behind a gateway that makes variables of fields take the two for the same. */
function keyOf(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

function membersOf(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split(',').map(trimWhitespace)).filter((member) => member !== '');
}

/** One character per byte: what is not ASCII is passed on as it came. */
function textOf(bytes: Buffer | string | undefined): string {
  return typeof bytes === 'string' ? bytes : (bytes?.toString('latin1') ?? '');
}

/** Max-Forwards after one more hop (RFC 9110 §7.6.2). */
function oneLess(value: string): string {
  return /^[1-9]\d{0,8}$/.test(value) ? String(Number(value) - 1) : value;
}
