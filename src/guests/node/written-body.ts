/**
 * The body that a ServerResponse writes: as a whole when all of it is there at once, else as a stream that takes no more than is read.
 *
 * @module
 */
import { Readable } from 'node:stream';
import type { Taken } from './socket.ts';

/** How much waits here, bytes: what a listener has written before it breaks off is still sent, as from the buffer of a socket. */
const MOST_WAITING = 64 * 1024;

/** How long a listener may take to end a response whose announced bytes have all been sent, ms. */
export const TIME_TO_END = 5000;

const TOO_SHORT = 'Cannot send the response of a listener: it has ended before its Content-Length';

/** A body on its way from a listener. */
export class WrittenBody {
  /** The value of Content-Length: what is written beyond it is not sent. */
  readonly #announced: number | undefined;
  readonly #onDropped: () => void;
  #size = 0;
  /** What came before anybody asked for a stream. */
  readonly #pieces: (Buffer | string)[] = [];
  #stream: Readable | undefined;
  #isEnded = false;
  #broken: Error | undefined;
  /** Asks for more. */
  #taken: Taken | undefined;

  /** @param onDropped Called when the stream is destroyed before all of the body has come. */
  constructor(announced: number | undefined, onDropped: () => void) {
    this.#announced = announced;
    this.#onDropped = onDropped;
  }

  /** Takes a piece. */
  push(piece: Buffer | string, encoding: BufferEncoding): void {
    if (this.#isEnded || this.#broken) return;
    if (typeof piece === 'string' && encoding !== 'utf8' && encoding !== 'utf-8') return this.push(Buffer.from(piece, encoding), encoding);
    const size = typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length;
    const left = (this.#announced ?? Number.POSITIVE_INFINITY) - this.#size;
    if (size > left) return this.push(Buffer.from(piece as string).subarray(0, left), encoding);
    this.#size += size;
    if (this.#stream) this.#stream.push(piece);
    else this.#pieces.push(piece);
    if (size === left && this.#stream) this.end();
  }

  /** Whether all of it is there. @param isEnded Whether the listener has ended its response. */
  isWhole(isEnded: boolean): boolean {
    return this.#announced === undefined ? isEnded && !this.#broken : this.#size === this.#announced;
  }

  /** All of it: text when that is what it is. */
  whole(): string | Uint8Array {
    this.#isEnded = true;
    const [first = '', ...others] = this.#pieces;
    if (others.length === 0) return first;
    return Buffer.concat(this.#pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)));
  }

  /** Calls `taken` when there is room for more. */
  whenTaken(taken: Taken): void {
    if (!this.#stream || this.#isEnded || this.#stream.readableLength < MOST_WAITING) taken();
    else this.#taken = taken;
  }

  /** What there is, and what will come. */
  stream(): Readable {
    if (this.#stream) return this.#stream;
    const stream = new Readable({
      highWaterMark: 0, // asks only when nothing is left
      read: () => {
        if (this.#broken) stream.destroy(this.#broken);
        else this.#goOn();
      },
      destroy: (error, done) => {
        if (!this.#isEnded) this.#onDropped();
        this.#goOn();
        done(error);
      },
    });
    stream.on('error', ignore); // the sender of the body sees it; without a reader it must not end the process
    this.#stream = stream;
    for (const piece of this.#pieces.splice(0)) stream.push(piece);
    if (this.#size === this.#announced) this.end();
    return stream;
  }

  #goOn(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  /** The listener has ended its response. */
  end(): void {
    if (this.#isEnded || this.#broken) return;
    if (!this.isWhole(true)) return this.breakOff(new Error(TOO_SHORT));
    this.#isEnded = true;
    this.#stream?.push(null);
    this.#goOn();
  }

  /** No more will come: what has come is still sent. */
  breakOff(error: Error): void {
    if (this.#isEnded || this.#broken) return;
    this.#broken = error;
    if (this.#stream?.readableLength === 0) this.#stream.destroy(error);
    this.#goOn();
  }
}

function ignore(): void {}
