/**
 * The header fields of a response: checked once when they are given, never changed, serialized once.
 *
 * Fields that frame a message or belong to one connection are the server's: they can be read here, but are left out of what is written,
 * so that no handler can announce a length or a coding that is not true (RFC 9112 §6, RFC 9110 §7.6.1).
 *
 * @module
 */
import { adviceFor, kindOf } from './errors/bad-option.ts';
import { withCode } from './errors/error-codes.ts';
import { isHopByHop, namedByConnection } from './fields/hop-by-hop.ts';
import { isFieldValue, isToken, trimWhitespace } from './grammar.ts';

/** What header fields can be given as. A list of values makes one field line of each. */
export type HeadersInit = Iterable<readonly [string, string]> | Readonly<Record<string, string | readonly string[]>>;

const NO_LINES: readonly string[] = [];

/** A list as it is written, and what an engine has to know about it. */
export interface WireFields {
  /** The field lines, without those that frame the message or belong to the connection. */
  readonly text: string;
  readonly hasDate: boolean;
  /** What the handler announced: trusted only where the length of the body is not known otherwise. */
  readonly contentLength: number | undefined;
  /** The handler wants the connection closed. */
  readonly closes: boolean;
  /** @internal What the engine that sends the list keeps with it; undefined at first. */
  kept: unknown;
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
   * @throws TypeError when a name is not a token or a value is not a field value.
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
      if (!Array.isArray(values)) throw notText(name, value);
      for (const one of values as readonly string[]) flat.push(checkedName(name), checkedValue(name, one));
    }
    return new HeaderList(flat);
  }

  /** @internal Makes a list of names and values that have been checked in another thread. */
  static ofChecked(flat: readonly string[]): HeaderList {
    return new HeaderList(flat);
  }

  /** The first value of a field. @param name Its name, in any case. */
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

  /** Replaces the first line of a field and drops its others. */
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

  /** What an engine needs of the list. Made once, so that a shared list is serialized only once. */
  get wire(): WireFields {
    this.#wire ??= wireFieldsOf(this);
    return this.#wire;
  }
}

function wireFieldsOf(list: HeaderList): WireFields {
  const { flat } = list;
  const options = namedByConnection(list.get('connection') === undefined ? NO_LINES : list.all('connection'));
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
    closes: options.has('close'),
    kept: undefined,
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
    throw notText(name, value);
  }
  if (isFieldValue(value)) return trimWhitespace(value);
  throw withCode(
    new TypeError(
      `Cannot set header "${name}": value holds CR, LF, NUL or a character that a field cannot carry: encode it, as with encodeURIComponent`,
    ),
    'bad-header',
  );
}

function notText(name: string, value: unknown): TypeError {
  const advice = adviceFor(value, typeof value === 'number' ? ': write String(…)' : ': leave the header out where there is none');
  return withCode(new TypeError(`Cannot set header "${name}": value is ${kindOf(value)}, not a string${advice}`), 'bad-header');
}
