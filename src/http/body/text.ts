/**
 * A body that is text, checked when the response is made.
 *
 * @module
 */
import { isRefusedPromise } from '../../process/refused-promise.ts';
import { badOption, ofWrongKind } from '../errors/bad-option.ts';
import { withCode } from '../errors/error-codes.ts';
import { insteadOfJson } from './no-json.ts';

const SUBJECT = 'Cannot make a response';

/** A text that is to be a body. @throws TypeError (code `bad-option`) when it is not a string. */
export function checkedText(body: string): string {
  if (typeof body === 'string') return body;
  const advice = typeof body === 'object' && body !== null ? ': for a value as JSON there is Response.json' : '';
  throw ofWrongKind(SUBJECT, 'body', body, 'a string', advice);
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
  if (isRefusedPromise(body) || isRefusedPromise(text)) throw new TypeError('Cannot make a response: body is a promise: await it');
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
  const instead = insteadOfJson(value);
  if (instead) throw noJson(instead.what, instead.advice);
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    const { message } = cause as Error;
    if (message.includes('BigInt')) throw noJson('a bigint', 'make it a number, or a string that holds it', cause);
    throw withCode(new TypeError(`Cannot make JSON: ${message}`, { cause }), 'not-serializable');
  }
  if (text === '{}' && isRefusedPromise(value)) throw noJson('a promise', 'await it first');
  if (text !== undefined) return text;
  throw noJson(typeof value, 'write null where there is nothing');
}

/** Refuses what the Response of the web standard takes besides a value, and plain JavaScript would let pass. */
export function refuseInit(): never {
  throw badOption(SUBJECT, 'Response.json takes a value and nothing else: say the status by withStatus, fields by withHeader');
}

function noJson(what: string, advice: string, cause?: unknown): TypeError {
  return withCode(
    new TypeError(`Cannot make JSON: ${what} has no JSON form: ${advice}`, cause === undefined ? undefined : { cause }),
    'not-serializable',
  );
}
