/**
 * A web-standard Request (WHATWG Fetch §5.4) that is made when more of it is needed than its method, URL, fields, signal and a body in memory.
 *
 * Most applications ask for no more, and a real one costs more than all the rest of an exchange. `fetch`, `new Request(lazy)`, `clone()` and
 * whatever else looks inside must find a real one: Node.js 20 and 22 keep the inside in properties named by symbols, and getters with these
 * names make it. Later ones keep it in private fields, which only a real one has: there the caller makes a real one at once.
 *
 * @module
 */

/** What a Request is made of, each part on demand. */
export interface RequestParts {
  /** One of `COMMON_METHODS`. */
  readonly method: string;
  /** As a URL spells it. */
  readonly url: string;
  readonly ip: string | undefined;
  readonly hasBody: boolean;
  headers(): Headers;
  signal(): AbortSignal;
  /** The whole body; undefined when it is not in memory. */
  bytes(): Uint8Array<ArrayBuffer> | undefined;
  /** A real one with these fields. */
  real(headers: Headers): globalThis.Request;
}

/** Makes one. */
export type LazyRequest = new (parts: RequestParts) => globalThis.Request;

/** Methods that a Request can have, and keeps as they are. */
export const COMMON_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

const SAMPLE = { method: 'POST', headers: { 'X-A': '1' }, body: 'c' } as const;

let known: { readonly base: typeof globalThis.Request; readonly lazy: LazyRequest | undefined } | undefined;

/** The class for the Request that is global now: tools replace it. @returns Undefined when a real one cannot be put off. */
export function lazyRequest(): LazyRequest | undefined {
  const base = globalThis.Request;
  if (known?.base !== base) known = { base, lazy: lazyOver(base) };
  return known.lazy;
}

function lazyOver(base: typeof globalThis.Request): LazyRequest | undefined {
  const real = new base('http://a/b', SAMPLE);
  const symbols = Object.getOwnPropertySymbols(real);
  if (symbols.length === 0) return undefined;
  const lazy = lazyClass(base, symbols);
  const parts = { method: 'POST', url: real.url, ip: undefined, hasBody: true, bytes: () => undefined };
  try {
    const copy = new base(new lazy({ ...parts, headers: () => real.headers, signal: () => real.signal, real: () => real }));
    return copy.url === real.url && copy.method === 'POST' && copy.headers.get('x-a') === '1' && real.bodyUsed ? lazy : undefined;
  } catch {
    return undefined; // part of the inside is private
  }
}

/** @param symbols Those by which `base` finds its inside. */
function lazyClass(base: typeof globalThis.Request, symbols: readonly symbol[]): LazyRequest {
  const decoder = new TextDecoder(); // drops a byte order mark, as the body of a Request does
  class Lazy {
    readonly #parts: RequestParts;
    #headers: Headers | undefined = undefined;
    #signal: AbortSignal | undefined = undefined;
    #real: globalThis.Request | undefined = undefined;
    #isUsed = false;

    constructor(parts: RequestParts) {
      this.#parts = parts;
    }

    static inside(lazy: Lazy, symbol: symbol): unknown {
      return Reflect.get(lazy.#inside(), symbol);
    }

    get method(): string {
      return this.#parts.method;
    }

    get url(): string {
      return this.#parts.url;
    }

    get ip(): string | undefined {
      return this.#parts.ip;
    }

    get headers(): Headers {
      this.#headers ??= this.#parts.headers();
      return this.#headers;
    }

    get signal(): AbortSignal {
      this.#signal ??= this.#parts.signal();
      return this.#signal;
    }

    get body(): ReadableStream<Uint8Array> | null {
      return this.#parts.hasBody ? this.#inside().body : null;
    }

    get bodyUsed(): boolean {
      return this.#isUsed || this.#real?.bodyUsed === true;
    }

    async text(): Promise<string> {
      const bytes = this.#take();
      return bytes ? decoder.decode(bytes) : this.#inside().text();
    }

    async json(): Promise<unknown> {
      const bytes = this.#take();
      return bytes ? JSON.parse(decoder.decode(bytes)) : this.#inside().json();
    }

    async arrayBuffer(): Promise<ArrayBuffer> {
      const bytes = this.#take();
      return bytes ? new Uint8Array(bytes).buffer : this.#inside().arrayBuffer();
    }

    /** The bytes of a body that nobody has begun to read, and that counts as read now. What to say of any other, a real one knows. */
    #take(): Uint8Array<ArrayBuffer> | undefined {
      if (this.#isUsed || this.#real || !this.#parts.hasBody) return undefined;
      const bytes = this.#parts.bytes();
      this.#isUsed = bytes !== undefined;
      return bytes;
    }

    /** The real one, with the fields as the application has left them. */
    #inside(): globalThis.Request {
      const real = this.#real;
      if (!real) return this.#make();
      if (this.#headers !== real.headers) {
        const names = [...real.headers.keys()]; // all of them, before the first is gone
        for (const name of names) real.headers.delete(name);
        for (const [name, value] of this.headers) real.headers.append(name, value);
      }
      return real;
    }

    #make(): globalThis.Request {
      const real = this.#parts.real(this.#headers ?? this.#parts.headers());
      if (this.#isUsed) real.arrayBuffer().catch(() => {}); // it is in memory: nothing can fail
      this.#headers ??= real.headers;
      this.#real = real;
      return real;
    }
  }
  for (const symbol of symbols) {
    Object.defineProperty(Lazy.prototype, symbol, {
      get(this: Lazy) {
        return Lazy.inside(this, symbol);
      },
    });
  }
  Object.setPrototypeOf(Lazy.prototype, base.prototype); // all the rest is there, and looks inside
  return Lazy as unknown as LazyRequest;
}
