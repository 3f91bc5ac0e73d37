/**
 * HTTP/2 as a machine (RFC 9113): bytes in, events out; responses in, bytes out. No socket, no clock.
 *
 * It has two halves. `receiver.ts` reads frames and keeps the streams; `sender.ts` writes. This is what their owner sees of them.
 *
 * @module
 */
import type { WireFields } from '../http/header-list.ts';
import { Abuse } from './abuse.ts';
import { type ConnectionError, NO_ERROR } from './errors.ts';
import { FrameMemory, MAX_31_BITS, PING } from './frames.ts';
import { Receiver } from './receiver.ts';
import { NO_LENGTH, responseBlock } from './response-head.ts';
import { Sender } from './sender.ts';
import { noCounts, type SessionCounts } from './session-counts.ts';
import type { SessionOwner } from './session-owner.ts';
import { CONNECTION_WINDOW, ownSettings, PeerSettings, type SessionLimits } from './settings.ts';
import { FIRST_WINDOW, type Stream } from './streams/stream.ts';
import { StreamTable } from './streams/stream-table.ts';

export type { SessionOwner } from './session-owner.ts';

/** What our pings say; nobody reads it. */
const FAREWELL: Buffer = Buffer.from('farewell', 'latin1');

/** One HTTP/2 connection. `X` is what its owner keeps with a stream. */
export class Session<X> {
  readonly #table: StreamTable<X> = new StreamTable();
  readonly #sender: Sender<X>;
  readonly #receiver: Receiver<X>;
  #isLeaving = false;

  /** @param memory Shared by all sessions of a process, as are the counts. */
  constructor(owner: SessionOwner<X>, limits: SessionLimits, memory: FrameMemory = new FrameMemory(), counts: SessionCounts = noCounts()) {
    const peer = new PeerSettings();
    const abuse = new Abuse();
    this.#sender = new Sender(
      { onLocalEnd: (stream) => this.#endLocally(stream), onRoom: (stream) => owner.onRoom(stream) },
      peer,
      abuse,
      memory,
      counts,
    );
    this.#receiver = new Receiver(owner, limits, peer, abuse, this.#table, this.#sender);
    this.#sender.frames.settings(ownSettings(limits));
    this.#sender.giveBack(0, CONNECTION_WINDOW - FIRST_WINDOW);
  }

  /** Reads bytes while the owner's `mayGoOn` holds. What is left is copied. @param now Monotonic ms. */
  receive(bytes: Buffer, length: number, now: number): void {
    this.#receiver.receive(bytes, length, now);
  }

  /** Reads on, after the owner could not. */
  goOn(now: number): void {
    this.#receiver.goOn(now);
  }

  /** Whether so much is kept unread that the socket must be paused. */
  get isFull(): boolean {
    return this.#receiver.isFull;
  }

  /** Whether the preface, a frame or a header block has come in part, or the client has yet to say anything. */
  get isMidway(): boolean {
    return this.#receiver.isMidway;
  }

  /** What has broken the connection: nothing more is read, and our GOAWAY is among what `take` gives. */
  get error(): ConnectionError | undefined {
    return this.#receiver.error;
  }

  /** Whether the connection can end once everything is written: it is broken, or one side has said that it leaves, and no stream is left. */
  get isOver(): boolean {
    return this.error !== undefined || ((this.#isLeaving || this.#receiver.isClientLeaving) && this.#table.count === 0);
  }

  /** Streams that are not forgotten. */
  get count(): number {
    return this.#table.count;
  }

  get streams(): Iterable<Stream<X>> {
    return this.#table.values();
  }

  /** Bytes of frames that wait to be taken. */
  get pending(): number {
    return this.#sender.frames.length;
  }

  /** Whether `take` would give something. */
  get hasOutput(): boolean {
    return this.#sender.hasOutput;
  }

  /** Sends an interim response (RFC 9113 §8.1). */
  interim(stream: Stream<X>, status: number, fields: WireFields): void {
    if (stream.hasAnswered || stream.isReset) return;
    this.#sender.head(stream, responseBlock(status, fields, '', NO_LENGTH), false);
  }

  /**
   * Sends the head of a response.
   *
   * @param date See `responseBlock`, as for `length`.
   * @param isLast Whether no body follows.
   */
  respond(stream: Stream<X>, status: number, fields: WireFields, date: string, length: number, isLast: boolean): void {
    if (stream.isReset) return;
    stream.hasAnswered = true;
    this.#sender.head(stream, responseBlock(status, fields, date, length), isLast);
  }

  /**
   * Sends a piece of the body. Nothing is sent on a stream that has been reset.
   *
   * @param isLast Whether the response ends with it. The piece may then be empty.
   * @returns Whether it is framed. If not, it waits for its turn and for window, must not change, and `onRoom` tells when the next may be given.
   */
  write(stream: Stream<X>, piece: Uint8Array, isLast: boolean): boolean {
    return stream.isReset || this.#sender.piece(stream, piece, isLast);
  }

  /** Sends a text as the whole body. @param size Its bytes as UTF-8. @returns See `write`. */
  writeText(stream: Stream<X>, text: string, size: number): boolean {
    return stream.isReset || this.#sender.text(stream, text, size);
  }

  /** Resets a stream. Nothing happens when it is closed. */
  reset(stream: Stream<X>, code: number): void {
    this.#receiver.reset(stream, code);
  }

  /** Bytes of body have been dealt with: the client may send as many more. */
  consumed(stream: Stream<X>, count: number): void {
    this.#receiver.giveBack(stream, count);
  }

  /** The exchange of a stream is over: its handler has ended, and its response has been passed to `write` or dropped. */
  release(stream: Stream<X>): void {
    stream.isReleased = true;
    this.#table.forgetIfOver(stream);
  }

  /**
   * Tells the client that we leave (RFC 9113 §6.8), in two steps: what was on its way when it heard the first time is still served. A ping goes with the
   * first: when its answer is there, so is everything that was sent before, and the second step follows by itself. It need not be waited for.
   *
   * @param isLast Whether this is the second: streams that come after it are ignored.
   */
  goAway(isLast: boolean): void {
    if (this.#isLeaving || this.error) return;
    this.#isLeaving = isLast;
    if (isLast) this.#receiver.leave();
    if (isLast) return this.#sender.goAway(this.#table.highest, NO_ERROR, '');
    this.#sender.frames.goAway(MAX_31_BITS, NO_ERROR, '');
    this.#receiver.onPong = () => this.goAway(true);
    this.ping();
  }

  /** Sends a ping (RFC 9113 §6.7). The host of a client that is gone answers it with a reset. */
  ping(): void {
    this.#sender.frames.frame(PING, 0, 0, FAREWELL, 0, FAREWELL.length);
  }

  /** Frames that nobody takes for now are kept in no more memory than they need. */
  keep(): void {
    this.#sender.frames.keep();
  }

  /** Gives what may be written now: about `room` bytes at most; empty when there is nothing, or the client has to give window first. */
  take(room: number): Buffer {
    return this.#sender.take(room);
  }

  #endLocally(stream: Stream<X>): void {
    stream.isLocalClosed = true;
    this.#table.forgetIfOver(stream);
  }
}
