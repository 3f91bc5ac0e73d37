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

/** HTML marked as escaped, by `html` or another library: `html`, `raw` and JSX of Hono do so too. */
export interface EscapedHtml {
  readonly isEscaped: true;
  toString(): string;
}

/** HTML as an object: marked as escaped, or a String object, as some libraries return. */
export type HtmlText = EscapedHtml | { valueOf(): string; toString(): string };

/** A page, or another document of tags. @throws TypeError when it is neither a string nor HTML. */
export function checkedMarkup(body: string | HtmlText): string {
  if (typeof body === 'string') return body;
  const isHtml = typeof body === 'object' && body !== null && (isEscaped(body) || isStringObject(body));
  const text: unknown = isHtml ? body.toString() : undefined;
  if (typeof text === 'string') return text;
  if (body instanceof Promise || text instanceof Promise) throw new TypeError('Cannot make a response: body is a promise: await it');
  return checkedText(body as unknown as string);
}

/** Whether an object says that it is HTML. JSON cannot forge one: without a method of its own, it is no text but "[object Object]". */
export function isEscaped(value: object): value is EscapedHtml {
  return (value as { readonly isEscaped?: unknown }).isEscaped === true;
}

function isStringObject(value: object): boolean {
  return typeof value.valueOf === 'function' && typeof value.valueOf() === 'string';
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
