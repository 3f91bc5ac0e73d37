/**
 * A response as somebody else is to send it: fields, a length where one is known, and the body in pieces that give no more and no less.
 *
 * @module
 */
import { withCode } from '../http/error-codes.ts';
import type { BodySource } from '../http/file/file-content.ts';
import type { Response } from '../http/response.ts';
import { type Content, dropSource, FileContent, StreamContent } from '../http/response-body.ts';
import { isBodyless } from '../http/status.ts';

/** Fields of one connection and of the framing: whoever sends the response has its own. */
const OF_THE_CONNECTION: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/** What is to be sent. */
export interface Outgoing {
  readonly status: number;
  /** Without those that frame the message or belong to the connection. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** What Content-Length is to say; undefined when nobody knows, or when there is to be none. */
  readonly length: number | undefined;
  /** Undefined: there is none, as behind HEAD. */
  readonly body: Uint8Array | CheckedPieces | undefined;
}

/**
 * Makes a response ready.
 *
 * @throws What opening a file says, or a TypeError for a stream that was sent before: nothing is out yet, so another answer may take its place.
 */
export async function outgoingOf(response: Response, isHead: boolean): Promise<Outgoing> {
  const { status, content, list } = response;
  const headers = withoutConnection(response.headers);
  const announced = list.wire.contentLength;
  if (isHead || isBodyless(status)) {
    response.dispose();
    const length = isHead && !isBodyless(status) ? (sizeOf(content) ?? announced) : status === 304 ? announced : undefined;
    return { status, headers, length, body: undefined };
  }
  if (content instanceof FileContent || content instanceof StreamContent) {
    const source: BodySource = content instanceof FileContent ? await content.open() : { pieces: content.take(), size: content.size };
    const length = source.size ?? announced;
    return { status, headers, length, body: new CheckedPieces(source.pieces, length) };
  }
  const body = typeof content === 'string' ? Buffer.from(content) : content;
  return { status, headers, length: body?.length ?? 0, body };
}

/** Leaves out what belongs to the connection it came on: what is known to, and what Connection names (RFC 9110 §7.6.1). */
export function withoutConnection(headers: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  const options = headers.filter(([name]) => name.toLowerCase() === 'connection').map(([, value]) => value.toLowerCase());
  const named = new Set(options.flatMap((value) => value.split(/[ \t]*,[ \t]*/)));
  return headers.filter(([name]) => !OF_THE_CONNECTION.has(name.toLowerCase()) && !named.has(name.toLowerCase()));
}

function sizeOf(content: Content): number | undefined {
  if (content === undefined) return undefined;
  if (typeof content === 'string') return Buffer.byteLength(content);
  if (content instanceof Uint8Array) return content.length;
  return content.size;
}

/** The pieces of a body as bytes. They throw when they are not as many as announced: who sends them must then cut the connection. */
export class CheckedPieces implements AsyncIterableIterator<Uint8Array> {
  readonly #source: BodySource['pieces'];
  readonly #announced: number | undefined;
  #iterator: AsyncIterator<Uint8Array | string> | Iterator<Uint8Array | string> | undefined = undefined;
  #given = 0;
  #isDone = false;

  constructor(source: BodySource['pieces'], announced: number | undefined) {
    this.#source = source;
    this.#announced = announced;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#isDone) return { done: true, value: undefined };
    this.#iterator ??= Symbol.asyncIterator in this.#source ? this.#source[Symbol.asyncIterator]() : this.#source[Symbol.iterator]();
    try {
      return this.#checked(await this.#iterator.next());
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.drop();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Lets go of the source, without waiting for what it may be busy with. */
  drop(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    dropSource(this.#source);
    if (this.#iterator) dropSource(this.#iterator);
  }

  #checked(step: IteratorResult<Uint8Array | string, unknown>): IteratorResult<Uint8Array, undefined> {
    const announced = this.#announced ?? this.#given;
    if (step.done) {
      this.#isDone = true;
      if (this.#given < announced) throw wrongLength(`${this.#given} of the ${announced} bytes announced`);
      return { done: true, value: undefined };
    }
    const piece = typeof step.value === 'string' ? Buffer.from(step.value) : step.value;
    if (!(piece instanceof Uint8Array)) throw new TypeError(`Cannot send response: its stream gave ${typeof piece}, not bytes or text`);
    this.#given += piece.length;
    if (this.#announced !== undefined && this.#given > announced) throw wrongLength(`more than the ${announced} bytes announced`);
    return { done: false, value: piece };
  }
}

function wrongLength(what: string): RangeError {
  return withCode(new RangeError(`Cannot send response: its stream gave ${what}`), 'wrong-length');
}
