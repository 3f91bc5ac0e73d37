/**
 * The errors for a form that cannot be read.
 *
 * @module
 */
import type { ErrorCode } from '../../http/errors/error-codes.ts';
import { HttpError } from '../../http/response.ts';

/** Most characters of a client's field name shown in a message. */
const MAX_SHOWN = 100;

/** The error for a form that is malformed as a whole. */
export function badForm(why: string, cause?: unknown): HttpError {
  return new HttpError(400, `Cannot read form: ${why}`, { code: 'bad-form' satisfies ErrorCode, cause });
}

/** The error for one wrong field, which the message and the JSON form name. */
export function badField(name: string, why: string, code: 'missing-field' | 'bad-field-value' = 'bad-field-value'): HttpError {
  return new HttpError(400, `Cannot read form: field ${shown(name)} ${why}`, { code, details: { field: name } });
}

/** The error for a form that exceeds the limits. */
export function tooLarge(what: string): HttpError {
  return new HttpError(413, `Cannot read form: ${what}`, { code: 'form-too-large' satisfies ErrorCode });
}

/** The error for a form, or a text in it, in a charset or an encoding that is not read. */
export function unsupported(why: string): HttpError {
  return new HttpError(415, `Cannot read form: ${why}`, { code: 'unsupported-media-type' satisfies ErrorCode });
}

/** A name for a message: in quotes, without what would break a line. */
export function shown(name: string): string {
  return JSON.stringify(name.length > MAX_SHOWN ? `${name.slice(0, MAX_SHOWN)}…` : name);
}
