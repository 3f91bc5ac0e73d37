/**
 * What ends a stream or a connection of HTTP/2 (RFC 9113 §5.4, §7).
 *
 * @module
 */

/** Nothing is wrong. */
export const NO_ERROR = 0x0;
/** A rule of the protocol is broken, and no other code says which. */
export const PROTOCOL_ERROR = 0x1;
/** The fault is ours. */
export const INTERNAL_ERROR = 0x2;
/** More was sent than a window allows, or a window exceeds 2^31-1. */
export const FLOW_CONTROL_ERROR = 0x3;
/** A frame came on a stream whose end had come before. */
export const STREAM_CLOSED = 0x5;
/** A frame has a length that its type cannot have. */
export const FRAME_SIZE_ERROR = 0x6;
/** A stream was refused before anything was done for it: the client may try again. */
export const REFUSED_STREAM = 0x7;
/** Nobody wants the stream any more. */
export const CANCEL = 0x8;
/** A header block cannot be decoded: the table of the connection is lost. */
export const COMPRESSION_ERROR = 0x9;
/** The other end makes us work for nothing. */
export const ENHANCE_YOUR_CALM = 0xb;

/** The names of all codes (RFC 9113 §7). */
const NAMES: readonly string[] = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
];

/** The name of a code; `other` for one that is not defined. */
export function errorName(code: number): string {
  return NAMES[code] ?? 'other';
}

/** Ends the connection with GOAWAY. */
export class ConnectionError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = 'ConnectionError';
    this.code = code;
  }
}

/** Ends one stream with RST_STREAM. */
export class StreamError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = 'StreamError';
    this.code = code;
  }
}

/** The error of a request that is malformed (RFC 9113 §8.1.1). */
export function malformed(why: string): StreamError {
  return new StreamError(PROTOCOL_ERROR, `Cannot serve request: ${why}`);
}
