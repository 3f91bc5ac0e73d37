/**
 * The errors for a form that cannot be read.
 *
 * @module
 */
import type { ErrorCode } from '../../http/errors/error-codes.ts';
import { HttpError } from '../../http/response.ts';
import { badValue, type Origin } from '../reading/wrong-value.ts';

/** A form, in the words of a message. */
export const FORM: Origin = { whole: 'form', one: 'field' };

/** The error for a form that is malformed as a whole. */
export function badForm(why: string, cause?: unknown): HttpError {
  return new HttpError(400, `Cannot read form: ${why}`, { code: 'bad-form' satisfies ErrorCode, cause });
}

/** The error for one wrong field, which the message and the JSON form name. */
export function badField(name: string, why: string): HttpError {
  return badValue(FORM, name, why);
}

/** The error for a form that exceeds the limits. */
export function tooLarge(what: string): HttpError {
  return new HttpError(413, `Cannot read form: ${what}`, { code: 'form-too-large' satisfies ErrorCode });
}

/** The error for a form, or a text in it, in a charset or an encoding that is not read. */
export function unsupported(why: string): HttpError {
  return new HttpError(415, `Cannot read form: ${why}`, { code: 'unsupported-media-type' satisfies ErrorCode });
}
