/**
 * The heads that a ServerResponse writes: read back from their text, which node:http has made and checked.
 *
 * @module
 */

import { withoutConnection } from '../../exchange/outgoing.ts';
import { HeaderList } from '../../http/header-list.ts';

/** The head of a response. */
export class WrittenHead {
  readonly status: number;
  readonly pairs: readonly (readonly [name: string, value: string])[];
  /** The value of Content-Length. */
  readonly announced: number | undefined;
  #fields: HeaderList | undefined;

  constructor(status: number, pairs: readonly (readonly [string, string])[], announced: number | undefined) {
    this.status = status;
    this.pairs = pairs;
    this.announced = announced;
  }

  /** Whether the end of the connection is that of the body (RFC 9112 §6.3): a listener has written it past `res`. */
  get isUntilClose(): boolean {
    return this.announced === undefined && !this.pairs.some(([name]) => name.toLowerCase() === 'transfer-encoding');
  }

  /** The fields of the response, without those of its connection to us. Checked and made once. */
  get fields(): HeaderList {
    this.#fields ??= HeaderList.of([...withoutConnection(this.pairs), ...this.#length()]);
    return this.#fields;
  }

  #length(): (readonly [string, string])[] {
    return this.announced === undefined ? [] : [['Content-Length', String(this.announced)]];
  }
}

/** A head, and what came behind it. */
export interface FoundHead {
  readonly head: WrittenHead;
  /** Text in the encoding of its piece, or bytes. */
  readonly rest: Buffer | string;
}

const END = '\r\n\r\n';
/** What is more than one byte in UTF-8. */
const BEYOND_ASCII: RegExp = /[^\0-\x7f]/;

/**
 * The last head that came in one piece with its body: within a second a listener often writes the same again. Nothing but its whole text
 * decides. Of longer texts none is kept: the head is a part of them.
 */
let last: { readonly text: string; readonly head: WrittenHead } | undefined;
const LONGEST_KEPT = 16 * 1024;

/** Reads heads, however they are cut. */
export class WrittenHeads {
  /** One character a byte. */
  #text = '';

  /** @returns The next head, when all of it is there. @throws RangeError when its Content-Length is not a whole number. */
  push(piece: Buffer | string, encoding: BufferEncoding): FoundHead | undefined {
    const isText = typeof piece === 'string';
    if (isText && this.#text === '') {
      const found = headAtStart(piece, encoding);
      if (found) return found;
    }
    const bytes = isText ? Buffer.from(piece, encoding) : piece;
    const before = this.#text.length;
    this.#text += bytes.toString('latin1');
    const end = this.#text.indexOf(END);
    if (end < 0) return undefined;
    const head = parsed(this.#text.slice(0, end));
    this.#text = '';
    return { head, rest: bytes.subarray(Math.max(0, end + END.length - before)) };
  }
}

/** The usual case: a head in one piece, with the whole body or its beginning, as text. */
function headAtStart(text: string, encoding: BufferEncoding): FoundHead | undefined {
  if (encoding !== 'latin1' && encoding !== 'utf8' && encoding !== 'utf-8') return undefined;
  if (last && text.startsWith(last.text)) return { head: last.head, rest: text.slice(last.text.length) };
  const end = text.indexOf(END);
  if (end < 0) return undefined;
  const written = text.slice(0, end);
  const isAscii = !BEYOND_ASCII.test(written);
  if (encoding !== 'latin1' && !isAscii) return undefined;
  const head = parsed(written);
  if (isAscii && text.length <= LONGEST_KEPT) last = { text: text.slice(0, end + END.length), head };
  return { head, rest: text.slice(end + END.length) };
}

function parsed(text: string): WrittenHead {
  const lines = text.split('\r\n');
  const pairs: [string, string][] = [];
  let announced: number | undefined;
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i] ?? '';
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    if (name.length === 14 && name.toLowerCase() === 'content-length') announced = lengthOf(value);
    pairs.push([name, value]);
  }
  return new WrittenHead(Number(lines[0]?.slice(9, 12)), pairs, announced);
}

/** @throws RangeError when nobody could tell from it where the body ends: node:http checks the characters of a field alone. */
function lengthOf(value: string): number {
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new RangeError(`Cannot answer with a listener: its Content-Length is ${JSON.stringify(value.slice(0, 100))}, not a whole number`);
}
