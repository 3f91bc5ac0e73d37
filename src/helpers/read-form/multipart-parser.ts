/**
 * Multipart as a machine: bytes in, events out (RFC 2046 §5.1.1). It knows boundaries and the ends of heads, not what stands in a head.
 *
 * What is incomplete at the end of a piece is kept and put in front of the next one: less than a boundary within content, at most a head.
 * Everything else is looked at once, by the search of the runtime, and passed on as a view of the piece.
 *
 * Line ends are CR LF. A boundary is one wherever its line begins with it, as RFC 2046 has it compared; with anything but blanks behind it,
 * the sender and we would disagree about where a part ends: malformed.
 *
 * @module
 */
import { isWhitespace } from '../../http/grammar.ts';
import { badForm, tooLarge } from './form-error.ts';

/** What receives the events of a form. What it throws stops the parser. */
export interface PartSink {
  /** A part begins. @param head Its header lines, one character for each byte, each line with its end. */
  begin(head: string): void;
  /**
   * Some of its content, in order and without a gap.
   *
   * @param bytes A view, valid for as long as the piece is.
   * @param place Where it begins in the form: bytes.
   */
  data(bytes: Buffer, place: number): void;
  /** It is complete. */
  end(): void;
}

/** Most bytes of the head of a part: as many as a request may have by default. */
const MAX_HEAD = 16 * 1024;
const CR = 0x0d;
const LF = 0x0a;
const HYPHEN = 0x2d;
const NOTHING: Buffer = Buffer.alloc(0);
const HEAD_END: Buffer = Buffer.from('\r\n\r\n');

/**
 * Where in a form the parser is: at its first byte, before the first boundary, behind a boundary, in the blanks that may follow, in a head, at
 * the empty line that ends it, in content, in the blanks behind the last boundary, or behind that line.
 */
type State = 'start' | 'preamble' | 'boundary' | 'padding' | 'head' | 'blank line' | 'content' | 'last padding' | 'epilogue';

/** Takes a form apart. */
export class MultipartParser {
  readonly #delimiter: Buffer;
  readonly #sink: PartSink;
  #state: State = 'start';
  #rest: Buffer = NOTHING;
  /** Where in the form the bytes begin that are looked at. */
  #place = 0;

  /** @param boundary From Content-Type, checked. */
  constructor(boundary: string, sink: PartSink) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
    this.#sink = sink;
  }

  /** Adds a piece, which must stay as it is until the next one. @throws HttpError 400 or 413; what the sink throws. */
  write(piece: Buffer): void {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    let at = 0;
    for (;;) {
      const state = this.#state;
      const next = this.#step(bytes, at);
      if (next === at && state === this.#state) break; // more bytes are needed
      at = next;
    }
    this.#rest = bytes.subarray(at);
    this.#place += at;
  }

  /** The form is over. @throws HttpError 400 when it is cut short. */
  end(): void {
    const isWhole = this.#state === 'epilogue' || (this.#state === 'last padding' && this.#rest.length === 0);
    if (!isWhole) throw badForm('it is cut short');
  }

  /** @returns Where to go on; the same place, in the same state, when more bytes are needed. */
  #step(bytes: Buffer, at: number): number {
    switch (this.#state) {
      case 'start':
        return this.#start(bytes, at);
      case 'preamble':
        return this.#preamble(bytes, at);
      case 'boundary':
        return this.#boundary(bytes, at);
      case 'padding':
        return this.#padding(bytes, at, 'head');
      case 'head':
        return this.#head(bytes, at);
      case 'blank line':
        return this.#blankLine(bytes, at);
      case 'content':
        return this.#content(bytes, at);
      case 'last padding':
        return this.#padding(bytes, at, 'epilogue');
      default:
        return bytes.length; // the epilogue
    }
  }

  /** The first boundary needs no CR LF in front. */
  #start(bytes: Buffer, at: number): number {
    const found = this.#hasDelimiter(bytes, at - 2, 2);
    if (found === undefined) return at;
    this.#state = found ? 'boundary' : 'preamble';
    return found ? at + this.#delimiter.length - 2 : at;
  }

  #preamble(bytes: Buffer, at: number): number {
    const found = bytes.indexOf(this.#delimiter, at);
    if (found === -1) return this.#searched(bytes, at);
    this.#state = 'boundary';
    return found + this.#delimiter.length;
  }

  #boundary(bytes: Buffer, at: number): number {
    if (bytes.length - at < 2) return at;
    const isLast = bytes[at] === HYPHEN && bytes[at + 1] === HYPHEN;
    this.#state = isLast ? 'last padding' : 'padding';
    return isLast ? at + 2 : at;
  }

  /** Blanks and CR LF. A head is found by its own end together with this one, which is therefore left. */
  #padding(bytes: Buffer, start: number, next: 'head' | 'epilogue'): number {
    let at = start;
    while (at < bytes.length && isWhitespace(bytes[at] as number)) at++;
    if (at < bytes.length && bytes[at] !== CR) throw badForm('there is text behind a boundary');
    if (bytes.length - at < 2) return at;
    if (bytes[at + 1] !== LF) throw badForm('there is text behind a boundary');
    this.#state = next;
    return at;
  }

  #head(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(HEAD_END, at);
    const size = (end === -1 ? bytes.length - HEAD_END.length + 1 : end) - at;
    if (size > MAX_HEAD) throw tooLarge(`the head of a part has more than ${MAX_HEAD} bytes`);
    if (end === -1) return at;
    this.#state = 'blank line';
    this.#sink.begin(bytes.toString('latin1', at + 2, end + 2));
    return end + 2;
  }

  /** The empty line behind a head: of a part without content it is the line end in front of the next boundary. */
  #blankLine(bytes: Buffer, at: number): number {
    const found = this.#hasDelimiter(bytes, at, 0);
    if (found === undefined) return at;
    if (found) return this.#endPart(at);
    this.#state = 'content';
    return at + 2;
  }

  #content(bytes: Buffer, at: number): number {
    const found = bytes.indexOf(this.#delimiter, at);
    const end = found === -1 ? this.#searched(bytes, at) : found;
    if (end > at) this.#sink.data(bytes.subarray(at, end), this.#place + at);
    return found === -1 ? end : this.#endPart(found);
  }

  #endPart(delimiter: number): number {
    this.#sink.end();
    this.#state = 'boundary';
    return delimiter + this.#delimiter.length;
  }

  /** Up to where there is no delimiter: one may have begun in the last bytes. */
  #searched(bytes: Buffer, at: number): number {
    return Math.max(at, bytes.length - this.#delimiter.length + 1);
  }

  /** Whether the delimiter is at a place. @param from Where in the delimiter to begin. @returns undefined when more bytes are needed to say so. */
  #hasDelimiter(bytes: Buffer, at: number, from: number): boolean | undefined {
    const end = Math.min(at + this.#delimiter.length, bytes.length);
    if (bytes.compare(this.#delimiter, from, end - at, at + from, end) !== 0) return false;
    return end - at === this.#delimiter.length ? true : undefined;
  }
}
