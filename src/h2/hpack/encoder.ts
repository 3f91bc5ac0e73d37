/**
 * HPACK, the sending side (RFC 7541), without a dynamic table.
 *
 * Fields are looked up in the static table, and what is not there is a literal. Nothing is ever inserted into the table of the other side, so a block means
 * the same on every connection and at any time: it can be encoded once for all of them, and nothing is kept for a connection.
 *
 * @module
 */
import { huffmanEncode, huffmanLength } from './huffman.ts';
import { LAST_STATIC, STATIC_TABLE } from './static-table.ts';

/**
 * A table size update to 0 (RFC 7541 §6.3): goes once in front of the first block after a SETTINGS_HEADER_TABLE_SIZE below 4096 was acknowledged.
 *
 * The other side keeps a table of 4096 octets for us, though we use none of them. When it lowers its setting below that, the next block must
 * begin with an update (RFC 7541 §4.2, "MUST occur at the beginning of the first header block following the change"), and a block that does not is a
 * COMPRESSION_ERROR there (RFC 9113 §4.3.1), entries or no entries. After an update to 0 no setting is lower than what was said, so one is
 * enough for the life of a connection; a setting of 4096 or more asks for none.
 */
export const EMPTY_TABLE = 0x20;

/** Fields whose values are worth guessing: marked so that nobody who passes them on puts them into a table, where guesses could be tried (RFC 7541 §7.1.3). */
const SENSITIVE: ReadonlySet<string> = new Set(['set-cookie', 'cookie', 'authorization', 'proxy-authorization']);

/** What a field takes besides its name and value, at most: index in two octets, two lengths in six. */
const MOST_OVERHEAD = 14;

/** Index of the first entry of the static table with a name. */
const FIRST_WITH_NAME: ReadonlyMap<string, number> = firstIndices();

/** How many octets `encodeHeaders` takes at most. */
export function headersRoom(fields: readonly string[]): number {
  let room = MOST_OVERHEAD * (fields.length >> 1);
  for (const text of fields) room += text.length;
  return room;
}

/**
 * Encodes a header block.
 *
 * @param fields Name, value, name, value…: names in lower case, all characters octets.
 * @param into Has room for `headersRoom(fields)` octets from `at` on.
 * @returns The place behind the block.
 */
export function encodeHeaders(fields: readonly string[], into: Uint8Array, at: number): number {
  let end = at;
  for (let i = 0; i + 1 < fields.length; i += 2) end = encodeField(fields[i] as string, fields[i + 1] as string, into, end);
  return end;
}

function encodeField(name: string, value: string, into: Uint8Array, at: number): number {
  const first = FIRST_WITH_NAME.get(name) ?? 0;
  for (let index = first; index !== 0 && index <= LAST_STATIC && STATIC_TABLE[2 * index] === name; index++) {
    if (STATIC_TABLE[2 * index + 1] === value) return encodeInteger(0x80, 0x7f, index, into, at); // RFC 7541 §6.1
  }
  const kind = SENSITIVE.has(name) ? 0x10 : 0; // RFC 7541 §6.2.3, §6.2.2
  let end = encodeInteger(kind, 0x0f, first, into, at);
  if (first === 0) end = encodeString(name, into, end);
  return encodeString(value, into, end);
}

/** RFC 7541 §5.2: in the Huffman code where that is shorter. */
function encodeString(text: string, into: Uint8Array, at: number): number {
  const length = huffmanLength(text);
  if (length < text.length) return huffmanEncode(text, into, encodeInteger(0x80, 0x7f, length, into, at));
  let end = encodeInteger(0, 0x7f, text.length, into, at);
  for (let i = 0; i < text.length; i++) into[end++] = text.charCodeAt(i);
  return end;
}

/** RFC 7541 §5.1. The bits above the mask are those of `kind`. */
function encodeInteger(kind: number, mask: number, value: number, into: Uint8Array, at: number): number {
  let end = at;
  if (value < mask) {
    into[end++] = kind | value;
    return end;
  }
  into[end++] = kind | mask;
  let rest = value - mask;
  for (; rest >= 0x80; rest >>>= 7) into[end++] = (rest & 0x7f) | 0x80;
  into[end++] = rest;
  return end;
}

function firstIndices(): Map<string, number> {
  const indices = new Map<string, number>();
  for (let index = LAST_STATIC; index > 0; index--) indices.set(STATIC_TABLE[2 * index] as string, index);
  return indices;
}
