/**
 * What an error that is an answer says: its status, message, code, header fields, and the text or JSON they make.
 *
 * It knows nothing of Response, so that Response may throw such errors: `HttpError`, which adds the answer, stands beside Response.
 *
 * @module
 */
import { HeaderList, type HeadersInit } from '../header-list.ts';
import { REASONS, reasonOf } from '../status.ts';

/** What an `HttpError` can be given besides its status and message. */
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

/** An `HttpError` without the Response it becomes. */
export abstract class Failure extends Error {
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
   * @param message For people: it is sent. Default: the reason phrase.
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
}

/** The header fields of the answer. */
export function fieldsOfFailure({ headers }: Failure, asJson: boolean): HeaderList {
  const type = asJson ? 'application/json; charset=utf-8' : 'text/plain; charset=utf-8';
  return HeaderList.of(headers).with('X-Content-Type-Options', 'nosniff').with('Content-Type', type);
}

/** The body of the answer. */
export function bodyOfFailure({ status, code, message, details }: Failure, asJson: boolean): string {
  return asJson ? JSON.stringify({ status, code, message, ...details }) : message;
}
