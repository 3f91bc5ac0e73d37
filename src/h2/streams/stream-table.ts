/**
 * The streams of a connection that are not forgotten, and what is known of the others: their numbers (RFC 9113 §5.1.1).
 *
 * @module
 */

import { ConnectionError, PROTOCOL_ERROR, STREAM_CLOSED, StreamError } from '../errors.ts';
import { ClosedStreams } from './closed-streams.ts';
import { FIRST_WINDOW, type Stream } from './stream.ts';

/** What the windows of all streams may grow to beyond what each starts with, bytes. */
const MAX_GROWN: number = 4 * 1024 * 1024;

/** The streams of one connection. */
export class StreamTable<X> {
  #highest = 0;
  readonly closed: ClosedStreams = new ClosedStreams();
  readonly #streams: Map<number, Stream<X>> = new Map();
  #grown = 0;

  /** The highest number of a stream that the client has started. */
  get highest(): number {
    return this.#highest;
  }

  /** How many are not forgotten. */
  get count(): number {
    return this.#streams.size;
  }

  get(id: number): Stream<X> | undefined {
    return this.#streams.get(id);
  }

  values(): IterableIterator<Stream<X>> {
    return this.#streams.values();
  }

  /** A stream begins, and closes all below that have not (§5.1.1). @param id Higher than any before. */
  begin(id: number): void {
    const next = this.#highest === 0 ? 1 : this.#highest + 2;
    if (id !== next) this.closed.noteGap(next, id - 2);
    this.#highest = id;
  }

  add(stream: Stream<X>): void {
    this.#streams.set(stream.id, stream);
  }

  /** Forgets a stream that is closed and released. */
  forgetIfOver(stream: Stream<X>): void {
    if (!stream.isClosed || !stream.isReleased || !this.#streams.delete(stream.id)) return;
    this.#grown -= stream.window - FIRST_WINDOW;
  }

  /**
   * Judges a frame on a stream that is closed, or has not begun (§5.1).
   *
   * @throws ConnectionError; StreamError when the client has reset the stream. Nothing when we have: the frame may have been on its way.
   */
  checkLate(id: number): void {
    if (id > this.highest || this.closed.isLeftOut(id)) {
      throw new ConnectionError(PROTOCOL_ERROR, 'A frame came on a stream that has not begun');
    }
    if (this.closed.isOurs(id)) return;
    const why = 'A frame came on a stream that is closed';
    throw this.closed.isTheirs(id) ? new StreamError(STREAM_CLOSED, why) : new ConnectionError(STREAM_CLOSED, why);
  }

  /** Bytes of body have been dealt with. @returns The window to give back. */
  consume(stream: Stream<X>, count: number): number {
    const { window } = stream;
    const given = stream.consume(count, this.#grown + window <= MAX_GROWN);
    this.#grown += stream.window - window;
    return given;
  }
}
