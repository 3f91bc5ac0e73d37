/**
 * A web-standard Response (WHATWG Fetch §5.5) as one of ours.
 *
 * It is recognized by its shape, not its class: npm undici, the `fetch` of GraphQL servers and other realms have classes of their own.
 *
 * @module
 */
import { StreamContent } from '../http/body/response-body.ts';
import { withCode } from '../http/errors/error-codes.ts';
import { Response } from '../http/response.ts';
import { isFinalStatus } from '../http/status.ts';

/** Whether a value has everything we need of a web-standard Response. */
export function isWebResponse(value: unknown): value is globalThis.Response {
  if (typeof value !== 'object' || value === null) return false;
  const { status, headers, body, bodyUsed, arrayBuffer } = value as Partial<globalThis.Response>;
  return (
    typeof status === 'number' &&
    typeof headers === 'object' &&
    headers !== null &&
    Symbol.iterator in headers &&
    (body === null || body === undefined || typeof body.getReader === 'function') &&
    typeof bodyUsed === 'boolean' &&
    typeof arrayBuffer === 'function'
  );
}

/**
 * Converts a web-standard Response. Its body is streamed.
 *
 * One that came from `fetch` has already been decoded: fields that describe its coding are left out, since they would be wrong now.
 *
 * @throws TypeError for `Response.error()` (code `bad-status`), and for a body that has been read (`body-used`).
 */
export function fromWebResponse(web: globalThis.Response): Response {
  if (!isFinalStatus(web.status)) throw withCode(new TypeError('Cannot answer: the handler returned Response.error()'), 'bad-status');
  if (web.bodyUsed) throw alreadyRead();
  const wasDecoded = wasFetched(web) && web.headers.has('content-encoding');
  const headers = [...web.headers].filter(([name]) => !wasDecoded || (name !== 'content-encoding' && name !== 'content-length'));
  return new Response(web.body ? new WebBody(web, web.body) : undefined, { status: web.status, headers });
}

function alreadyRead(): TypeError {
  const why = 'the body of the returned Response has been read; read a clone() of it';
  return withCode(new TypeError(`Cannot answer: ${why}`), 'body-used');
}

/**
 * Converts a web-standard Response. A body that is there at once, as one made of text is, becomes bytes, which have a length; any other is
 * streamed.
 *
 * @throws what `fromWebResponse` throws; what the body fails with, when it does so at once.
 */
export async function measuredWebResponse(web: globalThis.Response): Promise<Response> {
  const response = fromWebResponse(web);
  if (response.header('content-length')) return response;
  const text = textOf(web);
  if (text !== undefined) return response.withContent(text);
  const { content } = response;
  if (!(content instanceof StreamContent) || !(content.source instanceof WebBody)) return response;
  const bytes = await content.source.atOnce();
  return bytes ? response.withContent(bytes) : response;
}

/**
 * The text that a Response was made of, where it says so: to read it through its stream costs 15 µs. Bytes may have moved into the stream.
 *
 * Node.js 20 and 22 keep it in a property named by a symbol, later ones in a private field.
 */
function textOf(web: globalThis.Response): string | undefined {
  if (!(web instanceof globalThis.Response) || !web.body || web.body.locked) return undefined;
  const state = Object.getOwnPropertySymbols(web).find(({ description }) => description === 'state');
  if (state === undefined) return undefined;
  const { source } = (web as unknown as Record<symbol, { body?: { source?: unknown } } | undefined>)[state]?.body ?? {};
  if (typeof source !== 'string') return undefined;
  web.body.cancel().catch(() => {}); // it is used now, and is not sent twice
  return source;
}

/** Whether `fetch` made a Response: only then has it a type other than `default`, or, in classes without a type, a URL. */
function wasFetched({ type, url }: globalThis.Response): boolean {
  return (type !== undefined && type !== 'default') || (typeof url === 'string' && url !== '');
}

/**
 * A web-standard stream in pieces. Its own iterator cannot be ended while it waits for a piece, and an idle one would wait for ever.
 *
 * It keeps its Response referenced: `fetch` cancels the body of one that is garbage-collected before reading has begun, and a cancelled
 * body looks as if it had ended.
 */
class WebBody implements AsyncIterableIterator<Uint8Array> {
  readonly owner: globalThis.Response;
  readonly #body: ReadableStream<Uint8Array>;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined = undefined;
  /** The first piece, when `atOnce` has asked for it. */
  #first: ReturnType<ReadableStreamDefaultReader<Uint8Array>['read']> | undefined = undefined;

  constructor(owner: globalThis.Response, body: ReadableStream<Uint8Array>) {
    this.owner = owner;
    this.#body = body;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /**
   * The whole body, when it is a single piece that comes without waiting for anything: a web-standard stream does not say its length.
   *
   * No second piece is asked for: a source that makes them on demand must not run ahead of the client.
   */
  async atOnce(): Promise<Uint8Array | undefined> {
    this.#reader = this.#body.getReader();
    this.#first = this.#reader.read();
    this.#first.catch(() => {}); // whoever takes the piece hears of it
    const turn = new Promise<undefined>((resolve) => setImmediate(resolve, undefined)); // all that is ready comes before it
    const step = await Promise.race([this.#first, turn]);
    if (step?.done) return new Uint8Array();
    if (!(step?.value instanceof Uint8Array)) return undefined;
    const isWhole = this.#reader.closed.then(
      () => true,
      () => false,
    );
    return (await Promise.race([isWhole, turn])) ? step.value : undefined;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#reader ??= this.#body.getReader();
    const step = this.#first ?? this.#reader.read();
    this.#first = undefined;
    const { done, value } = await step;
    return done ? { done, value: undefined } : { done: false, value };
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.destroy();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Cancels it, whatever it is doing. */
  destroy(): void {
    (this.#reader ?? this.#body).cancel().catch(() => {}); // nobody is left to notify
  }
}
