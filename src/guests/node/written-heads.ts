/**
 * The heads that a ServerResponse writes: read back from their text, which node:http has made and checked.
 *
 * @module
 */

/** The head of a response. */
export interface WrittenHead {
  readonly status: number;
  readonly pairs: readonly (readonly [name: string, value: string])[];
  /** The value of Content-Length. */
  readonly announced: number | undefined;
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

/** Reads heads, however they are cut. */
export class WrittenHeads {
  /** One character a byte. */
  #text = '';

  /** @returns The next head, when all of it is there. */
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
  const end = text.indexOf(END);
  if (end < 0 || (encoding !== 'latin1' && encoding !== 'utf8' && encoding !== 'utf-8')) return undefined;
  const head = text.slice(0, end);
  if (encoding !== 'latin1' && BEYOND_ASCII.test(head)) return undefined;
  return { head: parsed(head), rest: text.slice(end + END.length) };
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
    if (name.length === 14 && name.toLowerCase() === 'content-length') announced = Number(value);
    pairs.push([name, value]);
  }
  return { status: Number(lines[0]?.slice(9, 12)), pairs, announced };
}
