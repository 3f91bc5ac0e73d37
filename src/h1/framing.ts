/**
 * How long is this body, and does the connection go on? Each asked once, by one function that walks the RFC in its order.
 *
 * @module
 */

import { ProtocolError } from '../http/errors/protocol-error.ts';
import { trimWhitespace } from '../http/grammar.ts';
import { asksForContinue, parseContentLength } from '../http/request/head-rules.ts';
import { isBodyless, lengthWithoutBody } from '../http/status.ts';
import type { ParsedHead } from './parser.ts';

/** A body whose end its own framing tells: chunks. */
export const CHUNKED = -1;
/** A response body that ends where the connection ends. */
export const UNTIL_CLOSE = -2;
/** A response that has no body and announces no length either. */
export const NO_BODY = -3;

/**
 * The length of a request's body (RFC 9112 §6.3).
 *
 * @returns A number of bytes, or `CHUNKED`.
 * @throws ProtocolError 400, 413 or 501.
 */
export function requestLength(head: ParsedHead): number {
  const { contentLength, transferEncoding } = head.section.fields;
  if (transferEncoding !== undefined) {
    if (head.httpVersion === '1.0') throw badCoding('HTTP/1.0 has no transfer codings'); // RFC 9112 §6.1: faulty framing
    if (contentLength !== undefined) throw badCoding('Content-Length is given beside Transfer-Encoding'); // §6.3 item 3: ought to be an error
    if (transferEncoding.toLowerCase() === 'chunked') return CHUNKED;
    throw refusalOf(transferEncoding);
  }
  if (contentLength === undefined) return 0; // §6.3 item 7
  const length = parseContentLength(contentLength);
  if (length !== undefined) return length;
  throw new ProtocolError(400, 'bad-content-length', 'Cannot read request: Content-Length is not one whole number'); // §6.3 item 5
}

/** §6.1: an unknown coding is 501; `chunked` anywhere but alone at the end cannot be framed: 400. */
function refusalOf(transferEncoding: string): ProtocolError {
  const codings = transferEncoding.split(',').map((coding) => trimWhitespace(coding).toLowerCase());
  const last = codings.pop();
  const isUnknown = codings.length > 0 && last === 'chunked' && codings.every((coding) => coding !== '' && coding !== 'chunked');
  if (isUnknown || (codings.length === 0 && last !== '' && last !== 'chunked')) {
    return new ProtocolError(501, 'unknown-transfer-coding', 'Cannot read request: only the transfer coding "chunked" is implemented');
  }
  return badCoding('"chunked" is not the one and last coding');
}

function badCoding(why: string): ProtocolError {
  return new ProtocolError(400, 'bad-transfer-coding', `Cannot read request: ${why}`);
}

/**
 * Whether the client lets the connection go on after this request (RFC 9112 §9.3). `close` wins over `keep-alive`.
 */
export function isPersistent(head: ParsedHead): boolean {
  const { connection } = head.section.fields;
  if (connection === undefined) return head.httpVersion !== '1.0';
  if (hasOption(connection, 'close')) return false;
  return head.httpVersion !== '1.0' || hasOption(connection, 'keep-alive');
}

/** The protocol a client offers to switch to (RFC 9110 §7.8): only with `Connection: upgrade`, and never in HTTP/1.0. */
export function offeredUpgrade(head: ParsedHead): string | undefined {
  const { connection, upgrade } = head.section.fields;
  if (upgrade === undefined || connection === undefined || head.httpVersion === '1.0') return undefined;
  return hasOption(connection, 'upgrade') ? upgrade : undefined;
}

/**
 * Whether the client waits for 100 (Continue) before it sends the body (RFC 9110 §10.1.1).
 *
 * @throws ProtocolError 417 for any other expectation.
 */
export function expectsContinue(head: ParsedHead): boolean {
  const { expect } = head.section.fields;
  return head.httpVersion !== '1.0' && asksForContinue(expect);
}

function hasOption(connection: string, option: string): boolean {
  return connection.length === option.length
    ? connection.toLowerCase() === option
    : connection.split(',').some((member) => trimWhitespace(member).toLowerCase() === option);
}

/**
 * How a response is framed (RFC 9112 §6.3, RFC 9110 §8.6).
 *
 * @param length Bytes of the body; undefined when nobody knows.
 * @returns What is announced: a number of bytes, `CHUNKED`, `UNTIL_CLOSE` or `NO_BODY`. A response to HEAD announces what GET would.
 */
export function responseLength(status: number, isOldClient: boolean, length: number | undefined): number {
  if (isBodyless(status)) return lengthWithoutBody(status, undefined) ?? NO_BODY;
  if (length !== undefined) return length;
  return isOldClient ? UNTIL_CLOSE : CHUNKED;
}
