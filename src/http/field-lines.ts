/**
 * The field lines of a received head, kept as they came: one string and the places of names and values in it.
 *
 * No string is made for a field that nobody reads. A lookup walks the places, compares lengths first, then characters without case.
 *
 * @module
 */

/** Twice as many results of `parsed` are remembered. */
const MAX_PARSED = 8;

/** Places are four numbers a line: start and end of the name, start and end of the value. */
export class FieldLines {
  readonly #text: string;
  readonly #places: readonly number[];
  /** What `parsed` has found: parser, result, parser, result… */
  #parsed: unknown[] | undefined;

  constructor(text: string, places: readonly number[]) {
    this.#text = text;
    this.#places = places;
  }

  /** Lays out pairs that did not come over a wire as if they had. */
  static of(pairs: Iterable<readonly [string, string]>): FieldLines {
    let text = '';
    const places: number[] = [];
    for (const [name, value] of pairs) {
      const start = text.length;
      text += `${name}:${value}`;
      places.push(start, start + name.length, start + name.length + 1, text.length);
    }
    return new FieldLines(text, places);
  }

  /** A text that holds these lines and nothing else, and the places in it: what it takes to make them again elsewhere. */
  get alone(): { readonly text: string; readonly places: readonly number[] } {
    const start = this.#places[0] ?? 0;
    const end = this.#places.at(-1) ?? 0;
    if (start === 0 && end === this.#text.length) return { text: this.#text, places: this.#places };
    return { text: this.#text.slice(start, end), places: this.#places.map((place) => place - start) };
  }

  /** How many field lines there are. */
  get count(): number {
    return this.#places.length / 4;
  }

  /** Characters of all names and values. */
  get size(): number {
    const places = this.#places;
    let size = 0;
    for (let i = 0; i < places.length; i += 2) size += (places[i + 1] as number) - (places[i] as number); // places come in twos
    return size;
  }

  /** The value of the first line with this name, in any case. */
  get(name: string): string | undefined {
    const place = this.#find(name, 0);
    return place === -1 ? undefined : this.#value(place);
  }

  /** The values of all lines with this name, in the order they came. */
  all(name: string): string[] {
    const values: string[] = [];
    for (let place = this.#find(name, 0); place !== -1; place = this.#find(name, place + 4)) values.push(this.#value(place));
    return values;
  }

  /**
   * What a parser makes of the values of all lines with this name, joined with commas (RFC 9110 §5.3), or of undefined when there is none.
   *
   * It is remembered: a connection has one list for a section that it repeats, and is asked the same of it each time.
   *
   * @param parse Always the same for a name.
   */
  parsed<T>(name: string, parse: (value: string | undefined) => T): T {
    this.#parsed ??= [];
    const known = this.#parsed;
    for (let i = 0; i < known.length; i += 2) if (known[i] === parse) return known[i + 1] as T;
    const values = this.all(name);
    const result = parse(values.length > 1 ? values.join(', ') : values[0]);
    if (known.length < MAX_PARSED) known.push(parse, result);
    return result;
  }

  /** Every line, in the order and case it came. */
  pairs(): [name: string, value: string][] {
    const pairs: [string, string][] = [];
    for (let i = 0; i < this.#places.length; i += 4) {
      pairs.push([this.#text.slice(this.#places[i], this.#places[i + 1]), this.#value(i)]);
    }
    return pairs;
  }

  #value(place: number): string {
    return this.#text.slice(this.#places[place + 2], this.#places[place + 3]);
  }

  #find(name: string, from: number): number {
    const places = this.#places;
    for (let i = from; i < places.length; i += 4) {
      const start = places[i] as number; // i < length, and places come in fours
      if ((places[i + 1] as number) - start === name.length && equalsIgnoringCase(this.#text, start, name)) return i;
    }
    return -1;
  }
}

/** Whether `name` stands at `start` in `text`, letters of either case being the same. */
export function equalsIgnoringCase(text: string, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const a = text.charCodeAt(start + i);
    const b = name.charCodeAt(i);
    if (a !== b && !((a ^ b) === 0x20 && isLetter(a))) return false; // letters differ from their other case in one bit
  }
  return true;
}

function isLetter(code: number): boolean {
  const lower = code | 0x20;
  return lower >= 0x61 /* a */ && lower <= 0x7a; /* z */
}
