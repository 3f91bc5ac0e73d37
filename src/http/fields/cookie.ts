/**
 * The Cookie field (RFC 6265 §4.2).
 *
 * @module
 */
import { isUtf8 } from 'node:buffer';
import { cookiePackage } from '../../process/lazy-packages.ts';
import { percentDecoded } from '../percent.ts';

/** A percent sign that begins no escape. */
const BROKEN = /%(?![0-9a-f]{2})/i;

/**
 * Reads the value of Cookie. Whatever is not `name=value` is passed over.
 *
 * @returns The values by name, without a prototype, so that a cookie named `__proto__` is a cookie like any other. Of several with one name
 *   the first is taken: browsers send the one with the longest path first (RFC 6265 §5.4). Quotes around a value are taken off and escapes
 *   decoded; a value with a broken escape stays as it came.
 */
export function parseCookie(value: string | undefined): Readonly<Record<string, string | undefined>> {
  const cookies = Object.create(null) as Record<string, string | undefined>;
  return value === undefined ? cookies : Object.assign(cookies, cookiePackage().parseCookie(value, { decode: decodeValue }));
}

function decodeValue(text: string): string {
  const value = text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
  if (!value.includes('%') || BROKEN.test(value)) return value;
  const decoded = percentDecoded(Buffer.from(value));
  return isUtf8(decoded) ? decoded.toString() : value; // decodeURIComponent would throw: thousands of errors for one field
}
