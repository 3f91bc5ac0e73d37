/**
 * Request heads: the request line and the field lines (RFC 9112 §3, §5).
 *
 * The parser works on a string in which each character is one byte, and judges complete lines only, one after the other. So its verdict
 * depends on the bytes alone and never on how they were cut into packets: a line without its end can at most be too long.
 * Characters are looked up in tables; nothing here can backtrack.
 *
 * @module
 */

import { ProtocolError } from '../http/errors/protocol-error.ts';
import { equalsIgnoringCase, FieldLines } from '../http/field-lines.ts';
import { isHost, isWhitespace } from '../http/grammar.ts';
import type { HeadLimits } from '../http/request/head-limits.ts';
import { checkedHost, checkMethod, headerTooLarge, hostMissing, targetTooLong, tooManyLines } from '../http/request/head-rules.ts';
import type { HttpVersion } from '../http/request.ts';
import { MAX_EMPTY_LINES } from './limits.ts';

const CR = 0x0d;
const LF = 0x0a;
const COLON = 0x3a;
const SP = 0x20;

/** 1 for each character of a token (RFC 9110 §5.6.2). */
const TOKEN: Uint8Array = tableOf((code) => /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(code)));
/** 1 for visible ASCII: what a request target is made of. Raw bytes above 0x7f are refused (RFC 3986 §2). */
const TARGET: Uint8Array = tableOf((code) => code > 0x20 && code < 0x7f);
/** 1 for what a field value may hold: tab, space, visible ASCII, obs-text (RFC 9110 §5.5). */
const VALUE: Uint8Array = tableOf((code) => code === 0x09 || (code >= 0x20 && code !== 0x7f));

/** The Host that was found valid last: nearly every request has the same. */
let knownHost = '';

/** The fields that frame a message or govern its connection, each as it came; several lines are joined with commas. */
export class FramingFields {
  host: string | undefined = undefined;
  contentLength: string | undefined = undefined;
  transferEncoding: string | undefined = undefined;
  connection: string | undefined = undefined;
  expect: string | undefined = undefined;
  upgrade: string | undefined = undefined;
}

/** A header section, parsed. It says the same wherever the same characters stand again. */
export interface HeaderSection {
  /** The section with the empty line behind it; empty when it has not been kept for comparison. */
  readonly text: string;
  readonly lines: FieldLines;
  readonly fields: FramingFields;
  /** Characters that it takes. */
  readonly length: number;
}

/** A request head, parsed. */
export interface ParsedHead {
  readonly method: string;
  readonly target: string;
  readonly httpVersion: HttpVersion;
  readonly section: HeaderSection;
  /** Where the head ends in the text: the first byte of the body, or of the next request. */
  readonly end: number;
}

/**
 * Skips empty lines before a request line (RFC 9112 §2.2).
 *
 * @param skipped How many have been skipped before.
 * @returns How many are skipped now, all in all. Each is two bytes.
 * @throws ProtocolError when they are too many, or end in a bare LF.
 */
export function skipEmptyLines(text: string, start: number, skipped: number): number {
  let count = skipped;
  let at = start;
  while (text.charCodeAt(at) === CR && text.charCodeAt(at + 1) === LF) {
    if (++count > MAX_EMPTY_LINES) throw new ProtocolError(400, 'bad-request-line', 'Cannot read request: too many empty lines before it');
    at += 2;
  }
  return count;
}

/**
 * Parses one head.
 *
 * @param text One character a byte. May go on behind the head.
 * @param start Where the request line begins.
 * @param known A section that may come again; see `keptSection` in kept-head.ts.
 * @returns The head, or `undefined` while its end is not there.
 * @throws ProtocolError 400, 405, 414, 431, 501 or 505.
 */
export function parseHead(text: string, start: number, limits: HeadLimits, known?: HeaderSection): ParsedHead | undefined {
  const lineFeed = text.indexOf('\n', start);
  if ((lineFeed === -1 ? text.length : lineFeed) - start - 1 > limits.maxRequestLine) {
    throw targetTooLong('its first line', limits);
  }
  if (lineFeed === -1) return undefined;

  // method SP request-target SP HTTP-version CRLF
  const lineEnd = lineFeed - 1;
  let at = start;
  while (TOKEN[text.charCodeAt(at)] === 1) at++;
  const methodEnd = at;
  if (at === start || text.charCodeAt(at) !== SP) throw badLine('the method is not a token followed by a space');
  const targetStart = ++at;
  while (TARGET[text.charCodeAt(at)] === 1) at++;
  const targetEnd = at;
  if (at === targetStart || text.charCodeAt(at) !== SP) throw badLine('the target is empty or holds a character that no target has');
  if (text.charCodeAt(lineEnd) !== CR) throw badLine('it does not end in CR LF');
  const httpVersion = versionOf(text, at + 1, lineEnd);
  const method = text.slice(start, methodEnd);
  const target = text.slice(targetStart, targetEnd);
  checkMethodAndTarget(method, target);

  const sectionStart = lineFeed + 1;
  const isKnown = known !== undefined && text.slice(sectionStart, sectionStart + known.length) === known.text;
  const section = isKnown ? known : parseSection(text, sectionStart, limits);
  if (section === undefined) return undefined;
  if (section.fields.host === undefined && httpVersion === '1.1') {
    throw hostMissing(); // RFC 9112 §3.2
  }
  return { method, target, httpVersion, section, end: sectionStart + section.length };
}

/** Parses a header section. @returns `undefined` while its end is not there. */
export function parseSection(text: string, start: number, limits: HeadLimits): HeaderSection | undefined {
  const fields = new FramingFields();
  const places: number[] = [];
  const end = parseFields(text, start, limits, places, fields);
  return end === -1 ? undefined : { text: '', lines: new FieldLines(text, places), fields, length: end - start };
}

/**
 * Parses field lines up to and including the empty line behind them: a header section or a trailer section.
 *
 * @param places Gets four numbers for each line, see `FieldLines`.
 * @param fields Gets the framing fields; undefined for a trailer section, where they have no say.
 * @returns Where the section ends, or -1 while its end is not there.
 */
export function parseFields(text: string, start: number, limits: HeadLimits, places: number[], fields: FramingFields | undefined): number {
  let at = start;
  for (;;) {
    const lineFeed = text.indexOf('\n', at);
    if ((lineFeed === -1 ? text.length : lineFeed + 1) - start > limits.maxHeaderSize + 2 /* the empty line */) {
      throw headerTooLarge(limits);
    }
    if (lineFeed === -1) return -1;
    if (lineFeed === at + 1 && text.charCodeAt(at) === CR) return lineFeed + 1;
    if (places.length === limits.maxHeaders * 4) throw tooManyLines(limits);
    parseField(text, at, lineFeed - 1, places, fields);
    at = lineFeed + 1;
  }
}

/** field-line = field-name ":" OWS field-value OWS (RFC 9112 §5). Space before the colon and folded lines fail at the name. */
function parseField(text: string, start: number, end: number, places: number[], fields: FramingFields | undefined): void {
  let at = start;
  while (TOKEN[text.charCodeAt(at)] === 1) at++;
  const nameEnd = at;
  if (at === start || text.charCodeAt(at) !== COLON) throw badField('a line has no name followed by a colon');
  at++;
  while (isWhitespace(text.charCodeAt(at))) at++;
  const valueStart = at;
  while (VALUE[text.charCodeAt(at)] === 1) at++;
  if (at !== end || text.charCodeAt(at) !== CR) throw badField('a value holds a control character, or does not end in CR LF');
  while (at > valueStart && isWhitespace(text.charCodeAt(at - 1))) at--;
  places.push(start, nameEnd, valueStart, at);
  if (fields !== undefined) noteFraming(text, start, nameEnd - start, valueStart, at, fields);
}

/** Keeps the values the engine itself needs. The length of the name tells nearly all other fields apart. */
function noteFraming(text: string, start: number, length: number, valueStart: number, valueEnd: number, fields: FramingFields): void {
  switch (length) {
    case 4:
      if (!equalsIgnoringCase(text, start, 'host')) return;
      if (fields.host !== undefined) throw new ProtocolError(400, 'bad-host', 'Cannot serve request: Host is given more than once'); // RFC 9112 §3.2
      if (!isKnownHost(text, valueStart, valueEnd, knownHost)) knownHost = copyOf(checkedHost(text.slice(valueStart, valueEnd)));
      fields.host = knownHost;
      return;
    case 6:
      if (equalsIgnoringCase(text, start, 'expect')) fields.expect = joined(fields.expect, text.slice(valueStart, valueEnd));
      return;
    case 7:
      if (equalsIgnoringCase(text, start, 'upgrade')) fields.upgrade = joined(fields.upgrade, text.slice(valueStart, valueEnd));
      return;
    case 10:
      if (equalsIgnoringCase(text, start, 'connection')) fields.connection = joined(fields.connection, text.slice(valueStart, valueEnd));
      return;
    case 14:
      if (equalsIgnoringCase(text, start, 'content-length')) {
        fields.contentLength = joined(fields.contentLength, text.slice(valueStart, valueEnd));
      }
      return;
    case 17:
      if (equalsIgnoringCase(text, start, 'transfer-encoding')) {
        fields.transferEncoding = joined(fields.transferEncoding, text.slice(valueStart, valueEnd));
      }
      return;
    default:
  }
}

/** Looks at the characters: to cut the value out and compare it took 7 % of a pipelined request, measured. */
function isKnownHost(text: string, start: number, end: number, known: string): boolean {
  if (end - start !== known.length) return false;
  for (let i = 0; i < known.length; i++) if (text.charCodeAt(start + i) !== known.charCodeAt(i)) return false;
  return true;
}

/** A string of its own: a slice is slower to look at, and holds on to all it was cut from. */
export function copyOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

function joined(earlier: string | undefined, value: string): string {
  return earlier === undefined ? value : `${earlier},${value}`;
}

function versionOf(text: string, start: number, end: number): HttpVersion {
  if (end - start !== 8 || !text.startsWith('HTTP/', start) || text.charCodeAt(start + 6) !== 0x2e /* . */) {
    throw badLine('the version is not HTTP/1.1');
  }
  const major = text.charCodeAt(start + 5) - 0x30;
  const minor = text.charCodeAt(start + 7) - 0x30;
  if (major < 0 || major > 9 || minor < 0 || minor > 9) throw badLine('the version is not HTTP/1.1');
  if (major !== 1) throw new ProtocolError(505, 'bad-version', `Cannot serve request: HTTP/${major}.${minor} is not spoken here`);
  return minor === 0 ? '1.0' : '1.1'; // RFC 9110 §2.5: a higher minor version is served as the highest we know
}

/** RFC 9112 §3.2: origin-form, absolute-form, or asterisk-form for OPTIONS. */
function checkMethodAndTarget(method: string, target: string): void {
  checkMethod(method);
  if (target.charCodeAt(0) === 0x2f /* / */) return;
  if (target === '*' && method === 'OPTIONS') return;
  const absolute = /^https?:\/\/([^/?#]+)/i.exec(target);
  if (!absolute || !isHost(absolute[1] as string) || absolute[1]?.startsWith(':')) {
    throw new ProtocolError(400, 'bad-target', 'Cannot serve request: the target is neither a path nor an http URL with a host');
  }
}

function badLine(why: string): ProtocolError {
  return new ProtocolError(400, 'bad-request-line', `Cannot read request line: ${why}`);
}

function badField(why: string): ProtocolError {
  return new ProtocolError(400, 'bad-field', `Cannot read header: ${why}`);
}

function tableOf(isIn: (code: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (isIn(code) ? 1 : 0));
}
