/**
 * What the responses of one connection take in memory while they wait for the client, and the requests that wait because of it.
 *
 * A client that opens all its streams and lets nothing through would otherwise have as many responses made as there are streams, and kept. The bound
 * is generous: one stream at rest with a body that is in memory must not hold up the others. There is a second one for all connections of a process: past
 * it each connection has one handler called at a time, so that nobody stands still because of others.
 *
 * @module
 */
import type { RequestBody } from '../../http/body/request-body.ts';
import type { StreamExchange } from './stream-exchange.ts';

/** Beyond this no further handler is called, bytes. */
const MAX_HELD: number = 16 * 1024 * 1024;
/** Beyond this of all connections, no further one is called while another of its connection is at work, or has a response that waits. */
const MAX_OF_ALL: number = 64 * 1024 * 1024;

/** What waits for clients in a process, bytes. */
export interface Unread {
  held: number;
}

/** Whoever has a backlog. */
interface BacklogOwner {
  /** Calls the handler of a request that has waited. */
  handle(exchange: StreamExchange, body: RequestBody): void;
}

/** The responses that wait on one connection, and the requests behind them. */
export class Backlog {
  /** Handlers that have not ended. */
  atWork = 0;
  readonly #owner: BacklogOwner;
  readonly #all: Unread;
  /** The requests that wait, oldest first, and their bodies. Made when one has to. */
  #waiting: Map<StreamExchange, RequestBody> | undefined;
  #held = 0;
  #isResuming = false;

  /** @param all What waits in the process. */
  constructor(owner: BacklogOwner, all: Unread) {
    this.#owner = owner;
    this.#all = all;
  }

  /** Takes a request in, if it has to wait. @returns Whether it has. */
  takes(exchange: StreamExchange, body: RequestBody): boolean {
    if (!this.#mustWait && !this.#waiting?.size) return false;
    this.#waiting ??= new Map();
    this.#waiting.set(exchange, body);
    return true;
  }

  get #mustWait(): boolean {
    return this.#held > MAX_HELD || (this.#all.held > MAX_OF_ALL && (this.#held > 0 || this.atWork > 0));
  }

  /** A response waits for the client. Files and streams hold one piece at most, and do not count. */
  hold(exchange: StreamExchange): void {
    const content = exchange.response?.content;
    if (exchange.isOver || (typeof content !== 'string' && !(content instanceof Uint8Array))) return;
    exchange.held = content.length;
    this.#held += content.length;
    this.#all.held += content.length;
  }

  /** An exchange is over: its response waits no longer, nor does it, and its body with it, when its client has broken it off. */
  free(exchange: StreamExchange): void {
    this.#waiting?.delete(exchange);
    this.#held -= exchange.held;
    this.#all.held -= exchange.held;
    exchange.held = 0;
    if (this.#waiting?.size) this.resume();
  }

  /** Calls the handlers that wait, as far as they may be called. */
  resume(): void {
    if (this.#isResuming) return;
    this.#isResuming = true;
    for (const [next, body] of this.#waiting ?? []) {
      if (this.#mustWait) break;
      this.#waiting?.delete(next);
      this.#owner.handle(next, body);
    }
    this.#isResuming = false;
  }
}
