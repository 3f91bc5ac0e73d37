/**
 * The rules of a request head that do not depend on how it was written: HTTP/1.1 and HTTP/2 refuse the same requests with the same words.
 *
 * @module
 */
import { ProtocolError } from '../errors/protocol-error.ts';
import type { FieldLines } from '../field-lines.ts';
import { isHost } from '../grammar.ts';
import type { HeadLimits } from './head-limits.ts';

/** Longer than any registered method (17 letters): anything longer is not a method we could serve. */
const MAX_METHOD = 64;

/** A whole number that a double holds exactly, without a sign: 15 digits suffice for a petabyte. */
const LENGTH = /^\d+$/;

/** What is known of a head that has been refused, or has come in part. Nothing of it may decide how the connection goes on. */
export interface PartialHead {
  /** Undefined when it is not known to be whole. */
  readonly method: string | undefined;
  /** As sent, whatever it holds. Undefined when it is not known to be whole. */
  readonly target: string | undefined;
  /** The field lines that came whole, up to the first that is malformed. */
  readonly lines: FieldLines;
}

/**
 * Checks that a method is served here.
 *
 * @throws ProtocolError 501, or 405 for TRACE.
 */
export function checkMethod(method: string): void {
  if (method === 'CONNECT' || method.length > MAX_METHOD) {
    throw new ProtocolError(501, 'method-not-implemented', 'Cannot serve request: the method is not implemented');
  }
  if (method === 'TRACE') throw new ProtocolError(405, 'method-not-implemented', 'Cannot serve request: TRACE is not allowed');
}

/** The refusal of a target that has no canonical path. */
export function badTarget(): ProtocolError {
  return new ProtocolError(400, 'bad-target', 'Cannot serve request: the target holds a broken escape, broken UTF-8, NUL or a backslash');
}

/** The value of Host. @throws ProtocolError 400 when it is malformed (RFC 9110 §7.2). */
export function checkedHost(host: string): string {
  if (isHost(host)) return host;
  throw new ProtocolError(400, 'bad-host', 'Cannot serve request: Host is malformed');
}

/** The refusal of a request that names no host (RFC 9112 §3.2). */
export function hostMissing(): ProtocolError {
  return new ProtocolError(400, 'bad-host', 'Cannot serve request: Host is missing');
}

/**
 * The number that Content-Length states (RFC 9110 §8.6).
 *
 * @returns Undefined when it is not one whole number.
 * @throws ProtocolError 413 when it is beyond any body.
 */
export function parseContentLength(value: string): number | undefined {
  if (!LENGTH.test(value)) return undefined;
  const length = Number(value);
  if (Number.isSafeInteger(length)) return length;
  throw new ProtocolError(413, 'body-too-large', 'Cannot read request: Content-Length is beyond any body');
}

/**
 * Whether the client waits for 100 (Continue) before it sends the body (RFC 9110 §10.1.1).
 *
 * @param expect The value of Expect.
 * @throws ProtocolError 417 for any other expectation.
 */
export function asksForContinue(expect: string | undefined): boolean {
  if (expect === undefined) return false;
  if (expect.toLowerCase() === '100-continue') return true;
  throw new ProtocolError(417, 'bad-expectation', 'Cannot serve request: the only expectation that can be met is "100-continue"');
}

/** The refusal of a request line, or of a target, that is too long. @param what Has exceeded `maxRequestLine`. */
export function targetTooLong(what: string, { maxRequestLine }: HeadLimits): ProtocolError {
  return new ProtocolError(414, 'target-too-long', `Cannot read request: ${what} is longer than ${maxRequestLine} bytes`);
}

/** The refusal of a header section that takes more than `maxHeaderSize`. */
export function headerTooLarge({ maxHeaderSize }: HeadLimits): ProtocolError {
  return tooLarge(`is larger than ${maxHeaderSize} bytes`);
}

/** The refusal of a header section of more lines than `maxHeaders`. */
export function tooManyLines({ maxHeaders }: HeadLimits): ProtocolError {
  return tooLarge(`has more than ${maxHeaders} lines`);
}

function tooLarge(why: string): ProtocolError {
  return new ProtocolError(431, 'header-too-large', `Cannot read header: it ${why}`);
}
