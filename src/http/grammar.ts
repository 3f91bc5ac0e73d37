/**
 * The small grammars of HTTP that every layer shares: tokens, field values, host names (RFC 9110 §5.5, §5.6, RFC 3986 §3.2).
 *
 * @module
 */

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Tab, visible ASCII, space and obs-text; no other control character, nothing beyond one byte. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** uri-host [":" port]: an IP literal in brackets or a registered name, which may be empty (RFC 9110 §7.2). */
const HOST =
  /^(?:\[[0-9A-Fa-f:.]+\]|\[v[0-9A-Fa-f]+\.[0-9A-Za-z\-._~!$&'()*+,;=:]+\]|(?:[0-9A-Za-z\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)(?::\d*)?$/;

/** Whether `text` is a token (RFC 9110 §5.6.2), as method and field names must be. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Whether `text` may stand in a field value: free of CR, LF, NUL and other controls, one byte per character (RFC 9110 §5.5). */
export function isFieldValue(text: string): boolean {
  return FIELD_VALUE.test(text);
}

/** Whether `text` is a valid value of Host (RFC 9110 §7.2). Empty is. */
export function isHost(text: string): boolean {
  return HOST.test(text);
}

/** Removes spaces and tabs around a value, and nothing else: `trim()` would take 0xa0 too (RFC 9110 §5.6.3). */
export function trimWhitespace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWhitespace(text.charCodeAt(start))) start++;
  while (end > start && isWhitespace(text.charCodeAt(end - 1))) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

/** Whether a character code is a space or a tab. */
export function isWhitespace(code: number): boolean {
  return code === 0x20 /* SP */ || code === 0x09 /* HTAB */;
}
