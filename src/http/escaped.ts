/**
 * Text of a client's, or of anybody else's, for a place where it could mean something: a line of a log, a page.
 *
 * @module
 */

/** Control characters, C1 among them, and the two line ends of Unicode. */
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u2028\u2029]/g;

/**
 * Escapes what could forge a line or speak to a terminal, as JSON would: CR and LF begin a line, ESC and 0x9b begin a command.
 * JSON.stringify leaves everything above 0x7e as it is.
 */
export function escaped(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Escapes the same in a text of several lines, all of which but the first are indented: none can pass for a line of a log. */
export function escapedBlock(text: string): string {
  return text
    .split('\n')
    .map((line) => line.split('\t').map(escaped).join('\t'))
    .join('\n')
    .replaceAll(/\n(?=[^ ])/g, '\n    ');
}

/** The same in double quotes, which a text cannot leave. */
export function quoted(text: string): string {
  return escaped(JSON.stringify(text));
}

/** What means something in HTML: in text, and in an attribute with quotes of either kind. */
const MARKUP = /[&<>"']/;

/** Escapes text for HTML: for the text of an element, and for an attribute in quotes. The loop is five times as fast as `replace`. */
export function escapedMarkup(text: string): string {
  let at = text.search(MARKUP);
  if (at === -1) return text;
  let out = '';
  let from = 0;
  for (; at < text.length; at++) {
    const entity = entityOf(text.charCodeAt(at));
    if (entity === undefined) continue;
    out += text.slice(from, at) + entity;
    from = at + 1;
  }
  return out + text.slice(from);
}

function entityOf(code: number): string | undefined {
  switch (code) {
    case 0x26: // &
      return '&amp;';
    case 0x3c: // <
      return '&lt;';
    case 0x3e: // >
      return '&gt;';
    case 0x22: // "
      return '&quot;';
    case 0x27: // '
      return '&#39;';
    default:
      return undefined;
  }
}
