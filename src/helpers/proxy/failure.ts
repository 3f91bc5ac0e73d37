/**
 * Failures between us and an upstream. The client sees only 502 or 504; the log has the reason.
 *
 * @module
 */
import { withCode } from '../../http/errors/error-codes.ts';
import { quoted } from '../../http/escaped.ts';
import type { Request } from '../../http/request.ts';
import { HttpError } from '../../http/response.ts';
import { RESET } from './target.ts';

const TOO_SLOW: ReadonlySet<string> = new Set(['ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT']);
const CLOSED: ReadonlySet<string> = new Set([RESET, 'EPIPE', 'UND_ERR_SOCKET']);

/** An upstream that failed. */
export class UpstreamFailure extends Error {
  readonly isTooSlow: boolean;
  /** The connection was closed unexpectedly, and nothing else is known. */
  readonly isClosed: boolean;

  constructor(why: string, isTooSlow: boolean, isClosed = false, cause?: unknown) {
    super(why, cause === undefined ? undefined : { cause });
    this.isTooSlow = isTooSlow;
    this.isClosed = isClosed;
  }

  /** Makes one of an error of undici or of the system. */
  static of(error: Error): UpstreamFailure {
    const { code = '', message } = error as NodeJS.ErrnoException;
    return new UpstreamFailure(message === '' ? code : message, TOO_SLOW.has(code), CLOSED.has(code), error);
  }
}

/** Answers for an upstream that sent no response, and prints why. */
export function gatewayError(failure: UpstreamFailure, request: Request, origin: string): HttpError {
  const what = `${request.method} ${quoted(request.path.slice(0, 200))}`;
  console.error(`[proxy ${origin}] Cannot answer ${what}: ${printable(failure.message)}`);
  return failure.isTooSlow
    ? new HttpError(504, undefined, { code: 'gateway-timeout', cause: failure })
    : new HttpError(502, undefined, { code: 'bad-gateway', cause: failure });
}

/** Ends a response that has begun: the connection is cut, so that it does not look complete. */
export function bodyError(failure: UpstreamFailure): Error {
  const error = new Error(`Cannot send the rest of a response: ${failure.message}`, { cause: failure });
  return withCode(error, failure.isTooSlow ? 'gateway-timeout' : 'bad-gateway');
}

/** Escapes a message: those of parsers may quote what the upstream has sent. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 500);
}
