/**
 * The sending half of a connection: frames out, as windows and priorities allow (RFC 9113 §5.2, §6.9, RFC 9218).
 *
 * Everything that no window bounds (settings, answers to pings, resets, heads) is framed at once. Bodies are framed at once as well while
 * nothing else waits, and that is how nearly all small ones go; else they wait in `Order`, and `take` frames of them what the caller has room for.
 *
 * @module
 */
import type { Priority } from '../http/fields/priority.ts';
import type { Abuse } from './abuse.ts';
import { ConnectionError, FLOW_CONTROL_ERROR, StreamError } from './errors.ts';
import {
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  FrameBuffer,
  type FrameMemory,
  HEADERS,
  MAX_31_BITS,
  MAX_PAYLOAD,
  RST_STREAM,
  WINDOW_UPDATE,
} from './frames.ts';
import { EMPTY_TABLE } from './hpack/encoder.ts';
import { countGoAway, type SessionCounts } from './session-counts.ts';
import type { PeerSettings } from './settings.ts';
import { Order } from './streams/order.ts';
import { FIRST_WINDOW, type Stream } from './streams/stream.ts';

/** A body is framed at once up to this many bytes of frames that wait to be taken. */
const MAX_AT_ONCE: number = 64 * 1024;
/** Says that we use no table, whatever the client makes of its own (see `EMPTY_TABLE`): goes in front of our first header block. */
const NO_TABLE: Buffer = Buffer.from([EMPTY_TABLE]);
const NOTHING: Buffer = Buffer.alloc(0);

/** What a sender tells its session. */
export interface SenderOwner<X> {
  /** The end of a response is framed. */
  onLocalEnd(stream: Stream<X>): void;
  /** A piece that had to wait is framed. */
  onRoom(stream: Stream<X>): void;
}

/** Sends the frames of one connection. */
export class Sender<X> {
  readonly frames: FrameBuffer;
  readonly counts: SessionCounts;
  readonly #owner: SenderOwner<X>;
  readonly #peer: PeerSettings;
  readonly #abuse: Abuse;
  readonly #order: Order<X> = new Order();
  /** Bytes that all streams together may send. */
  #window = FIRST_WINDOW;
  #isFirstBlock = true;

  constructor(owner: SenderOwner<X>, peer: PeerSettings, abuse: Abuse, memory: FrameMemory, counts: SessionCounts) {
    this.frames = new FrameBuffer(memory);
    this.counts = counts;
    this.#owner = owner;
    this.#peer = peer;
    this.#abuse = abuse;
  }

  /** Whether bytes can be sent: frames that are there, or bodies that the windows let through. */
  get hasOutput(): boolean {
    return this.frames.length > 0 || this.#next() !== undefined;
  }

  /** Frames a head. @param isLast Whether the stream ends with it. */
  head(stream: Stream<X>, block: Buffer, isLast: boolean): void {
    let whole = block;
    if (this.#isFirstBlock) {
      this.#isFirstBlock = false;
      whole = Buffer.concat([NO_TABLE, block]);
    }
    const { maxPayload } = this.#peer;
    let type = HEADERS;
    let at = 0;
    do {
      const end = Math.min(whole.length, at + maxPayload);
      const flags = (end === whole.length ? END_HEADERS : 0) | (isLast && at === 0 ? END_STREAM : 0);
      this.frames.frame(type, flags, stream.id, whole, at, end);
      type = CONTINUATION;
      at = end;
    } while (at < whole.length);
    if (isLast) this.#owner.onLocalEnd(stream);
  }

  /** Sends a piece of a body. @returns Whether it is framed; if not, it waits, and `onRoom` tells when it is. */
  piece(stream: Stream<X>, bytes: Uint8Array, isLast: boolean): boolean {
    if (!this.#goesAtOnce(stream, bytes.length)) {
      stream.hold(bytes, isLast);
      this.#order.add(stream);
      return false;
    }
    this.#spend(stream, bytes.length);
    this.frames.frame(DATA, isLast ? END_STREAM : 0, stream.id, bytes, 0, bytes.length);
    if (isLast) this.#owner.onLocalEnd(stream);
    return true;
  }

  /** Sends a body that is a text, and ends the stream. @param size Its bytes as UTF-8. @returns See `piece`. */
  text(stream: Stream<X>, text: string, size: number): boolean {
    if (!this.#goesAtOnce(stream, size)) return this.piece(stream, Buffer.from(text), true);
    this.#spend(stream, size);
    this.frames.text(END_STREAM, stream.id, text, size);
    this.#owner.onLocalEnd(stream);
    return true;
  }

  reset(stream: Stream<X>, code: number): void {
    this.drop(stream);
    this.resetNumber(stream.id, code);
  }

  /** Resets a stream that has not begun, or is forgotten. */
  resetNumber(id: number, code: number): void {
    this.counts.resetsSent++;
    this.frames.number(RST_STREAM, id, code);
  }

  /** Ends the connection. @param lastId The last stream that is served. */
  goAway(lastId: number, code: number, why: string): void {
    countGoAway(this.counts.goAwaysSent, code);
    this.frames.goAway(lastId, code, why);
  }

  /** Gives window back to the client. @param id 0 for the connection. */
  giveBack(id: number, count: number): void {
    if (count > 0) this.frames.number(WINDOW_UPDATE, id, count);
  }

  /** Nothing more of a stream is sent. */
  drop(stream: Stream<X>): void {
    this.#order.remove(stream);
    stream.drop();
  }

  /** Gives a stream another place among those that wait. */
  reorder(stream: Stream<X>, priority: Priority): void {
    const { isQueued } = stream;
    this.#order.remove(stream);
    stream.priority = priority;
    if (isQueued) this.#order.add(stream);
  }

  /** The client takes more on the connection (RFC 9113 §6.9). @throws ConnectionError FLOW_CONTROL_ERROR. */
  widen(increment: number): void {
    this.#window += increment;
    if (this.#window > MAX_31_BITS) throw new ConnectionError(FLOW_CONTROL_ERROR, 'The window of the connection exceeds 2^31-1');
  }

  /** The client takes more on a stream. @throws StreamError FLOW_CONTROL_ERROR. */
  widenStream(stream: Stream<X>, increment: number): void {
    stream.sendWindow += increment;
    if (stream.sendWindow > MAX_31_BITS) throw new StreamError(FLOW_CONTROL_ERROR, 'The window of a stream exceeds 2^31-1');
  }

  /**
   * Gives what may be written now, about `room` bytes at most.
   *
   * @returns Empty: there is nothing, or the client must give window first.
   */
  take(room: number): Buffer {
    while (this.frames.length < room) {
      const stream = this.#next();
      if (!stream) break;
      this.#sendFrom(stream);
    }
    return this.frames.length === 0 ? NOTHING : this.frames.take();
  }

  #sendFrom(stream: Stream<X>): void {
    const { piece, sent } = stream;
    const count = stream.sendable(this.#most());
    const isDone = sent + count === piece.length;
    const isLast = stream.advance(count);
    this.#window -= count;
    this.#abuse.earnBytes(count);
    this.frames.frame(DATA, isLast ? END_STREAM : 0, stream.id, piece, sent, sent + count);
    if (!isDone) return this.#order.rotate(stream);
    this.#order.remove(stream);
    if (isLast) this.#owner.onLocalEnd(stream);
    this.#owner.onRoom(stream);
  }

  /** Whether a body may be framed now: nothing waits that may go before it, and the windows have room for all of it. */
  #goesAtOnce(stream: Stream<X>, length: number): boolean {
    if (length === 0) return true; // an end takes no window
    if (length > MAX_PAYLOAD || this.frames.length > MAX_AT_ONCE || length > stream.sendWindow || length > this.#window) return false;
    return this.#order.count === 0 || this.#next() === undefined;
  }

  #spend(stream: Stream<X>, length: number): void {
    stream.bytes += length;
    stream.sendWindow -= length;
    this.#window -= length;
    this.#abuse.earnBytes(length);
  }

  /** The stream whose turn it is. */
  #next(): Stream<X> | undefined {
    if (this.#order.count === 0) return undefined;
    const most = this.#most();
    return this.#order.find((stream) => stream.sendable(most) !== -1);
  }

  /** Bytes that one frame may hold. */
  #most(): number {
    return Math.max(0, Math.min(MAX_PAYLOAD, this.#window));
  }
}
