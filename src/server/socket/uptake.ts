/**
 * Whether a client still takes what is written to it.
 *
 * @module
 */
import type { Socket } from 'node:net';
import { queuedIn } from './direct-write.ts';

/** Watches the writing side of one socket. */
export class Uptake {
  readonly #socket: Socket;
  readonly #timeout: number;
  /** The bytes that the socket had sent at the last check, and the time by which it must send more. */
  #taken = 0;
  /** Bytes that the system had not accepted then of what was written: within one write, only this tells that it takes more. */
  #queued = 0;
  #deadline = 0;

  /** @param timeout How long the client may go without taking anything, ms. */
  constructor(socket: Socket, timeout: number) {
    this.#socket = socket;
    this.#timeout = timeout;
  }

  /** Whether the client has taken nothing for too long. Called at each tick. @param direct Bytes that wait past the stream of the socket. */
  isStuck(now: number, direct: number): boolean {
    const pending = this.#socket.writableLength + direct;
    if (pending === 0) {
      this.#deadline = 0;
      return false;
    }
    const taken = this.#socket.bytesWritten - pending;
    const before = this.#queued;
    this.#queued = queuedIn(this.#socket);
    if (this.#deadline === 0 || taken !== this.#taken || this.#queued < before) {
      this.#taken = taken;
      this.#deadline = now + this.#timeout;
      return false;
    }
    return now > this.#deadline;
  }
}
