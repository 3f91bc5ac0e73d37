/**
 * A client that has ended its side: it may be gone, or wait for its answers with nothing more to say (RFC 9112 §9.6 allows both).
 *
 * To the system both look alike: the host of a closed socket acknowledges keep-alive probes for a minute, and only data is answered with a
 * reset. So a client that still waits after a moment is sent a few bytes that mean nothing, once, when all there is for it has been written:
 *
 *     what it waits for           is told
 *     an answer, over HTTP/1.1    102 (Processing): clients must read over interim responses (RFC 9110 §15.2)
 *     a chunk                     a zero, with which the size of the next chunk begins (RFC 9112 §7.1)
 *     the rest of another body    nothing can be said: when its source gives nothing for a second, the client counts as gone
 *     an answer, over HTTP/1.0    nothing can be said: the keep-alive probes find out after a minute
 *
 * @module
 */
import type { Socket } from 'node:net';
import { PROCESSING } from '../../h1/serializer.ts';
import { isGone, probe } from '../socket/presence.ts';
import type { ResponseWriter } from './response-writer.ts';
import type { Turns } from './turn.ts';

/** How long the client is left alone first, ms: most answers are out by then. */
const GRACE = 25;
/** When the reset is looked for, ms after that: from a near client it is there. Each tick looks as well. */
const FIRST_LOOK = 25;
/** How long the source of a body may rest before a client that cannot be asked counts as gone, ms. */
const MAX_REST = 1000;

/** Finds out whether a client that has ended its side is gone. */
export class Departure {
  readonly #socket: Socket;
  readonly #writer: ResponseWriter;
  readonly #turns: Turns;
  /** When the client may be asked, monotonic ms. */
  readonly #from: number = performance.now() + GRACE;
  #hasAsked = false;
  /** Bytes written when the source was seen at rest, and when that was. */
  #written = -1;
  #restsSince = 0;

  constructor(socket: Socket, writer: ResponseWriter, turns: Turns) {
    this.#socket = socket;
    this.#writer = writer;
    this.#turns = turns;
    probe(socket);
    setTimeout(this.#begin, GRACE).unref();
  }

  /** Whether the client is gone. Called at each tick. */
  isOver(now: number): boolean {
    if (!this.#hasAsked && now >= this.#from) this.#ask();
    return isGone(this.#socket) || (!this.#hasAsked && this.#hasRested(now));
  }

  readonly #begin = (): void => {
    this.#ask();
    if (this.#hasAsked) setTimeout(this.#look, FIRST_LOOK).unref();
  };

  readonly #look = (): void => {
    if (isGone(this.#socket)) this.#socket.destroy();
  };

  /** Sends what draws a reset from the host of a client that is gone, if that is possible. */
  #ask(): void {
    if (!this.#socket.writable || this.#writer.isFull) return;
    if (this.#writer.nudge()) this.#hasAsked = true;
    else if (this.#turns.first?.isWaitedFor) {
      this.#writer.gather(PROCESSING);
      this.#writer.flush();
      this.#hasAsked = true;
    }
  }

  #hasRested(now: number): boolean {
    const { bytesWritten } = this.#socket;
    if (!this.#writer.isResting || bytesWritten !== this.#written) {
      this.#written = bytesWritten;
      this.#restsSince = now;
    }
    return now - this.#restsSince > MAX_REST;
  }
}
