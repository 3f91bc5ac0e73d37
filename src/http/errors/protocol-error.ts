/**
 * What the engine says of bytes that are not HTTP, or more than it accepts.
 *
 * @module
 */
import type { ErrorCode } from './error-codes.ts';

/** A message that cannot be served. It is answered with its status, and the connection is closed: framing is in doubt from here on. */
export class ProtocolError extends Error {
  readonly status: number;
  readonly code: ErrorCode;

  constructor(status: number, code: ErrorCode, message: string) {
    super(message);
    this.name = 'ProtocolError';
    this.status = status;
    this.code = code;
  }
}
