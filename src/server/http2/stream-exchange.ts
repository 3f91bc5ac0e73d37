/**
 * An exchange on a stream of HTTP/2, and what it holds while its request comes and its response goes.
 *
 * @module
 */
import { Exchange } from '../../exchange/exchange.ts';
import type { Stream } from '../../h2/streams/stream.ts';
import type { PartialHead } from '../../http/request/head-rules.ts';
import type { Peer, RequestHead } from '../../http/request.ts';
import { NO_TARGET, type TargetParts } from '../../http/target.ts';
import { type StreamMessage, streamClosed, streamOpened } from '../../process/watching/connection-channels.ts';
import type { Inflow } from './inflow.ts';
import type { Outflow } from './outflow.ts';
import type { StreamSocket } from './stream-socket.ts';

/** The head of a request as its handler sees it. */
export interface ServedHead extends RequestHead {
  /** Bytes of body; negative when they are not announced. */
  readonly length: number;
}

/** A request and its response on one stream. */
export class StreamExchange extends Exchange<ServedHead> {
  readonly stream: Stream<StreamExchange>;
  /** The body of the request; undefined when there is none. */
  inflow: Inflow | undefined = undefined;
  /** The body of the response, when it goes in pieces. */
  outflow: Outflow | undefined = undefined;
  /** What the stream becomes when it is taken over: there for a handshake. */
  socket: StreamSocket<StreamExchange> | undefined = undefined;
  /** Whether its handler has not answered yet, though its client may have been. */
  isAtWork = false;
  /** Nothing more is done for it: its response is out, or nobody waits for it, or it was taken over. */
  isOver = false;
  /** The answer is out before all of the request has come. */
  isEarly = false;
  /** Ticks since then. */
  #ticks = 0;
  /** Bytes of memory that its response takes while it waits for the client. */
  held = 0;
  /** Pieces of the response that had to wait and are gone. */
  #pieces = 0;
  /** What was gone at the last look, and the time by which it must be more. */
  #seenPieces = 0;
  #seenBytes = 0;
  #deadline = 0;
  /** What those who watch streams are told. */
  #message: StreamMessage | undefined = undefined;
  #isHandedOver = false;

  constructor(stream: Stream<StreamExchange>, head: ServedHead, target: TargetParts, peer: Peer) {
    super(head, target, peer);
    this.stream = stream;
    stream.exchange = this;
    if (streamOpened.hasSubscribers || streamClosed.hasSubscribers) this.#tellOpened();
  }

  /** An exchange for a request that is refused. What is not known of it is that of `GET /`. */
  static refused(stream: Stream<StreamExchange>, { method = 'GET', target = '/', lines }: PartialHead, peer: Peer): StreamExchange {
    return new StreamExchange(stream, { method, target, httpVersion: '2.0', lines, length: 0 }, NO_TARGET, peer);
  }

  /** Whether something may wait for the client: of its response, or of what is sent by whoever has taken it over. */
  get isSending(): boolean {
    return !this.isOver || this.#isHandedOver;
  }

  /** The piece that waited is framed. @returns Whether that was all of the body. */
  onRoom(): boolean {
    this.#pieces++;
    if (this.#isHandedOver) return false;
    return this.outflow ? this.outflow.onRoom() : true;
  }

  /**
   * Whether a client that has had its answer is told not to send the rest (RFC 9113 §8.1). Called at each tick.
   *
   * It goes on to the end of its window until then: there are clients (curl 7) that lose an answer behind which a reset comes at once.
   */
  isRestDue(): boolean {
    return this.isEarly && ++this.#ticks > 1;
  }

  /**
   * Whether the client has let nothing of what it is sent through for too long. Called at each tick.
   *
   * @param isOurs Whether it is not the client that holds it up.
   */
  isStuck(now: number, isOurs: boolean, timeout: number): boolean {
    const { piece, sent } = this.stream;
    if (piece.length === 0 || isOurs) {
      this.#deadline = 0;
      return false;
    }
    if (this.#deadline === 0 || this.#seenPieces !== this.#pieces || this.#seenBytes !== sent) {
      this.#seenPieces = this.#pieces;
      this.#seenBytes = sent;
      this.#deadline = now + timeout;
      return false;
    }
    return now > this.#deadline;
  }

  /** Releases what it holds, whatever has become of it. */
  override release(): void {
    this.isOver = true;
    this.inflow?.refuse();
    this.outflow?.drop();
    super.release();
    if (this.#message && !this.#isHandedOver) this.#tellClosed();
  }

  /** The stream now belongs to somebody else. */
  handOver(): void {
    this.#isHandedOver = true;
    this.release();
    if (this.#message) this.socket?.on('close', () => this.#tellClosed());
  }

  #tellOpened(): void {
    this.#message = { id: this.stream.id, connection: this.peer.connection };
    streamOpened.publish(this.#message);
  }

  #tellClosed(): void {
    const message = this.#message;
    this.#message = undefined; // told once
    if (message) streamClosed.publish(message);
  }
}
