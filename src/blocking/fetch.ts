/**
 * The answers of `createFetch`: undici in an I/O thread, and here what has come.
 *
 * @module
 */
import nodeModule from 'node:module';
import { pathToFileURL } from 'node:url';
import { Way } from './call.ts';
import { callError } from './errors.ts';
import type { Items } from './held.ts';
import type { FetchHead, FetchInit, FetchSettings } from './wire.ts';

/** How another server has answered. */
export interface Fetched {
  /** The status, as 404: no status is an error. A redirect is not followed. */
  readonly status: number;
  /** The first value of a field; undefined when there is none. @param name In any case. */
  header(name: string): string | undefined;
  /** The body as text; bytes that are no UTF-8 become U+FFFD. */
  text(): string;
  /** The body as JSON. @throws SyntaxError when it is none. */
  json(): unknown;
  /** The body, parsed as JSON and then given to a function or a schema's `parse`. */
  json<T>(parse: (value: unknown) => T): T;
  /** The body as bytes. */
  bytes(): Uint8Array<ArrayBuffer>;
  /** The body as it comes. Each can be read once, and instead of the others. */
  chunks(): IterableIterator<Uint8Array<ArrayBuffer>>;
}

/** Asks another server, and waits for its answer. */
export type Fetch = (url: string | URL, init?: FetchInit) => Fetched;

/** @internal A function that asks by undici in an I/O thread. */
export function fetchBy(settings: Omit<FetchSettings, 'undici'>): Fetch {
  const undici = pathToFileURL(nodeModule.createRequire(import.meta.url).resolve('undici/index.js')).href; // the thread's code lies elsewhere
  const url = `filrouge:fetch?${encodeURIComponent(JSON.stringify({ undici, ...settings } satisfies FetchSettings))}`;
  const way = new Way(url, url, 'fetch', settings.timeout);
  return function get(address: string | URL, init: FetchInit = {}): Fetched {
    const target = new URL(address);
    const args = [target.href, init];
    const take = (result: unknown): Fetched => answerOf(result, target);
    return way.call(`fetch ${target.host}`, get, (id) => ['call', id, url, 'get', args], args, take) as Fetched;
  };
}

function answerOf(result: unknown, { href }: URL): Fetched {
  const items = 'head' in (result as object) ? (result as Items & { readonly head: FetchHead }) : undefined;
  const head = items ? items.head : (result as FetchHead);
  return new Answer(head, items as IterableIterator<Uint8Array<ArrayBuffer>> | undefined, href);
}

class Answer implements Fetched {
  readonly status: number;
  readonly #fields: readonly string[];
  readonly #url: string;
  #body: Uint8Array<ArrayBuffer> | undefined;
  #items: IterableIterator<Uint8Array<ArrayBuffer>> | undefined;

  constructor({ status, fields, body }: FetchHead, items: IterableIterator<Uint8Array<ArrayBuffer>> | undefined, url: string) {
    this.status = status;
    this.#fields = fields;
    this.#url = url;
    this.#body = body as Uint8Array<ArrayBuffer> | undefined;
    this.#items = items;
  }

  header(name: string): string | undefined {
    const wanted = name.toLowerCase();
    for (let i = 0; i < this.#fields.length; i += 2) {
      if (this.#fields[i]?.toLowerCase() === wanted) return this.#fields[i + 1];
    }
    return undefined;
  }

  text(): string {
    return new TextDecoder().decode(this.bytes());
  }

  json(): unknown;
  json<T>(parse: (value: unknown) => T): T;
  json(parse?: (value: unknown) => unknown): unknown {
    const value: unknown = JSON.parse(this.text());
    return parse ? parse(value) : value;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    // oxlint-disable-next-line typescript/unbound-method -- only to be found in the stack
    this.#body ??= new Uint8Array(Buffer.concat([...this.#take(this.bytes)]));
    return this.#body;
  }

  chunks(): IterableIterator<Uint8Array<ArrayBuffer>> {
    // oxlint-disable-next-line typescript/unbound-method -- only to be found in the stack
    return this.#body ? [this.#body].values() : this.#take(this.chunks);
  }

  #take(above: () => unknown): IterableIterator<Uint8Array<ArrayBuffer>> {
    const items = this.#items;
    this.#items = undefined;
    if (!items) throw callError('blocking-misused', `Cannot read the body of ${this.#url}: it has been read`, above);
    return items;
  }
}
