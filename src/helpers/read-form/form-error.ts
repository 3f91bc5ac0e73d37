/**
 * What a client is told whose form cannot be read.
 *
 * @module
 */
import type { ErrorCode } from '../../http/errors/error-codes.ts';
import { HttpError } from '../../http/response.ts';

/** A name of the client's own in a message is cut here. */
const MAX_SHOWN = 100;

/** The form as a whole is malformed. */
export function badForm(why: string, cause?: unknown): HttpError {
  return new HttpError(400, `Cannot read form: ${why}`, { code: 'bad-form' satisfies ErrorCode, cause });
}

/** One field is wrong: the message names it, and so does the JSON form. */
export function badField(name: string, why: string, code: 'missing-field' | 'bad-field-value' = 'bad-field-value'): HttpError {
  return new HttpError(400, `Cannot read form: field ${shown(name)} ${why}`, { code, details: { field: name } });
}

/** There is more than the limits allow. */
export function tooLarge(what: string): HttpError {
  return new HttpError(413, `Cannot read form: ${what}`, { code: 'form-too-large' satisfies ErrorCode });
}

/** A name for a message: in quotes, without what would break a line. */
export function shown(name: string): string {
  return JSON.stringify(name.length > MAX_SHOWN ? `${name.slice(0, MAX_SHOWN)}…` : name);
}
