/**
 * The errors for a value that was sent under a name: a field, a parameter, a header.
 *
 * @module
 */
import type { ErrorCode } from '../../http/errors/error-codes.ts';
import { HttpError } from '../../http/response.ts';

/** Most characters of a client's name shown in a message. */
const MAX_SHOWN = 100;

/** What is read, in the words of a message: form and field, query and parameter, headers and header. */
export interface Origin {
  readonly whole: string;
  readonly one: string;
}

/** What could not be done, as each message begins: `Cannot read form`. */
export function subjectOf({ whole }: Origin): string {
  return `Cannot read ${whole}`;
}

/** The error for one wrong value, which the message and the JSON form name. */
export function badValue(
  origin: Origin,
  name: string,
  why: string,
  code: ErrorCode & ('missing-field' | 'bad-field-value') = 'bad-field-value',
): HttpError {
  return new HttpError(400, `${subjectOf(origin)}: ${origin.one} ${shown(name)} ${why}`, { code, details: { field: name } });
}

/** A name for a message: in quotes, without what would break a line. */
export function shown(name: string): string {
  return JSON.stringify(name.length > MAX_SHOWN ? `${name.slice(0, MAX_SHOWN)}…` : name);
}
