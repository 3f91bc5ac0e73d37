/**
 * The `charset` of a body that is read as UTF-8.
 *
 * @module
 */

/** All labels of UTF-8 (WHATWG Encoding §4.2), and ASCII, which is a part of it. */
const LABELS: ReadonlySet<string> = new Set([
  'utf-8',
  'utf8',
  'unicode-1-1-utf-8',
  'unicode11utf8',
  'unicode20utf8',
  'x-unicode20utf8',
  'us-ascii',
]);

/** Whether text under this charset is UTF-8. Without one it is. */
export function isUtf8Label(charset: string | undefined): boolean {
  return charset === undefined || LABELS.has(charset.toLowerCase());
}
