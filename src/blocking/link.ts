/**
 * The way from a thread that calls to one life of an I/O thread.
 *
 * @module
 */
import { type MessagePort, receiveMessageOnPort, type Transferable } from 'node:worker_threads';
import type { FromIo, ToIo } from './wire.ts';

/** What a call has come to. */
export type Outcome = FromIo | undefined;

/** Sends calls, and takes their answers. */
export class Link {
  /** The mark of the thread; see `isOver`. */
  readonly life: SharedArrayBuffer;
  readonly #cell: Int32Array;
  readonly #port: MessagePort;
  readonly #answers: Map<number, FromIo | undefined> = new Map();
  readonly #modules: Map<string, number> = new Map();
  #lastId = 0;

  constructor(port: MessagePort, life: SharedArrayBuffer) {
    this.#port = port;
    this.life = life;
    this.#cell = new Int32Array(life);
  }

  get isOver(): boolean {
    return Atomics.load(this.#cell, 0) === 1;
  }

  /** The number of a module in calls. */
  moduleNumber(url: string): number {
    let number = this.#modules.get(url);
    if (number === undefined) {
      number = this.#modules.size;
      this.#modules.set(url, number);
      this.send(['module', number, url]);
    }
    return number;
  }

  /** A number for a call. @param isOneOfMany Others are waited for as well: an answer that comes too early is kept. */
  expect(isOneOfMany: boolean): number {
    this.#lastId = (this.#lastId + 1) & 0x3fffffff;
    if (isOneOfMany) this.#answers.set(this.#lastId, undefined);
    return this.#lastId;
  }

  send(message: ToIo, transfer?: readonly Transferable[]): void {
    this.#port.postMessage(message, transfer);
  }

  /** The answer to a call, if it is there; it is then taken out. */
  take(id: number): Outcome {
    for (let found = receiveMessageOnPort(this.#port); found; found = receiveMessageOnPort(this.#port)) {
      const message = found.message as FromIo;
      if (message[1] === id) {
        if (this.#answers.size > 0) this.#answers.delete(id);
        return message;
      }
      if (this.#answers.has(message[1])) this.#answers.set(message[1], message);
      else if (message[0] === 'handle' || message[0] === 'stream') this.send(['drop', message[2]]); // its call was given up
    }
    if (this.#answers.size === 0) return undefined;
    const answer = this.#answers.get(id);
    if (answer) this.#answers.delete(id);
    return answer;
  }

  /** Gives a call up. */
  abort(id: number, reason: string): void {
    this.#answers.delete(id);
    this.send(['abort', id, reason]);
  }

  /** Ends it, when the thread is over. */
  close(): void {
    this.#port.close();
  }
}
