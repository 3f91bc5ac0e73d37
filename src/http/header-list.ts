/**
 * The header fields of a response: checked once when they are given, never changed, serialized once.
 *
 * Fields that frame a message or belong to one connection are the server's: they can be read here, but are left out of what is written,
 * so that no handler can announce a length or a coding that is not true (RFC 9112 §6, RFC 9110 §7.6.1).
 *
 * @module
 */
import { withCode } from './error-codes.ts';
import { isHopByHop, namedByConnection } from './fields/hop-by-hop.ts';
import { isFieldValue, isToken, trimWhitespace } from './grammar.ts';

/** What a header can be given as. A list of values makes one field line each. */
export type HeadersInit = Iterable<readonly [string, string]> | Readonly<Record<string, string | readonly string[]>>;

/** A list as HTTP/1.1 writes it, and what the engine has to know of it. */
export interface WireFields {
  /** The field lines, without those that frame the message or belong to the connection. */
  readonly text: string;
  readonly hasDate: boolean;
  /** What the handler announced: believed only where the body's length is not known otherwise. */
  readonly contentLength: number | undefined;
  /** The handler wants the connection closed. */
  readonly closes: boolean;
  /** A place for the engine: the head it made of this list last, and what for. */
  readonly kept: { status: number; length: number; date: string; connection: string; start: string; head: string };
  /** Another: the text that was sent last with this list, and the whole answer when it was sent twice. */
  readonly sent: { text: string; size: number; head: string; answer: string };
}

/** An immutable list of header fields. */
export class HeaderList {
  static readonly EMPTY: HeaderList = new HeaderList([]);

  /** Name, value, name, value… */
  readonly flat: readonly string[];
  #wire: WireFields | undefined;

  private constructor(flat: readonly string[]) {
    this.flat = flat;
  }

  /**
   * Checks and keeps header fields.
   *
   * @throws TypeError when a name is no token or a value no field value.
   */
  static of(init: HeadersInit | undefined): HeaderList {
    if (init === undefined) return HeaderList.EMPTY;
    const flat: string[] = [];
    if (Symbol.iterator in init) {
      for (const [name, value] of init as Iterable<readonly [string, string]>) flat.push(checkedName(name), checkedValue(name, value));
      return new HeaderList(flat);
    }
    for (const [name, value] of Object.entries(init)) {
      const values = typeof value === 'string' ? [value] : value;
      if (!Array.isArray(values)) {
        throw withCode(new TypeError(`Cannot set header "${name}": value is ${typeof value}, not a string`), 'bad-header');
      }
      for (const one of values as readonly string[]) flat.push(checkedName(name), checkedValue(name, one));
    }
    return new HeaderList(flat);
  }

  /** @internal Of names and values that have been checked in another thread. */
  static ofChecked(flat: readonly string[]): HeaderList {
    return new HeaderList(flat);
  }

  /** The first value of a field, in any case. */
  get(name: string): string | undefined {
    const wanted = name.toLowerCase();
    for (let i = 0; i < this.flat.length; i += 2) {
      if (isNamed(this.flat[i], wanted)) return this.flat[i + 1];
    }
    return undefined;
  }

  /** All values of a field. */
  all(name: string): string[] {
    const wanted = name.toLowerCase();
    return this.flat.filter((_, i) => i % 2 === 1 && isNamed(this.flat[i - 1], wanted));
  }

  /** Replaces a field where it stands first; drops its other lines. */
  with(name: string, value: string): HeaderList {
    const wanted = checkedName(name).toLowerCase();
    const checked = checkedValue(name, value);
    const flat: string[] = [];
    let isPlaced = false;
    for (let i = 0; i < this.flat.length; i += 2) {
      if (!isNamed(this.flat[i], wanted)) flat.push(this.flat[i] as string, this.flat[i + 1] as string);
      else if (!isPlaced) {
        flat.push(name, checked);
        isPlaced = true;
      }
    }
    if (!isPlaced) flat.push(name, checked);
    return new HeaderList(flat);
  }

  /** Adds a field line at the end. */
  withAdded(name: string, value: string): HeaderList {
    return new HeaderList([...this.flat, checkedName(name), checkedValue(name, value)]);
  }

  /** Drops every line of a field. */
  without(name: string): HeaderList {
    const wanted = name.toLowerCase();
    if (this.get(wanted) === undefined) return this;
    return new HeaderList(this.flat.filter((_, i) => !isNamed(this.flat[i - (i % 2)], wanted)));
  }

  /** The fields as pairs. */
  pairs(): [name: string, value: string][] {
    const pairs: [string, string][] = [];
    for (let i = 0; i < this.flat.length; i += 2) pairs.push([this.flat[i] as string, this.flat[i + 1] as string]);
    return pairs;
  }

  /** What an engine needs of the list. Made once: a shared list is serialized one time. */
  get wire(): WireFields {
    this.#wire ??= wireFieldsOf(this);
    return this.#wire;
  }
}

function wireFieldsOf(list: HeaderList): WireFields {
  const { flat } = list;
  const options = namedByConnection(list.all('connection'));
  let text = '';
  let hasDate = false;
  let length: string | undefined;
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const name = flat[i] as string; // within, as is the next
    const value = flat[i + 1] as string;
    const key = name.toLowerCase();
    if (key === 'content-length') length ??= value;
    else if (!isHopByHop(key) && !options.has(key)) {
      text += `${name}: ${value}\r\n`;
      hasDate ||= key === 'date';
    }
  }
  return {
    text,
    hasDate,
    contentLength: length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined,
    kept: { status: 0, length: 0, date: '', connection: '', start: '', head: '' },
    sent: { text: '', size: 0, head: '', answer: '' },
    closes: options.has('close'),
  };
}

function isNamed(name: string | undefined, wanted: string): boolean {
  return name !== undefined && name.length === wanted.length && name.toLowerCase() === wanted;
}

function checkedName(name: string): string {
  if (typeof name === 'string' && isToken(name)) return name;
  throw withCode(new TypeError(`Cannot set header: name ${JSON.stringify(name)} is not a token`), 'bad-header');
}

function checkedValue(name: string, value: string): string {
  if (typeof value !== 'string') {
    throw withCode(new TypeError(`Cannot set header "${name}": value is ${typeof value}, not a string`), 'bad-header');
  }
  if (isFieldValue(value)) return trimWhitespace(value);
  throw withCode(
    new TypeError(`Cannot set header "${name}": value holds CR, LF, NUL or a character that a field cannot carry`),
    'bad-header',
  );
}
