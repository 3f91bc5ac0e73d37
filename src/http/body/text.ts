/**
 * A body that is text, checked when the response is made.
 *
 * @module
 */
import { withCode } from '../errors/error-codes.ts';

/** A text that is to be a body. @throws TypeError when it is not a string. */
export function checkedText(body: string): string {
  if (typeof body === 'string') return body;
  throw new TypeError(`Cannot make a response: body is ${body === null ? 'null' : typeof body}, not a string`);
}

/** A value as JSON. @throws TypeError (code `not-serializable`) when it has no JSON form. */
export function jsonOf(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw withCode(new TypeError(`Cannot make JSON: ${(cause as Error).message}`, { cause }), 'not-serializable');
  }
  if (text !== undefined) return text;
  throw withCode(new TypeError(`Cannot make JSON: ${typeof value} has no JSON form`), 'not-serializable');
}
