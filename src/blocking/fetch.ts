/**
 * The answers of `createFetch`: undici in an I/O thread, and here what has come.
 *
 * @module
 */
import { pathToFileURL } from 'node:url';
import { fieldsWith } from '../process/watching/call-channel.ts';
import { messageFor, Way, watched } from './call.ts';
import { callError } from './errors.ts';
import type { Items } from './held.ts';
import type { Target } from './link.ts';
import { Patience } from './patience.ts';
import { undiciFile } from './undici.cjs';
import { type CheckedInit, type FetchHead, type FetchInit, type FetchSettings, fetchHead } from './wire.ts';

/** How another server has answered; `json` is added by the door, which knows schemas. */
export interface FetchedParts {
  /** The status, as 404: no status is an error. A redirect is not followed. */
  readonly status: number;
  /** The first value of a field; undefined when there is none. @param name In any case. */
  header(name: string): string | undefined;
  /** The body as text; bytes that are no UTF-8 become U+FFFD. */
  text(): string;
  /** The body as bytes. */
  bytes(): Uint8Array<ArrayBuffer>;
  /** The body as it comes. Each can be read once, and instead of the others. */
  chunks(): IterableIterator<Uint8Array<ArrayBuffer>>;
}

/** An answer, and its body as JSON. */
export interface FetchedJson extends FetchedParts {
  json(form?: unknown): unknown;
}

/** Checks a value by what `json` was given, and gives it or another in its place; or says what is wrong, of it and in a sentence. */
export type CheckForm = (form: unknown, value: unknown) => { readonly value: unknown } | { readonly issues: unknown; readonly why: string };

/** Checks what a call says, and throws what is wrong with it. */
export type CheckInit = (init: FetchInit) => CheckedInit;

/** @internal A function that asks by undici in an I/O thread. */
export function fetchBy(
  settings: Omit<FetchSettings, 'undici'>,
  check: CheckForm,
  checkInit: CheckInit,
): (url: string | URL, init?: FetchInit) => FetchedJson {
  const undici = pathToFileURL(undiciFile()).href; // the thread's code lies elsewhere
  const url = `filrouge:fetch?${encodeURIComponent(JSON.stringify({ undici, ...settings } satisfies FetchSettings))}`;
  const way = new Way(url, url, 'fetch', settings.timeout);
  const target: Target = { url, called: 'get', patience: new Patience() };
  let last: Address | undefined; // most calls ask for what the one before has asked for
  return function get(given: string | URL, said?: FetchInit): FetchedJson {
    const init = said === undefined ? undefined : checkInit(said);
    const address = last && given === last.given ? last : addressOf(given);
    if (typeof given === 'string') last = address; // a URL may be changed
    const { origin, path, name } = address;
    const args = init ? [origin, path, init] : [origin, path];
    const take = (result: unknown): FetchedJson => answerOf(result, origin + path, check);
    const message = messageFor({ kind: 'fetch', name, method: init?.method ?? 'GET', url: origin + path });
    if (!message) return way.call(target, name, get, args, take) as FetchedJson;
    return watched(message, () => way.call(target, name, get, args, take, fieldsWith(message))) as FetchedJson;
  };
}

/** An address, taken apart. */
interface Address {
  readonly given: string | URL;
  readonly origin: string;
  readonly path: string;
  /** What a call of it is called. */
  readonly name: string;
}

function addressOf(given: string | URL): Address {
  const { origin, pathname, search, host } = new URL(given);
  return { given, origin, path: pathname + search, name: `fetch ${host}` };
}

function answerOf(result: unknown, url: string, check: CheckForm): FetchedJson {
  if (typeof result === 'string') return new Answer(fetchHead(result), undefined, url, check);
  const items = result as Items & { readonly head: string };
  return new Answer(fetchHead(items.head), items as IterableIterator<unknown> as IterableIterator<Uint8Array<ArrayBuffer>>, url, check);
}

class Answer implements FetchedJson {
  readonly status: number;
  readonly #fields: string;
  #list: readonly string[] | undefined;
  readonly #url: string;
  readonly #check: CheckForm;
  /** A character for each byte, until bytes are wanted. */
  #body: string | Uint8Array<ArrayBuffer> | undefined;
  readonly #text: string | undefined;
  #items: IterableIterator<Uint8Array<ArrayBuffer>> | undefined;

  constructor(
    { status, fields, body, isText }: FetchHead,
    items: IterableIterator<Uint8Array<ArrayBuffer>> | undefined,
    url: string,
    check: CheckForm,
  ) {
    this.status = status;
    this.#fields = fields;
    this.#url = url;
    this.#check = check;
    this.#body = items ? undefined : body;
    this.#text = isText ? body : undefined;
    this.#items = items;
  }

  header(name: string): string | undefined {
    this.#list ??= this.#fields.split('\n');
    const wanted = name.toLowerCase();
    for (let i = 0; i + 1 < this.#list.length; i += 2) {
      if (this.#list[i]?.toLowerCase() === wanted) return this.#list[i + 1];
    }
    return undefined;
  }

  text(): string {
    if (this.#text !== undefined) return this.#text;
    const text = Buffer.from(this.bytes().buffer).toString();
    return text.startsWith('\uFEFF') ? text.slice(1) : text;
  }

  json(form?: unknown): unknown {
    // oxlint-disable-next-line typescript/unbound-method -- only to be found in the stack
    const value = this.#parsed(this.json);
    if (form === undefined) return value;
    const checked = this.#check(form, value);
    if ('value' in checked) return checked.value;
    const { issues, why } = checked;
    // oxlint-disable-next-line typescript/unbound-method -- only to be found in the stack
    throw Object.assign(callError('fetch-schema-mismatch', `Cannot accept the answer of ${this.#url}: ${why}`, this.json), { issues });
  }

  bytes(): Uint8Array<ArrayBuffer> {
    if (this.#body instanceof Uint8Array) return this.#body;
    // oxlint-disable-next-line typescript/unbound-method -- only to be found in the stack
    const pieces = this.#body === undefined ? Buffer.concat([...this.#take(this.bytes)]) : Buffer.from(this.#body, 'latin1');
    this.#body = new Uint8Array(pieces); // in a memory of its own
    return this.#body;
  }

  chunks(): IterableIterator<Uint8Array<ArrayBuffer>> {
    // oxlint-disable-next-line typescript/unbound-method -- only to be found in the stack
    return this.#body === undefined ? this.#take(this.chunks) : [this.bytes()].values();
  }

  #parsed(above: (form?: unknown) => unknown): unknown {
    const text = this.text();
    try {
      return JSON.parse(text);
    } catch (cause) {
      const message = `Cannot read the answer of ${this.#url} as JSON: ${(cause as Error).message}`;
      throw callError('fetch-bad-json', message, above, new SyntaxError(message, { cause }));
    }
  }

  #take(above: () => unknown): IterableIterator<Uint8Array<ArrayBuffer>> {
    const items = this.#items;
    this.#items = undefined;
    if (!items) throw callError('blocking-misused', `Cannot read the body of ${this.#url}: it has been read`, above);
    return items;
  }
}
