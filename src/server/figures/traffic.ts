/**
 * What the connections of one process have brought, since it started.
 *
 * @module
 */
import type { Exchange } from '../../exchange/exchange.ts';
import { noCounts, type SessionCounts } from '../../h2/session-counts.ts';
import type { Request } from '../../http/request.ts';
import { type Durations, DurationTally } from '../../process/durations.ts';
import { Slowest } from '../seen/slowest.ts';
import { AnswerTally } from './answer-tally.ts';

/** For how long a look lasts, ms: a page that is open looks every second. */
const LOOK = 5000;

/** What connections speak; those that were handed over, something else. */
export type Protocol = 'http/1.1' | 'h2' | 'upgraded';

/** Counts what comes and what goes out. */
export class Traffic {
  readonly answers: AnswerTally;
  readonly slowest: Slowest = new Slowest();
  /** Requests whose client left before their answer began to be sent. */
  abandoned = 0;
  /** Connections by their first protocol. */
  readonly opened: Record<Exclude<Protocol, 'upgraded'>, number> = { 'http/1.1': 0, h2: 0 };
  readonly http2: SessionCounts = noCounts();
  /** TLS handshakes that were completed, and how many of them resumed a session. */
  handshakes = 0;
  resumed = 0;

  readonly #isTimed: boolean;
  readonly #clock: { readonly now: number };
  /** How long answers took while somebody was looking. */
  readonly #latency: DurationTally = new DurationTally();
  #seenUntil = Number.NEGATIVE_INFINITY;

  /**
   * @param isTimed Whether it is measured how long requests take, also while nobody looks.
   * @param clock What is known without asking the system for the time.
   */
  constructor(isTimed: boolean, clock: { readonly now: number }) {
    this.#isTimed = isTimed;
    this.#clock = clock;
    this.answers = new AnswerTally(isTimed);
  }

  /** The head of an answer goes out. Only those to requests that were handed to the handler count. */
  answering(exchange: Exchange, status: number): void {
    if (!exchange.isAwaited) return;
    exchange.isAwaited = false;
    const request = exchange.request as Request; // it was made when the exchange was admitted
    const isSeen = this.#clock.now < this.#seenUntil;
    const ms = (this.#isTimed || isSeen ? performance.now() : this.#clock.now) - request.readAt; // else it is late by a tick at most
    this.answers.add(request.route, exchange.head.method, status, ms / 1000);
    if (isSeen) this.#latency.add(ms / 1000);
    if (ms > this.slowest.bar) this.slowest.note(request, performance.now() - request.readAt, status);
  }

  /** Somebody looks: for a while it is measured how long requests take. @returns What was measured so far. */
  look(): Durations {
    this.#seenUntil = performance.now() + LOOK;
    return this.#latency.read();
  }

  /** An exchange ends because its client has left. */
  leaving({ isAwaited }: Exchange): void {
    if (isAwaited) this.abandoned++;
  }
}
