/**
 * Lists and parameters whose members may hold quoted strings (RFC 9110 §5.6.1, §5.6.4, §5.6.6).
 *
 * Entity tags are not quoted strings: a backslash in one escapes nothing (RFC 9110 §8.8.3).
 *
 * @module
 */
import { trimWhitespace } from '../grammar.ts';

/** OWS ";" OWS [ name "=" ( token / quoted-string ) ], one after the other (RFC 9110 §5.6.6). */
const PARAMETER =
  /[ \t]*;[ \t]*(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=([!#$%&'*+\-.^_`|~0-9A-Za-z]+|"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"))?/y;

/** Parameters of one value: nobody has use for more. */
const MAX_PARAMETERS = 32;

/**
 * Reads the parameters that end a field value (RFC 9110 §5.6.6). Empty ones, as behind a last semicolon, are none.
 *
 * @param start Where they begin, in front of the first semicolon.
 * @returns Name, in lower case, and value, quotes included, of each in order; `undefined` when they are malformed, or more than 32.
 * @example
 * parseParameters('a/b; Q="1"', 3); // [['q', '"1"']]
 */
export function parseParameters(text: string, start: number): [name: string, value: string][] | undefined {
  const parameters: [string, string][] = [];
  for (let at = start; at < text.length; at = PARAMETER.lastIndex) {
    PARAMETER.lastIndex = at;
    const found = PARAMETER.exec(text);
    if (!found) return trimWhitespace(text.slice(at)) === '' ? parameters : undefined;
    const [, name, value = ''] = found;
    if (name === undefined) continue;
    if (parameters.length === MAX_PARAMETERS) return undefined;
    parameters.push([name.toLowerCase(), value]);
  }
  return parameters;
}

/**
 * Splits a field value at a separator, but not inside quoted strings (RFC 9110 §5.6.4).
 *
 * A quoted string that never ends reaches to the end of the text. Give one field line at a time where a sender further away must not hide
 * what one nearer has written.
 *
 * @returns The parts as they stand, whitespace and empty ones included: joined by the separator, they are the text again.
 * @example
 * splitOutsideQuotes('a="1,2", b', ','); // ['a="1,2"', ' b']
 */
export function splitOutsideQuotes(text: string, separator: ',' | ';'): string[] {
  if (!text.includes('"')) return text.split(separator);
  const code = separator.charCodeAt(0);
  const parts: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22 /* " */) isQuoted = !isQuoted;
    else if (isQuoted && c === 0x5c /* \ */) i++;
    else if (c === code && !isQuoted) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

/**
 * Reads a quoted string (RFC 9110 §5.6.4).
 *
 * @returns What it stands for; the text itself, unchanged, when it is not one whole quoted string.
 * @example
 * unquote('"a\\"b"'); // 'a"b'
 */
export function unquote(text: string): string {
  return isQuotedString(text) ? text.slice(1, -1).replace(/\\(.)/gs, '$1') : text;
}

/** Whether a text is one whole quoted string and nothing else. Not a pattern: that would need a stack as deep as the text is long. */
export function isQuotedString(text: string): boolean {
  if (text.charCodeAt(0) !== 0x22 /* " */) return false;
  for (let i = 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22 /* " */) return i === text.length - 1;
    if (c === 0x5c /* \ */) i++;
  }
  return false;
}
