/**
 * The Cookie field (RFC 6265 §4.2).
 *
 * @module
 */
import { isUtf8 } from 'node:buffer';
import { cookiePackage } from '../../process/lazy-packages.ts';
import { trimWhitespace } from '../grammar.ts';
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

/**
 * Reads every value of one cookie, where `parseCookie` has the first.
 *
 * @param line The value of Cookie.
 */
export function cookieValuesOf(line: string, name: string): string[] {
  const values: string[] = [];
  let equals = -1;
  for (let start = 0; start < line.length; ) {
    if (equals < start) equals = line.indexOf('=', start); // else it is still ahead: nothing is searched twice
    if (equals === -1) break;
    const semicolon = line.indexOf(';', start);
    const end = semicolon === -1 ? line.length : semicolon;
    const isNamed = equals < end && trimWhitespace(line.slice(start, equals)) === name;
    if (isNamed) values.push(decodeValue(trimWhitespace(line.slice(equals + 1, end))));
    start = end + 1;
  }
  return values;
}

function decodeValue(text: string): string {
  const value = text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
  if (!value.includes('%') || BROKEN.test(value)) return value;
  const decoded = percentDecoded(Buffer.from(value));
  return isUtf8(decoded) ? decoded.toString() : value; // decodeURIComponent would throw: thousands of errors for one field
}
