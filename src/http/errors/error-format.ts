/**
 * The form in which errors are answered: text, JSON, or the JSON of RFC 9457.
 *
 * @module
 */
import { prefersJson } from '../fields/accept.ts';
import { badOption } from './bad-option.ts';
import type { FailureForm } from './failure.ts';

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
