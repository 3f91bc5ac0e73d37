/**
 * What the connections of one process have brought, since it started.
 *
 * @module
 */
import type { Exchange } from '../../exchange/exchange.ts';
import { noCounts, type SessionCounts } from '../../h2/session-counts.ts';
import { AnswerTally } from './answer-tally.ts';

/** What connections speak; those that were handed over, something else. */
export type Protocol = 'http/1.1' | 'h2' | 'upgraded';

/** Counts what comes and what goes out. */
export class Traffic {
  readonly answers: AnswerTally;
  /** Requests whose client left before their answer began to be sent. */
  abandoned = 0;
  /** Connections by their first protocol. */
  readonly opened: Record<Exclude<Protocol, 'upgraded'>, number> = { 'http/1.1': 0, h2: 0 };
  readonly http2: SessionCounts = noCounts();
  /** TLS handshakes that were completed, and how many of them resumed a session. */
  handshakes = 0;
  resumed = 0;

  readonly #isTimed: boolean;

  /** @param isTimed Whether it is measured how long requests take. */
  constructor(isTimed: boolean) {
    this.#isTimed = isTimed;
    this.answers = new AnswerTally(isTimed);
  }

  /** The head of an answer goes out. Only those to requests that were handed to the handler count. */
  answering(exchange: Exchange, status: number): void {
    const { request } = exchange;
    if (request === undefined || exchange.target.path === '*') return;
    exchange.hasBegun = true;
    const seconds = this.#isTimed ? (performance.now() - request.readAt) / 1000 : 0;
    this.answers.add(request.route, request.method, status, seconds);
  }

  /** An exchange ends because its client has left. */
  leaving({ request, target, hasBegun }: Exchange): void {
    if (request !== undefined && target.path !== '*' && !hasBegun) this.abandoned++;
  }
}
