/**
 * Text of a client's, or of anybody else's, for one line of a log.
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
