/**
 * What the responses of one connection take in memory while they wait for the client, and the requests that wait because of it.
 *
 * A client that opens all its streams and lets nothing through would otherwise have as many responses made as there are streams, and kept. The bound
 * is generous: one stream at rest with a body that is in memory must not hold up the others.
 *
 * @module
 */
import type { RequestBody } from '../../http/body/request-body.ts';
import type { StreamExchange } from './stream-exchange.ts';

/** Beyond this no further handler is called, bytes. */
const MAX_HELD: number = 16 * 1024 * 1024;

/** The responses that wait on one connection, and the requests behind them. */
export class Backlog {
  readonly #handle: (exchange: StreamExchange, body: RequestBody) => void;
  /** The requests that wait, oldest first, and their bodies. */
  readonly #waiting: Map<StreamExchange, RequestBody> = new Map();
  #held = 0;
  #isResuming = false;

  /** @param handle Called with a request that has waited. */
  constructor(handle: (exchange: StreamExchange, body: RequestBody) => void) {
    this.#handle = handle;
  }

  /** Whether a request must wait. */
  get isFull(): boolean {
    return this.#held > MAX_HELD || this.#waiting.size > 0;
  }

  /** A request waits. */
  add(exchange: StreamExchange, body: RequestBody): void {
    this.#waiting.set(exchange, body);
  }

  /** A response waits for the client. Files and streams hold one piece at most, and do not count. */
  hold(exchange: StreamExchange): void {
    const content = exchange.response?.content;
    if (exchange.isOver || (typeof content !== 'string' && !(content instanceof Uint8Array))) return;
    exchange.held = content.length;
    this.#held += content.length;
  }

  /** An exchange is over: its response waits no longer, nor does it, and its body with it, when its client has broken it off. */
  free(exchange: StreamExchange): void {
    this.#waiting.delete(exchange);
    if (exchange.held === 0) return;
    this.#held -= exchange.held;
    exchange.held = 0;
    if (this.#isResuming) return;
    this.#isResuming = true;
    for (const [next, body] of this.#waiting) {
      if (this.#held > MAX_HELD) break;
      this.#waiting.delete(next);
      this.#handle(next, body);
    }
    this.#isResuming = false;
  }
}
