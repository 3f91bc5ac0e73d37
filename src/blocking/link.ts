/**
 * The way from a thread that calls to one life of an I/O thread.
 *
 * @module
 */
import { type MessagePort, receiveMessageOnPort, type Transferable } from 'node:worker_threads';
import { LifeCells } from './life.ts';
import { Mailbox } from './mailbox.ts';
import { OWN_THREAD, type Patience } from './patience.ts';
import { type CallFields, type FromIo, type LinkParts, RING, sendable, type ToIo, transferOf } from './wire.ts';

/** What a call has come to. */
export type Outcome = FromIo | undefined;

/** A function of a module; made once, and the same object in each call. */
export interface Target {
  readonly url: string;
  readonly called: string;
  readonly patience: Patience;
}

/** Sends calls, and takes their answers. */
export class Link {
  readonly life: LifeCells;
  readonly #port: MessagePort;
  readonly #mailbox: Mailbox;
  readonly #answers: Map<number, FromIo | undefined> = new Map();
  readonly #functions: Map<Target, number> = new Map();
  /** Messages, without rings. */
  #sent = 0;
  #lastId = 0;
  /** The last call that had begun when one was given up. Until a later one is answered there may still come what nobody waits for. */
  #givenUpAt = 0;

  constructor({ port, life, mailbox }: LinkParts) {
    this.#port = port;
    this.life = new LifeCells(life);
    this.#mailbox = new Mailbox(mailbox);
    this.#mailbox.owner = OWN_THREAD;
  }

  get isOver(): boolean {
    return this.life.isOver;
  }

  /** A number for a call. @param isOneOfMany Others are waited for as well: an answer that comes too early is kept. */
  expect(isOneOfMany: boolean): number {
    this.#lastId = (this.#lastId + 1) & 0x3fffffff;
    if (isOneOfMany) this.#answers.set(this.#lastId, undefined);
    return this.#lastId;
  }

  /** Calls a function. @param fields What goes along for those who watch. */
  call(id: number, target: Target, args: readonly unknown[], fields?: CallFields): void {
    const number = this.#numberOf(target);
    if (this.#answers.size === 0 && this.#mailbox.ask(id, number, this.#sent, args, fields)) {
      if (this.life.ring()) this.#port.postMessage(RING, []);
      return;
    }
    const sent = sendable(args);
    this.send(fields?.length ? ['call', id, number, sent, fields] : ['call', id, number, sent], transferOf(sent));
  }

  send(message: ToIo, transfer?: readonly Transferable[]): void {
    this.#port.postMessage(message, transfer);
    this.#sent = (this.#sent + 1) & 0x3fffffff;
  }

  /** The answer to a call, if it is there; it is then taken out. */
  take(id: number): Outcome {
    let answer = this.#sort(id, this.#mailbox.takeAnswer());
    if (answer && this.#givenUpAt === 0) return answer;
    for (let found = receiveMessageOnPort(this.#port); found; found = receiveMessageOnPort(this.#port)) {
      answer = this.#sort(id, found.message as FromIo) ?? answer;
    }
    if (answer && id > this.#givenUpAt) this.#givenUpAt = 0;
    if (answer || this.#answers.size === 0) return answer;
    answer = this.#answers.get(id);
    if (answer) this.#answers.delete(id);
    return answer;
  }

  /** Gives a call up. */
  abort(id: number, reason: string): void {
    this.#answers.delete(id);
    this.#givenUpAt = this.#lastId;
    this.send(['abort', id, reason]);
  }

  /** Ends it, when the thread is over. */
  close(): void {
    this.#port.close();
  }

  /** Keeps an answer that another call waits for. @returns It, when it is that of the call with this number. */
  #sort(id: number, answer: Outcome): Outcome {
    if (!answer) return undefined;
    if (answer[1] === id) {
      if (this.#answers.size > 0) this.#answers.delete(id);
      return answer;
    }
    if (this.#answers.has(answer[1])) this.#answers.set(answer[1], answer);
    else if (answer[0] === 'handle' || answer[0] === 'stream') this.send(['drop', answer[2]]); // its call was given up
    return undefined;
  }

  #numberOf(target: Target): number {
    let number = this.#functions.get(target);
    if (number === undefined) {
      number = this.#functions.size;
      this.#functions.set(target, number);
      this.send(['function', number, target.url, target.called]);
    }
    return number;
  }
}
