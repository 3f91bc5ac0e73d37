/**
 * An error that is an answer: what `read…` helpers and handlers throw when the client is at fault.
 *
 * @module
 */
import { HeaderList, type HeadersInit } from './header-list.ts';
import type { Response } from './response.ts';
import { REASONS, reasonOf } from './status.ts';

/** Turns an error into its Response. Told by response.ts, which knows this file, so that this one need not know it. */
let respond: ((error: HttpError, asJson: boolean) => Response) | undefined;

/** @internal */
export function answerErrorsWith(make: (error: HttpError, asJson: boolean) => Response): void {
  respond = make;
}

/** What an `HttpError` may be given besides its status and message. */
export interface HttpErrorOptions {
  /** A stable name for programs. Default: the reason phrase of the status, as in `not-found`. */
  code?: string;
  /** What led to it; for logs, never sent. */
  cause?: unknown;
  /** Sent with the answer, as in `{ 'Retry-After': '60' }`. */
  headers?: HeadersInit;
  /** Further members of the JSON form, as in `{ issues: […] }`. */
  details?: Readonly<Record<string, unknown>>;
}

/**
 * An error with a status: the server answers it as it says, with its message.
 *
 * @example
 * if (!user) throw new HttpError(403, 'Only members may vote');
 */
export class HttpError extends Error {
  /** 400 to 599. */
  readonly status: number;
  /** A stable name for programs. */
  readonly code: string;
  /** Sent with the answer. */
  readonly headers: HeadersInit | undefined;
  /** Further members of the JSON form. */
  readonly details: Readonly<Record<string, unknown>> | undefined;

  /**
   * @param status From 400 to 599.
   * @param message For the person who reads it: it is sent. Default: the reason phrase.
   * @param options A code, a cause, header fields.
   * @throws RangeError when the status is not from 400 to 599, TypeError (code `bad-header`) for a header field that cannot be sent.
   */
  constructor(status: number, message?: string, options: HttpErrorOptions = {}) {
    super(message ?? (reasonOf(status) || `Error ${status}`), options.cause === undefined ? undefined : { cause: options.cause });
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw new RangeError(`Cannot make an HttpError: status is ${status}, not from 400 to 599`);
    }
    this.name = 'HttpError';
    this.status = status;
    this.code = options.code ?? (REASONS[status] ?? `status ${status}`).toLowerCase().replaceAll(' ', '-');
    this.headers = options.headers && HeaderList.of(options.headers).pairs(); // checked here, where a handler's error is still a 500
    this.details = options.details;
  }

  /** The answer, as text/plain. The server answers in JSON instead when the client prefers it. */
  get response(): Response {
    return this.toResponse(false);
  }

  /** @internal The answer in one of its two forms. */
  toResponse(asJson: boolean): Response {
    if (!respond) throw new TypeError('Cannot answer an error: import it from "filrouge"');
    return respond(this, asJson);
  }
}
