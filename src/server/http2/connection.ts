/**
 * One HTTP/2 connection: feeds bytes of a socket to the machine of `h2/`, and writes what that has to send.
 *
 * What its streams do is in `exchanges.ts`. The connection itself waits for one thing at a time (`../connection/patience.ts`):
 *
 *     phase          when                                         its time is up
 *     IDLE           no stream is open                            keepAliveTimeout: GOAWAY, closed
 *     READING_HEAD   a frame or a header block has come in part   headersTimeout: GOAWAY, closed
 *     ANSWERING      streams are open                             writeTimeout, while the client reads nothing: cut
 *
 * It ends in two steps, so that no request is lost on its way (RFC 9113 §6.8): the first GOAWAY says that it will, the second which request was the
 * last, as soon as a ping between them is answered; then the streams that are open are finished.
 *
 * @module
 */
import type { Socket } from 'node:net';
import type { HeaderList } from '../../http/header-list.ts';
import type { Carrier, Peer, Request } from '../../http/request.ts';
import { ANSWERING, IDLE, Patience, READING_HEAD } from '../connection/patience.ts';
import type { Protocol } from '../figures/traffic.ts';
import type { ManagedConnection, Service } from '../service.ts';
import { end } from '../socket/linger.ts';
import type { OutNotice } from '../socket/out-notices.ts';
import { hasLeft, probe } from '../socket/presence.ts';
import { listen, type SocketOwner, stopReading } from '../socket/socket-events.ts';
import { Exchanges, type ExchangesOwner } from './exchanges.ts';
import { FrameWriter } from './frame-writer.ts';
import type { StreamExchange } from './stream-exchange.ts';

/** How long a client may take to answer our farewell, before what it sends is refused, ms. */
const FAREWELL_TIME = 2000;

/** Serves HTTP/2 on a socket. */
export class Http2Connection implements ManagedConnection, Carrier, SocketOwner, ExchangesOwner {
  readonly protocol: Protocol = 'h2';
  readonly #service: Service;
  readonly #socket: Socket;
  readonly #peer: Peer;
  readonly exchanges: Exchanges;
  readonly #session: Exchanges['session'];
  readonly #writer: FrameWriter<StreamExchange>;
  readonly #patience: Patience;
  /** Nothing more is read or answered: the socket lingers, or is gone. */
  #isOver = false;
  /** Frames are being read: what they bring about is written afterwards, */
  #isRunning = false;
  /** and what else has come about is written at the end of this turn. */
  #isFlushDue = false;
  #isPaused = false;
  /** The client has ended its side. */
  #isEnded = false;
  #isLeaving = false;
  /** When the second GOAWAY is due, monotonic ms. */
  #leavesAt: number = Number.POSITIVE_INFINITY;

  constructor(socket: Socket, peer: Peer, service: Service) {
    this.#service = service;
    this.#socket = socket;
    this.#peer = peer;
    this.exchanges = new Exchanges(this, peer, service);
    this.#session = this.exchanges.session;
    this.#writer = new FrameWriter(socket, this.#session, service.options.writeTimeout);
    this.#patience = new Patience(service);
    peer.carrier = this;
    service.opened(this, 'h2');
    listen(socket, this);
    if (service.isDraining) this.leave();
    this.#settle(); // our settings need not wait for the client
  }

  get mayGoOn(): boolean {
    return !this.#writer.isBlocked && !this.#isOver;
  }

  readonly onRead = (bytes: Buffer | number, shared?: Buffer): boolean => {
    const now = performance.now();
    this.#peer.readAt = now;
    this.#isRunning = true;
    if (typeof bytes === 'number') this.#session.receive(shared as Buffer, bytes, now);
    else this.#session.receive(bytes, bytes.length, now);
    this.#isRunning = false;
    this.#settle();
    return true;
  };

  onDrain(): void {
    if (this.#isOver) return;
    this.#writer.onDrain();
    this.#isRunning = true;
    this.#session.goOn(performance.now());
    this.#isRunning = false;
    this.#settle();
  }

  /** Writes what has come about, and sets what we wait for now. */
  #settle(): void {
    if (this.#isOver) return;
    this.#writer.flush();
    if (this.#session.isOver && this.#session.pending === 0) {
      return this.#end(this.#session.error !== undefined || this.#patience.phase !== IDLE); // at rest, there is nothing to be lost
    }
    this.#pauseOrResume();
    this.#watch();
  }

  flush(): void {
    if (this.mayGoOn) this.#writer.flush();
  }

  readonly flushSoon = (): void => {
    if (this.#isRunning || this.#isFlushDue || this.#isOver) return;
    this.#isFlushDue = true;
    process.nextTick(this.#flushNow);
  };

  readonly #flushNow = (): void => {
    this.#isFlushDue = false;
    this.#settle();
  };

  whenOut(notice: OutNotice): void {
    this.#writer.whenOut(notice);
  }

  relieve(): void {
    if (this.#writer.isFull) this.flush();
  }

  /** Rest begins with the end of the last exchange: a client that only pings is at rest. */
  #watch(): void {
    const { hasMoved } = this.exchanges;
    this.exchanges.hasMoved = false;
    if (this.#session.isMidway && this.mayGoOn) {
      if (hasMoved) this.#patience.watch(ANSWERING); // what has come in part is another frame than before
      this.#patience.watch(READING_HEAD);
    } else if (this.#session.count > 0) this.#patience.watch(ANSWERING);
    else if (hasMoved || this.#patience.phase !== IDLE) this.#patience.watch(IDLE);
  }

  /** Sends an interim response. A client that does not read gets none: they are the first thing to do without. */
  sendInterim(request: Request, status: number, fields: HeaderList): void {
    if (this.mayGoOn) this.exchanges.sendInterim(request, status, fields);
  }

  /** The client has ended its side. It gets what is under way, if it is still there: the GOAWAY finds that out, and a ping at each tick. */
  onEnd(): void {
    if (this.#isOver) return;
    this.#isEnded = true;
    this.exchanges.endInput();
    this.#session.goAway(true);
    this.#settle();
    probe(this.#socket);
  }

  onClose(): void {
    this.#service.connections.delete(this);
    this.#peer.carrier = undefined; // a request that is kept must not keep all of this alive
    this.#isOver = true;
    this.#writer.close();
    this.exchanges.abandonAll();
  }

  tick(now: number): void {
    if (((this.#isPaused || this.#isEnded) && hasLeft(this.#socket)) || this.#writer.isStuck(now)) return this.destroy();
    if (this.#isOver) return;
    this.#isRunning = true;
    this.exchanges.tick(now);
    this.#isRunning = false;
    if (this.#isEnded && this.mayGoOn) this.#session.ping(); // last: output that waits would speak for its streams
    if (now >= this.#leavesAt) {
      this.#leavesAt = Number.POSITIVE_INFINITY;
      this.#session.goAway(true);
    }
    const isAwaited = this.#patience.phase === IDLE && this.#isLeaving && this.#leavesAt < Number.POSITIVE_INFINITY; // its answer to our farewell
    if (!isAwaited && this.#patience.isDue(now, 0, false)) this.#close();
    else this.#settle();
  }

  /** Closes: the client has been at rest, or inside a frame, for too long. */
  #close(): void {
    const isAtRest = this.#patience.phase === IDLE;
    this.#session.goAway(true);
    this.#writer.flush();
    this.#end(!isAtRest);
  }

  drain(): void {
    this.exchanges.stop();
    this.leave();
    this.flushSoon();
  }

  leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#session.goAway(false);
    this.#leavesAt = performance.now() + FAREWELL_TIME;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Ends the connection behind what has been written. */
  #end(isUnread: boolean): void {
    this.#isOver = true;
    this.exchanges.abandonAll();
    stopReading(this.#socket);
    end(this.#socket, isUnread, this.#writer.isOut);
  }

  /** Reads a little ahead of what may be looked at, since a paused socket does not tell that its client has left. */
  #pauseOrResume(): void {
    const mustPause = this.#session.isFull;
    if (mustPause === this.#isPaused) return;
    this.#isPaused = mustPause;
    this.#socket[mustPause ? 'pause' : 'resume']();
  }
}
