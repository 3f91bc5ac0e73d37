/**
 * The head of a request: the pseudo-header fields and what goes with them (RFC 9113 §8.2, §8.3).
 *
 * There are three verdicts on a list of fields. It is a request. Or it is *malformed* (§8.1.1): it breaks a rule of HTTP/2, perhaps because it
 * was made to mean something else after a translation to HTTP/1.1; its stream is reset. Or it is a request that is *refused* in every version of
 * HTTP: it is answered.
 *
 * @module
 */
import { ProtocolError } from '../http/errors/protocol-error.ts';
import { FieldLines } from '../http/field-lines.ts';
import { NO_PRIORITY, type Priority, parsePriority } from '../http/fields/priority.ts';
import { isFieldValue, isToken, isWhitespace } from '../http/grammar.ts';
import type { HeadLimits } from '../http/request/head-limits.ts';
import {
  asksForContinue,
  checkedHost,
  checkMethod,
  headerTooLarge,
  hostMissing,
  type PartialHead,
  parseContentLength,
  targetTooLong,
  tooManyLines,
} from '../http/request/head-rules.ts';
import type { HttpVersion, RequestHead } from '../http/request.ts';
import type { TargetParts } from '../http/target.ts';
import { malformed } from './errors.ts';

/** The length of a body that is not announced. */
export const UNKNOWN_LENGTH = -1;

/** What a field line takes beside name and value in HTTP/1.1, where the limits are stated: colon, space and line end. */
const PUNCTUATION = 4;

/** The fields that HTTP/2 replaces (§8.2.2). */
const OF_THE_CONNECTION: ReadonlySet<string> = new Set(['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade']);

/** The head of a request. The same object may serve all requests of a connection whose heads are equal. */
export class Http2Head implements RequestHead {
  readonly method: string;
  readonly target: string;
  readonly httpVersion: HttpVersion = '2.0';
  readonly lines: FieldLines;
  readonly scheme: string;
  /** Bytes of body; 0 when the request ends with its head; else `UNKNOWN_LENGTH` when they are not announced. */
  readonly length: number;
  /** Whether the client waits for 100 (Continue). */
  readonly expectsContinue: boolean;
  /** What an extended CONNECT asks for, such as `websocket` (RFC 8441 §4); undefined for every other request. */
  readonly protocol: string | undefined;
  /** Whether the request ends with its head. */
  readonly isEnded: boolean;
  readonly priority: Priority;
  /** For the server to keep something in. */
  parts: TargetParts | undefined = undefined;

  constructor(list: FieldList, lines: FieldLines, isEnded: boolean, length: number, expectsContinue: boolean) {
    this.method = list.method as string; // checked
    this.target = list.path as string;
    this.scheme = list.scheme as string;
    this.lines = lines;
    this.isEnded = isEnded;
    this.length = length;
    const priority = lines.all('priority');
    this.priority = priority.length === 0 ? NO_PRIORITY : parsePriority(priority.join());
    this.expectsContinue = expectsContinue;
    this.protocol = list.protocol;
  }
}

/** A request that is answered without a handler. */
export class RefusedHead {
  readonly known: PartialHead;
  readonly error: ProtocolError;

  constructor(known: PartialHead, error: ProtocolError) {
    this.known = known;
    this.error = error;
  }
}

/**
 * Reads the head of a request.
 *
 * @param fields Name, value, name, value…, as they were decoded.
 * @param isEnded Whether there is no body.
 * @param isTooLarge Whether there were more fields than the limits allow: they are not all here.
 * @throws StreamError when the request is malformed.
 */
export function readHead(fields: readonly string[], isEnded: boolean, isTooLarge: boolean, limits: HeadLimits): Http2Head | RefusedHead {
  const list = new FieldList(fields);
  const lines = list.lines();
  try {
    if (isTooLarge) throw headerTooLarge(limits);
    list.checkPseudo();
    checkSize(list, lines, limits);
    if (list.protocol === undefined) {
      checkMethod(list.method as string); // it was checked that there is one
    } else if (list.protocol !== 'websocket') {
      throw new ProtocolError(501, 'method-not-implemented', 'Cannot serve request: the only protocol to CONNECT to is "websocket"');
    }
    if (lines.get('host') === undefined) throw hostMissing();
    const length = list.protocol === undefined ? lengthOf(lines, isEnded) : UNKNOWN_LENGTH;
    return new Http2Head(list, lines, isEnded, length, asksForContinue(lines.get('expect')));
  } catch (error) {
    if (error instanceof ProtocolError) return new RefusedHead({ method: list.method, target: list.path, lines }, error);
    throw error;
  }
}

/** Checks trailers (§8.1): they are fields like others, and nobody here reads them. @throws StreamError when they are malformed. */
export function checkTrailers(fields: readonly string[]): void {
  if (new FieldList(fields).hasPseudo) throw malformed('a pseudo-header field stands in the trailers');
}

/** The fields of a block: pseudo-header fields apart, the others checked one by one. */
class FieldList {
  method: string | undefined = undefined;
  path: string | undefined = undefined;
  scheme: string | undefined = undefined;
  authority: string | undefined = undefined;
  protocol: string | undefined = undefined;
  hasPseudo = false;
  readonly #fields: readonly string[];
  /** Where the fields begin that are no pseudo-header fields. */
  readonly #start: number;

  /** @throws StreamError when a rule of §8.2 or §8.3 is broken that concerns one field. */
  constructor(fields: readonly string[]) {
    this.#fields = fields;
    let at = 0;
    for (; at < fields.length && isPseudo(fields[at] as string); at += 2) this.#note(fields[at] as string, fields[at + 1] as string);
    this.#start = at;
    for (; at < fields.length; at += 2) checkField(fields[at] as string, fields[at + 1] as string);
  }

  /** A pseudo-header field: each once, and only those that are defined for requests (§8.3, §8.3.1, RFC 8441 §4). */
  #note(name: string, value: string): void {
    this.hasPseudo = true;
    if (!isFieldValue(value)) throw malformed(`${name} holds a character that no field has`);
    switch (name) {
      case ':method':
        this.method = once(this.method, name, value);
        return;
      case ':path':
        this.path = once(this.path, name, value);
        return;
      case ':scheme':
        this.scheme = once(this.scheme, name, value);
        return;
      case ':authority':
        this.authority = once(this.authority, name, value);
        return;
      case ':protocol':
        this.protocol = once(this.protocol, name, value);
        return;
      default:
        throw malformed('a pseudo-header field is not one of a request');
    }
  }

  /**
   * Checks that the pseudo-header fields make a request (§8.3.1, §8.5).
   *
   * @throws StreamError; ProtocolError 501 for a plain CONNECT, which is well-formed.
   */
  checkPseudo(): void {
    const { method, path, scheme } = this;
    if (method === undefined || !isToken(method)) throw malformed(':method is missing, or no token');
    if (method === 'CONNECT' && this.protocol === undefined) {
      if (path !== undefined || scheme !== undefined || this.authority === undefined) {
        throw malformed('CONNECT takes :authority, and neither :scheme nor :path'); // §8.5
      }
      return checkMethod(method);
    }
    if (this.protocol !== undefined && method !== 'CONNECT') throw malformed(':protocol goes with CONNECT only'); // RFC 8441 §4
    if (scheme === undefined) throw malformed(':scheme is missing');
    if (path === undefined || path === '') throw malformed(':path is missing or empty');
    if (path.charCodeAt(0) !== 0x2f /* / */ && !(path === '*' && method === 'OPTIONS')) throw malformed(':path is not a path');
  }

  /**
   * The fields as they would have come over HTTP/1.1: the authority is Host (§8.3.1), and the pieces of a cookie are one line again (§8.2.3).
   */
  lines(): FieldLines {
    const fields = this.#fields;
    const places: number[] = [];
    let text = '';
    const add = (name: string, value: string): void => {
      const start = text.length;
      text += name + value;
      places.push(start, start + name.length, start + name.length, text.length);
    };
    if (this.authority !== undefined) add('host', this.authority);
    let cookie: string | undefined;
    let isRepeated = false;
    for (let at = this.#start; at < fields.length; at += 2) {
      const name = fields[at] as string; // within, as is the next
      const value = fields[at + 1] as string;
      if (name === 'cookie') cookie = cookie === undefined ? value : `${cookie}; ${value}`;
      else if (name === 'host' && value === this.authority && !isRepeated) isRepeated = true;
      else add(name, value);
    }
    if (cookie !== undefined) add('cookie', cookie);
    return new FieldLines(text, places);
  }
}

/**
 * Checks target, size and Host.
 *
 * @throws ProtocolError 400, 414 or 431.
 */
function checkSize(list: FieldList, lines: FieldLines, limits: HeadLimits): void {
  const target = list.path as string; // checked
  if (target.length > limits.maxRequestLine) throw targetTooLong('its target', limits);
  if (!/^[\x21-\x7e]+$/.test(target)) {
    throw new ProtocolError(400, 'bad-target', 'Cannot serve request: the target holds a character that no target has'); // RFC 3986 §2
  }
  if (list.scheme !== 'http' && list.scheme !== 'https') {
    throw new ProtocolError(400, 'bad-target', 'Cannot serve request: the scheme is neither http nor https');
  }
  if (lines.count > limits.maxHeaders) throw tooManyLines(limits);
  if (lines.size + lines.count * PUNCTUATION > limits.maxHeaderSize) throw headerTooLarge(limits);
  const hosts = lines.all('host');
  if (hosts.length > 1) throw new ProtocolError(400, 'bad-host', 'Cannot serve request: Host and :authority are not the same');
  if (hosts[0] === '') throw hostMissing(); // the target is a URI here, and has to have a host (RFC 9110 §4.2.1)
  if (hosts.length === 1) checkedHost(hosts[0] as string);
}

/** @throws StreamError when a body of that length cannot follow; ProtocolError 413. */
function lengthOf(lines: FieldLines, isEnded: boolean): number {
  let length: number | undefined;
  const values = lines.all('content-length');
  if (values.length > 0) {
    length = values.length === 1 ? parseContentLength(values[0] as string) : undefined;
    if (length === undefined) throw malformed('Content-Length is not one whole number');
  }
  if (!isEnded) return length ?? UNKNOWN_LENGTH;
  if (length !== undefined && length !== 0) throw malformed('the body is shorter than Content-Length says'); // §8.1.1
  return 0;
}

/** @throws StreamError. */
function checkField(name: string, value: string): void {
  if (isPseudo(name)) throw malformed('a pseudo-header field stands behind another field'); // §8.3
  if (!isName(name)) throw malformed('a field name holds a character that no name has, or a capital letter'); // §8.2, §8.2.1
  if (!isFieldValue(value) || isPadded(value)) throw malformed('a field value holds a character that it cannot have'); // §8.2.1
  if (OF_THE_CONNECTION.has(name) || (name === 'te' && value !== 'trailers')) throw malformed('a field belongs to HTTP/1.1 connections'); // §8.2.2
}

function isPseudo(name: string): boolean {
  return name.charCodeAt(0) === 0x3a; /* : */
}

function once(earlier: string | undefined, name: string, value: string): string {
  if (earlier !== undefined) throw malformed(`${name} is given more than once`);
  return value;
}

/** A token without capital letters. */
function isName(name: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name);
}

/** Whether a value begins or ends with space: over HTTP/1.1 it would be another value. */
function isPadded(value: string): boolean {
  return isWhitespace(value.charCodeAt(0)) || isWhitespace(value.charCodeAt(value.length - 1));
}
