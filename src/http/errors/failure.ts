/**
 * What an error that is an answer says: its status, message, code, header fields, and the text or JSON they make.
 *
 * It knows nothing of Response, so that Response may throw such errors: `HttpError`, which adds the answer, stands beside Response.
 *
 * @module
 */

import { prefersJson } from '../fields/accept.ts';
import { HeaderList, type HeadersInit } from '../header-list.ts';
import { REASONS, reasonOf } from '../status.ts';
import { badOption, checkOptions, checkString } from './bad-option.ts';
import { withCode } from './error-codes.ts';

/** What an `HttpError` can be given besides its status and message. */
export interface HttpErrorOptions {
  /** A stable name for programs. Default: the reason phrase of the status, as in `not-found`. */
  code?: string | undefined;
  /** What led to it; for logs, never sent. */
  cause?: unknown;
  /** Sent with the answer, as in `{ 'Retry-After': '60' }`. */
  headers?: HeadersInit | undefined;
  /** Further members of the JSON forms, as in `{ issues: […] }`. In `problem` they may be `type`, `title` and `instance` too (RFC 9457 §3.1). */
  details?: Readonly<Record<string, unknown>> | undefined;
}

/** The forms of the answer. */
export type FailureForm = 'text' | 'json' | 'problem';

const TYPES = { text: 'text/plain; charset=utf-8', json: 'application/json; charset=utf-8', problem: 'application/problem+json' } as const;
const SUBJECT = 'Cannot make an HttpError';
const KNOWN: ReadonlySet<string> = new Set(['code', 'cause', 'headers', 'details']);

/** An `HttpError` without the Response it becomes. */
export abstract class Failure extends Error {
  /** 400 to 599. */
  declare readonly status: number;
  /** A stable name for programs. */
  declare readonly code: string;
  /** Sent with the answer. */
  declare readonly headers: HeadersInit | undefined;
  /** Further members of the JSON form. */
  declare readonly details: Readonly<Record<string, unknown>> | undefined;

  /**
   * @param status From 400 to 599.
   * @param message For people: it is sent. Default: the reason phrase.
   * @param options A code, a cause, header fields.
   * @throws RangeError (code `bad-status`) when the status is not from 400 to 599; TypeError for a header field that cannot be sent (code `bad-header`), or an
   *   option that is unknown or has a wrong type (code `bad-option`).
   */
  constructor(status: number, message?: string, options: HttpErrorOptions = {}) {
    if (message !== undefined) checkString(SUBJECT, 'message', message);
    checkOptions(SUBJECT, options, KNOWN);
    super(message ?? phraseOf(status), options.cause === undefined ? undefined : { cause: options.cause });
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw withCode(new RangeError(`${SUBJECT}: status is ${JSON.stringify(status)}, not a whole number from 400 to 599`), 'bad-status');
    }
    this.name = 'HttpError';
    setReadonly(this, 'status', status);
    setReadonly(this, 'code', options.code ?? (REASONS[status] ?? `status ${status}`).toLowerCase().replaceAll(' ', '-'));
    // Checked here, where a handler's error is still a 500.
    setReadonly(this, 'headers', options.headers && Object.freeze(HeaderList.of(options.headers).pairs()));
    setReadonly(this, 'details', options.details);
  }
}

/** Sets a field that cannot be assigned: an error may be a constant of a module, too. A class that extends it may declare the field anew. */
function setReadonly<K extends 'status' | 'code' | 'headers' | 'details'>(failure: Failure, name: K, value: Failure[K]): void {
  Object.defineProperty(failure, name, { value, enumerable: true, configurable: true });
}

/** The header fields of the answer. */
export function fieldsOfFailure({ headers }: Failure, form: FailureForm): HeaderList {
  return HeaderList.of(headers).with('X-Content-Type-Options', 'nosniff').with('Content-Type', TYPES[form]);
}

/** The body of the answer. */
export function bodyOfFailure({ status, code, message, details }: Failure, form: FailureForm): string {
  if (form === 'text') return message;
  if (form === 'json') return JSON.stringify({ status, code, message, ...details });
  return JSON.stringify({ type: 'about:blank', title: phraseOf(status), status, detail: message, code, ...details }); // RFC 9457 §4.2.1
}

function phraseOf(status: number): string {
  return reasonOf(status) || `Error ${status}`;
}

/**
 * How errors are written: `text` is the message, `json` an object with status, code and message, `problem` the same as RFC 9457 wants it
 * (`application/problem+json`). `auto`: JSON for clients that prefer it to text by their Accept, text for others.
 */
export type ErrorFormat = 'auto' | 'text' | 'json' | 'problem';

/** A client that an error is written for: a Request. */
export interface ErrorReader {
  headerAll(name: string): string[];
  /** What its server does. Default `auto`. */
  readonly errorFormat?: ErrorFormat;
}

const FORMATS: ReadonlySet<unknown> = new Set<ErrorFormat>(['auto', 'text', 'json', 'problem']);
const WANTED = "neither 'auto', 'text', 'json' nor 'problem'";

/** Checks the option `errors`. @throws TypeError (code `bad-option`). */
export function checkErrorFormat(subject: string, errors: unknown): void {
  if (!FORMATS.has(errors) && typeof errors !== 'function') throw badOption(subject, `errors is ${WANTED}, nor a function`);
}

/** What the option `errors` says of a request. @throws TypeError when its function returns something else, or what that throws. */
export function errorFormatOf<R>(errors: ErrorFormat | ((head: R) => ErrorFormat), head: R): ErrorFormat {
  const format = typeof errors === 'function' ? errors(head) : errors;
  if (FORMATS.has(format)) return format;
  throw badOption('Cannot answer error', `errors returned ${JSON.stringify(format)}, ${WANTED}`);
}

/** The form for a client. @param format Default: what its server does. */
export function formFor(reader: ErrorReader, format: ErrorFormat = reader.errorFormat ?? 'auto'): FailureForm {
  if (format !== 'auto') return format;
  return prefersJson(reader.headerAll('accept').join(', ')) ? 'json' : 'text';
}
