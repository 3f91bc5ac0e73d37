/**
 * One open websocket, as its user sees it.
 *
 * @module
 */
import type { Duplex } from 'node:stream';
import { currentContext } from '../../http/body/stream-source.ts';
import { adviceFor, badOption, kindOf } from '../../http/errors/bad-option.ts';
import { type StraightWriter, type Takeover, whenStopping } from '../../http/takeover.ts';
import type { Frames } from './adopt-socket.ts';
import { startHeartbeat } from './heartbeat.ts';
import { Inbox, type Message } from './inbox.ts';
import { writeMessage } from './message-frame.ts';
import type { ResolvedWebSocketOptions } from './options.ts';

/** A close frame holds 125 bytes, two of which are the code (RFC 6455 §5.5). */
const MAX_REASON = 123;
/** Codes that stand for the absence of a close frame (RFC 6455 §7.4.1), and one that is reserved. */
const NEVER_SENT: ReadonlySet<number> = new Set([1004, 1005, 1006]);
/** What `ws` closes with after an error; with 1002 (RFC 6455 §7.4.1) after all that are not here. */
const CODES_OF_ERRORS: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 1009,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
};

/** How a connection ended. */
export interface Closing {
  /**
   * What the peer said: 1000 is the ordinary end. 1005: a close without a code; 1006: no close at all; 1002, 1007, 1008, 1009: what we said to a
   * peer that broke the protocol or a limit (RFC 6455 §7.4.1).
   */
  readonly code: number;
  /** What was said beside it; our own words when it was we who gave up. */
  readonly reason: string;
}

/** An open websocket. Messages are text (`string`) or bytes (`Buffer`), whole, in the order they were sent. */
export interface WebSocketConnection extends AsyncIterable<string | Buffer> {
  /** The subprotocol agreed on; empty when there is none. */
  readonly protocol: string;
  /** Settles when the connection has ended, however it ended. It never rejects. */
  readonly closed: Promise<Closing>;
  /**
   * Sends a message: text, or bytes, which must not be changed until they have been sent. After the end it does nothing. A text that is sent to many
   * in one loop is encoded once.
   *
   * It never waits. A peer so slow that more than `maxQueued` bytes wait for it is cut off: await `drained()` when sending a lot.
   */
  send(data: string | Uint8Array): void;
  /** Resolves when the system has taken what was sent, or when the connection has ended. */
  drained(): Promise<void>;
  /** Sends a ping now, beside those of `pingInterval`. */
  ping(): void;
  /**
   * Closes the connection with a close frame. No message is delivered after this call.
   *
   * @param code Default 1000; 3000 to 4999 are yours (RFC 6455 §7.4.2).
   * @param reason At most 123 bytes.
   * @throws RangeError (code `bad-option`) for a code that may not be sent, or a reason that is too long.
   */
  close(code?: number, reason?: string): void;
  /**
   * Calls a function with each message, including those already waiting. It receives them as they arrive; `for await` takes no more than it can handle.
   * What it throws, or rejects with, ends the connection with 1011. A second call replaces the function.
   */
  onMessage(f: (data: string | Buffer) => void | Promise<void>): void;
}

/** Ties the frames of `ws`, the messages that wait, and the server together. */
export class Connection implements WebSocketConnection {
  readonly protocol: string;
  readonly closed: Promise<Closing>;
  readonly #ws: Frames;
  readonly #socket: Duplex;
  readonly #takeover: Takeover;
  readonly #straight: StraightWriter | undefined;
  readonly #maxQueued: number;
  readonly #inbox: Inbox;
  #drained: Promise<void> | undefined = undefined;
  #isLeaving = false;
  /** Why we gave up, if we did, and the code we closed with. */
  #complaint: Closing = { code: 1006, reason: '' };

  constructor(ws: Frames, socket: Duplex, protocol: string, options: ResolvedWebSocketOptions, takeover: Takeover) {
    this.protocol = protocol;
    this.#ws = ws;
    this.#socket = socket;
    this.#takeover = takeover;
    this.#straight = takeover.straight;
    this.#maxQueued = options.maxQueued;
    this.#inbox = new Inbox((isPaused) => (isPaused ? ws.pause() : ws.resume()));
    this.closed = new Promise((resolve) => {
      ws.on('close', (code, reason) => {
        this.#inbox.end(false);
        resolve(code === 1006 ? this.#complaint : { code, reason: reason.toString() });
      });
    });
    // The peer has broken the protocol or a limit: `ws` has closed with the reason, and reads nothing more from it.
    ws.on('error', ({ code = '', message }) => this.#giveUp({ code: CODES_OF_ERRORS[code] ?? 1002, reason: message }));
    ws.on('message', (data, isBinary) => this.#inbox.add(isBinary ? data : data.toString()));
    startHeartbeat(socket, options.pingInterval, this);
  }

  /** Hands the connection to its user. */
  run(onOpen: (socket: WebSocketConnection) => void | Promise<void>): void {
    whenStopping(this.#takeover, this.#goAway);
    if (this.#isLeaving) return;
    this.#call(
      () => onOpen(this),
      () => this.#inbox.settle(),
    );
  }

  send(data: string | Uint8Array): void {
    if (typeof data !== 'string' && !(data instanceof Uint8Array)) {
      throw new TypeError(`Cannot send message: it is ${kindOf(data)}, not a string or bytes${adviceFor(data)}`);
    }
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    if (this.#socket.writableLength + (this.#straight?.pending ?? 0) > this.#maxQueued) {
      return this.#cut(`The peer did not take what was sent: more than ${this.#maxQueued} bytes wait`);
    }
    writeMessage(this.#socket, data, this.#straight);
  }

  /** @internal Whether the peer is not being read. */
  get isPaused(): boolean {
    return this.#inbox.isPaused;
  }

  /** @internal The peer is silent. */
  giveUp(): void {
    this.#cut('The peer did not answer a ping');
  }

  drained(): Promise<void> {
    if (!this.#socket.writableNeedDrain && !this.#straight?.pending) return Promise.resolve();
    this.#drained ??= new Promise((resolve) => {
      const done = (): void => {
        this.#socket.off('drain', done).off('close', done);
        this.#drained = undefined;
        resolve();
      };
      this.#socket.on('drain', done).on('close', done);
    });
    return this.#drained;
  }

  ping(): void {
    this.#ws.ping();
  }

  close(code = 1000, reason = ''): void {
    if (!isSendable(code)) throw wrong(`code ${String(code)} is neither one of 1000 to 1014 that may be sent, nor from 3000 to 4999`);
    if (Buffer.byteLength(reason) > MAX_REASON) throw wrong(`the reason has more than ${MAX_REASON} bytes`);
    this.#inbox.end(true);
    this.#ws.close(code, reason);
  }

  onMessage(f: (data: Message) => void | Promise<void>): void {
    const inContext = currentContext(); // messages come in that of the socket
    this.#inbox.listen((message) => inContext(() => this.#call(() => f(message))));
  }

  [Symbol.asyncIterator](): AsyncIterator<Message, undefined> {
    return this.#inbox.iterate();
  }

  readonly #goAway = (): void => {
    this.#isLeaving = true;
    this.close(1001, 'The server is stopping');
  };

  /** Calls the user's code. When it fails the peer gets 1011, and the server's `onError` the error. */
  #call(f: () => void | Promise<void>, settle: () => void = ignore): void {
    const fail = (error: unknown): void => {
      this.#takeover.report(error);
      this.close(1011);
      settle();
    };
    try {
      const result = f();
      if (result === undefined) settle();
      else Promise.resolve(result).then(settle, fail);
    } catch (error) {
      fail(error);
    }
  }

  #cut(reason: string): void {
    this.#giveUp({ code: 1006, reason });
    this.#ws.terminate();
  }

  #giveUp(complaint: Closing): void {
    this.#complaint = complaint;
    this.#inbox.end(complaint.code === 1006);
  }
}

function isSendable(code: number): boolean {
  return Number.isInteger(code) && ((code >= 1000 && code <= 1014 && !NEVER_SENT.has(code)) || (code >= 3000 && code <= 4999));
}

function wrong(why: string): Error {
  return badOption('Cannot close websocket', why, RangeError);
}

function ignore(): void {}
