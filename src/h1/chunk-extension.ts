/**
 * The grammar of chunk extensions (RFC 9112 §7.1.1), byte by byte. Nobody needs what they say, but a server that is lenient here may see
 * other chunks than the proxy in front of it.
 *
 *     chunk-ext     = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )
 *     chunk-ext-val = token / quoted-string
 *
 * @module
 */
import { isToken } from '../http/grammar.ts';

/** Behind a size, or whitespace: nothing but a semicolon may come. */
export const BEFORE_SEMICOLON = 0;
const BEFORE_NAME = 1;
const NAME = 2;
const AFTER_NAME = 3;
const BEFORE_VALUE = 4;
const TOKEN = 5;
const QUOTED = 6;
const ESCAPED = 7;
const AFTER_QUOTED = 8;
/** The carriage return behind the extensions. */
export const END = 9;
/** A byte that cannot stand there. */
export const WRONG = 10;

const W = WRONG;
/** The next place, by the present one and the kind of the byte. */
const NEXT: readonly (readonly number[])[] = [
  // blank, ;, =, ", \, CR, token character, other, control
  [BEFORE_SEMICOLON, BEFORE_NAME, W, W, W, W, W, W, W], // BEFORE_SEMICOLON
  [BEFORE_NAME, W, W, W, W, W, NAME, W, W], // BEFORE_NAME
  [AFTER_NAME, BEFORE_NAME, BEFORE_VALUE, W, W, END, NAME, W, W], // NAME
  [AFTER_NAME, BEFORE_NAME, BEFORE_VALUE, W, W, W, W, W, W], // AFTER_NAME
  [BEFORE_VALUE, W, W, QUOTED, W, W, TOKEN, W, W], // BEFORE_VALUE
  [BEFORE_SEMICOLON, BEFORE_NAME, W, W, W, END, TOKEN, W, W], // TOKEN
  [QUOTED, QUOTED, QUOTED, AFTER_QUOTED, ESCAPED, W, QUOTED, QUOTED, W], // QUOTED
  [QUOTED, QUOTED, QUOTED, QUOTED, QUOTED, W, QUOTED, QUOTED, W], // ESCAPED
  [BEFORE_SEMICOLON, BEFORE_NAME, W, W, W, END, W, W, W], // AFTER_QUOTED
];

/** The kind of each byte: a column of `NEXT`. */
const KINDS: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => kindOf(String.fromCharCode(byte)));

/**
 * Reads one byte.
 *
 * @param place Where the reading stands: `BEFORE_SEMICOLON` at first, then what this function returned.
 * @returns Where it stands now: `END` behind the extensions, `WRONG` when the byte fits no extension.
 */
export function placeAfter(place: number, byte: number): number {
  return NEXT[place]?.[KINDS[byte] as number] as number; // a byte has a kind
}

function kindOf(character: string): number {
  const special = [' ', ';', '=', '"', '\\', '\r'].indexOf(character === '\t' ? ' ' : character);
  if (special !== -1) return special;
  if (isToken(character)) return 6;
  return character < ' ' || character === '\x7f' ? 8 : 7;
}
