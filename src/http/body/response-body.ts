/**
 * The forms of a response body: nothing, text, bytes, or a source that is read while it is sent.
 *
 * @module
 */
import type { Readable } from 'node:stream';
import { badOption, ofWrongKind } from '../errors/bad-option.ts';
import { withCode } from '../errors/error-codes.ts';
import { FileContent } from '../file/file-content.ts';
import { type After, type Heartbeat, PacedPieces } from './paced-pieces.ts';
import { currentContext, dropSource, type InContext, isSource, SourceInContext, type StreamSource } from './stream-source.ts';

export { FileContent };

/** What a Response can be made of. Text is sent as UTF-8. */
export type BodyInit = string | Uint8Array | Readable | ReadableStream | Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>;

/** A body that is produced while it is sent. */
export class StreamContent {
  readonly source: StreamSource;
  /** Bytes, when known beforehand. */
  readonly size: number | undefined;
  /** For a body without an end of its own: it is ended when the server stops. */
  readonly heartbeat: Heartbeat | undefined;
  readonly #inContext: InContext | undefined;
  #isTaken = false;
  #isStopped = false;
  #paced: PacedPieces | undefined;

  /** @param inContext The source is called in it; undefined when it needs none. */
  constructor(source: StreamSource, size: number | undefined, heartbeat?: Heartbeat, inContext?: InContext) {
    this.source = source;
    this.size = size;
    this.heartbeat = heartbeat;
    this.#inContext = inContext;
  }

  /**
   * Hands the source over, once: a second sending could only give an empty body that looks whole.
   *
   * @param after Times the heartbeat; without it there is none.
   * @throws TypeError (code `body-used`) when it was sent before, unless the source starts again each time (an array, a Set).
   */
  take(after?: After): StreamSource {
    if (Array.isArray(this.source) || this.source instanceof Set) return this.source;
    if (this.#isTaken) {
      const why = 'its stream has been sent before; make a new Response for each request';
      throw withCode(new TypeError(`Cannot send response: ${why}`), 'body-used');
    }
    this.#isTaken = true;
    const source = this.#inContext ? new SourceInContext(this.source, this.#inContext) : this.source;
    if (!this.heartbeat) return source;
    this.#paced = new PacedPieces(source, this.heartbeat, after);
    if (this.#isStopped) this.#paced.stop();
    return this.#paced;
  }

  /** Calls a function in the context of its source; undefined when it has none of its own. */
  get inContext(): InContext | undefined {
    return this.#inContext;
  }

  /** Whether `stop` ends it: it has no end of its own. */
  get isEndless(): boolean {
    return this.heartbeat !== undefined;
  }

  /** Ends a body without an end of its own, between two pieces. */
  stop(): void {
    this.#isStopped = true;
    this.#paced?.stop();
  }

  /** Releases a source that will not be sent. */
  drop(): void {
    if (!this.#isTaken) dropSource(this.source);
  }
}

/** A body in one of its forms. */
export type Content = undefined | string | Uint8Array | StreamContent | FileContent;

/**
 * Turns a body into one of its forms.
 *
 * @throws TypeError (code `bad-option`) when it is none of the kinds of `BodyInit`, RangeError for a size that is none.
 */
export function contentOf(body: BodyInit | undefined, size?: number): Content {
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) return body;
  if (isSource(body)) {
    if (size !== undefined && (!Number.isSafeInteger(size) || size < 0)) {
      throw badOption('Cannot make a response', `size is ${size}, not a number of bytes`, RangeError);
    }
    return new StreamContent(body as AsyncIterable<Uint8Array | string>, size, undefined, currentContext());
  }
  throw ofWrongKind('Cannot make a response', 'body', body, 'a string, bytes or a stream of them');
}

/** A body as bytes; undefined when it is a stream. A file is read. */
export function bytesOf(content: Content): Buffer | undefined {
  if (content === undefined) return Buffer.alloc(0);
  if (typeof content === 'string') return Buffer.from(content);
  if (content instanceof StreamContent) return undefined;
  if (content instanceof FileContent) return content.bytes();
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength);
}

/** The whole of a source in memory. */
export async function collectContent(source: StreamSource): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of source) {
    pieces.push(typeof piece === 'string' ? Buffer.from(piece) : Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
  }
  return Buffer.concat(pieces);
}
