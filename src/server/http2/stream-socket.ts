/**
 * A stream as a connection of its own: what a handler takes over with `Response.upgrade` (RFC 8441).
 *
 * @module
 */
import { Duplex } from 'node:stream';
import { CANCEL } from '../../h2/errors.ts';
import type { Session } from '../../h2/session.ts';
import type { Stream } from '../../h2/streams/stream.ts';

/** More is not taken from the client before the reader takes it, bytes: no more than the window that a stream begins with. */
const MAX_UNREAD: number = 64 * 1024;
const NOTHING: Uint8Array = new Uint8Array(0);

/** The stream, as the handler sees it. What comes before it is taken over waits in it. */
export class StreamSocket<X> extends Duplex {
  readonly #session: Session<X>;
  readonly #stream: Stream<X>;
  readonly #flush: () => void;
  /** Bytes that the reader has not taken yet, and for which no window was given back. */
  #owed = 0;
  /** Ends the write that waits for window. */
  #taken: (() => void) | undefined;

  /** @param flush Called when there is something to write. */
  constructor(session: Session<X>, stream: Stream<X>, flush: () => void) {
    super({ allowHalfOpen: true, highWaterMark: MAX_UNREAD });
    this.#session = session;
    this.#stream = stream;
    this.#flush = flush;
    this.on('error', () => {}); // a client that resets must not end the process when nobody listens
  }

  /** Bytes from the client, which are copied. */
  deliver(data: Buffer): void {
    this.#owed += data.length;
    if (this.destroyed || this.push(Buffer.from(data))) this.#giveBack();
  }

  /** The client has ended its side. */
  finish(): void {
    if (!this.destroyed) this.push(null);
  }

  /** The last write is framed. */
  onRoom(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  override _read(): void {
    this.#giveBack();
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, taken: () => void): void {
    this.#send(bytes, taken);
  }

  /** A frame of a websocket comes in two writes: head and payload. */
  override _writev(pieces: { chunk: Buffer }[], taken: () => void): void {
    this.#send(Buffer.concat(pieces.map(({ chunk }) => chunk)), taken);
  }

  override _final(done: () => void): void {
    this.#session.write(this.#stream, NOTHING, true);
    this.#flush();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#session.reset(this.#stream, CANCEL); // nothing, when both sides have ended
    this.#flush();
    this.onRoom();
    done(error);
  }

  #send(bytes: Uint8Array, taken: () => void): void {
    const isFramed = this.#session.write(this.#stream, bytes, false);
    if (!isFramed) this.#taken = taken;
    this.#flush();
    if (isFramed) taken();
  }

  #giveBack(): void {
    if (this.#owed === 0) return;
    const owed = this.#owed;
    this.#owed = 0;
    this.#session.consumed(this.#stream, owed);
    this.#flush();
  }
}
