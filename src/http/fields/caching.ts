/**
 * The fields by which caches keep a response and ask for it again: Cache-Control (RFC 9111 §5.2), ETag and Last-Modified (RFC 9110 §8.8).
 *
 * @module
 */
import { serializeDate } from '../date.ts';
import { withCode } from '../errors/error-codes.ts';

/**
 * Makes a Cache-Control that lets a response be kept for some time.
 *
 * @param scope Who may keep it: every cache, or only the client's own.
 * @param seconds How long.
 * @throws RangeError when `seconds` is not a whole number from 0.
 */
export function serializeMaxAge(scope: 'public' | 'private', seconds: number): string {
  if (Number.isSafeInteger(seconds) && seconds >= 0) return `${scope}, max-age=${seconds}`;
  throw new RangeError(`Cannot set Cache-Control: max-age is ${seconds}, not a whole number of seconds`);
}

/**
 * Makes an ETag (RFC 9110 §8.8.3).
 *
 * @param tag With or without its quotes; `W/"…"` makes it weak.
 * @throws TypeError (code `bad-header`) when it holds a quote, a space or a control character.
 */
export function serializeEtag(tag: string): string {
  const quoted = /^(?:W\/)?".*"$/.test(tag) ? tag : `"${tag}"`;
  if (/^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/.test(quoted)) return quoted;
  throw withCode(new TypeError(`Cannot set ETag: ${JSON.stringify(tag)} holds a quote, a space or a control character`), 'bad-header');
}

/**
 * Makes a Last-Modified (RFC 9110 §8.8.2).
 *
 * @throws RangeError (code `bad-header`) when the date is invalid.
 */
export function serializeLastModified(at: Date): string {
  if (!Number.isNaN(at.getTime())) return serializeDate(at);
  throw withCode(new RangeError('Cannot set Last-Modified: the date is invalid'), 'bad-header');
}
