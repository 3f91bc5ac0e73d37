/**
 * One stream: a request and its response (RFC 9113 §5.1).
 *
 *                       HEADERS
 *     idle ───────────────────────────────▶ open
 *                                          │    │
 *                     the client has ended │    │ we have ended
 *                                          ▼    ▼
 *                       half-closed (remote)    half-closed (local)
 *                                          │    │
 *                             we have ended│    │ the client has ended, or a reset
 *                                          ▼    ▼
 *                                          closed ──── its exchange is released ───▶ forgotten
 *
 * Idle streams, and those that are forgotten, are only numbers. A stream that is closed still counts until its exchange is released: its
 * handler may be at work.
 *
 * @module
 */
import { DEFAULT_PRIORITY, type Priority } from '../../http/fields/priority.ts';

/** What a client may send on a stream before it hears of more, bytes: what RFC 9113 §6.9.2 starts with, so that it needs no setting. */
export const FIRST_WINDOW = 65_535;
/** What it may grow to for a client whose data is dealt with at once. */
const MAX_WINDOW: number = 1024 * 1024;

const NOTHING: Uint8Array = new Uint8Array(0);

/** A stream that is not forgotten. `X` is the owner's exchange. */
export class Stream<X> {
  readonly id: number;
  /** For the owner to keep something in. */
  exchange: X | undefined = undefined;
  priority: Priority = DEFAULT_PRIORITY;
  /** The client sends no more. */
  isRemoteClosed = false;
  /** We send no more. */
  isLocalClosed = false;
  /** Either side has reset it: it ended before its time. */
  isReset = false;
  /** The owner is done with it. */
  isReleased = false;
  /** Whether the head of the response has been sent. */
  hasAnswered = false;

  /** Bytes that we may send. Negative when a setting has taken back what was used already (§6.9.2). */
  sendWindow: number;
  /** Bytes of body that have come. */
  received = 0;
  /** Bytes of body that are still to come, where they are announced. */
  left: number = Number.POSITIVE_INFINITY;
  /** Bytes that the client may still send. */
  receiveWindow: number = FIRST_WINDOW;
  /** What the window is filled up to. */
  #window: number = FIRST_WINDOW;
  /** Bytes that the owner has not dealt with. */
  held = 0;

  /** The piece that is on its way out, and how much of it is gone. */
  #piece: Uint8Array = NOTHING;
  #sent = 0;
  /** Bytes of the body that have been sent. */
  bytes = 0;
  /** Whether the stream ends with the piece. */
  #isLast = false;
  /** Whether it stands among those that have something to send. */
  isQueued = false;

  constructor(id: number, sendWindow: number) {
    this.id = id;
    this.sendWindow = sendWindow;
  }

  get isClosed(): boolean {
    return this.isReset || (this.isRemoteClosed && this.isLocalClosed);
  }

  /** Whether less has come than was announced. */
  get isShort(): boolean {
    return this.left > 0 && this.left !== Number.POSITIVE_INFINITY;
  }

  get piece(): Uint8Array {
    return this.#piece;
  }

  /** Bytes of the piece that have been sent. */
  get sent(): number {
    return this.#sent;
  }

  /** Takes a piece to be sent. */
  hold(piece: Uint8Array, isLast: boolean): void {
    this.#piece = piece;
    this.#sent = 0;
    this.#isLast = isLast;
  }

  /** Bytes of the piece that may be sent now, at most `most`. -1: nothing, not even the end. */
  sendable(most: number): number {
    const left = this.#piece.length - this.#sent;
    if (left === 0) return 0;
    const count = Math.min(left, this.sendWindow, most);
    return count > 0 ? count : -1;
  }

  /** Bytes of the piece have been sent. @returns Whether the stream ended with them. */
  advance(count: number): boolean {
    this.#sent += count;
    this.bytes += count;
    this.sendWindow -= count;
    if (this.#sent < this.#piece.length) return false;
    const isLast = this.#isLast;
    this.drop();
    return isLast;
  }

  /** Forgets the piece. */
  drop(): void {
    this.#piece = NOTHING;
    this.#sent = 0;
    this.#isLast = false;
  }

  /** What the client may have on its way, and we may hold, bytes. */
  get window(): number {
    return this.#window;
  }

  /** Bytes of body have come. @returns Whether the client was allowed to send them. */
  take(count: number): boolean {
    this.receiveWindow -= count;
    this.held += count;
    return this.receiveWindow >= 0;
  }

  /**
   * Bytes of body have been dealt with.
   *
   * The window is given back in halves. It doubles for a client that has filled it while nothing was held: only the way between us was slow.
   *
   * @param mayGrow Whether the connection has room for a larger window.
   * @returns The bytes to give back now.
   */
  consume(count: number, mayGrow: boolean): number {
    this.held -= count;
    if (this.isRemoteClosed) return 0;
    if (mayGrow && this.held === 0 && this.receiveWindow * 2 <= this.#window) this.#window = Math.min(this.#window * 2, MAX_WINDOW);
    const missing = this.#window - this.receiveWindow - this.held;
    if (missing * 2 < this.#window) return 0;
    this.receiveWindow += missing;
    return missing;
  }
}
