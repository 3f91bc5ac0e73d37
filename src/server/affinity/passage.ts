/**
 * A request that is passed on to another worker, as the one that has accepted it sees it.
 *
 * @module
 */
import { refusalFor } from '../../exchange/respond.ts';
import type { ProtocolError } from '../../http/errors/protocol-error.ts';
import type { Request } from '../../http/request.ts';
import { HttpError, type Response } from '../../http/response.ts';
import { Flight } from '../threads/flight.ts';

/** Another worker is to be asked. */
export interface Elsewhere {
  /** Of the table to look into, at least. */
  readonly version: number;
  /** The connection to the worker that was asked is gone, or could not be made: the worker has died, or has no descriptor left, or too much to do. */
  readonly isGone: boolean;
  /** It may have died of this request. */
  readonly hasDied: boolean;
}

/** What has become of it: its response, who else is to be asked, or why it is refused. */
export type Outcome = Response | Elsewhere | ProtocolError;

/** Methods that may be sent once more: by their definition nothing is changed by them (RFC 9110 §9.2.1). */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** One request on its way to another worker and back. */
export class Passage extends Flight {
  /** Of the table by which that worker was chosen. */
  readonly version: number;
  readonly #resolve: (outcome: Outcome) => void;
  /** It may be passed to another worker when this one dies. */
  readonly #mayRepeat: boolean;
  #hasInterim = false;

  /** @param isFirst Whether no worker has died of it yet. */
  constructor(request: Request, version: number, isFirst: boolean, resolve: (outcome: Outcome) => void) {
    super(request, performance.now(), resolve);
    this.version = version;
    this.#resolve = resolve;
    this.#mayRepeat = isFirst && SAFE.has(request.method) && request.body.size === 0;
  }

  override interim(status: number, fields: readonly string[]): void {
    this.#hasInterim = true;
    super.interim(status, fields);
  }

  /** It ends without a response: nothing has begun there. */
  giveBack(outcome: Elsewhere | ProtocolError): void {
    this.letGo?.();
    if (this.isAnswered) return;
    this.isAnswered = true;
    this.#resolve(outcome);
  }

  /** The worker is gone. @param hasBegun Whether the handler may have been called. */
  override lose(_status: number, hasBegun = true): void {
    const mayRepeat = this.#mayRepeat && !this.#hasInterim && !this.isAnswered;
    if (!hasBegun || mayRepeat) return this.giveBack({ version: this.version + 1, isGone: true, hasDied: hasBegun });
    this.answer(workerGone(this.request, 502, 'The worker that was to answer has died'));
    this.fail();
    this.letGo?.();
  }
}

/** The answer when nobody is there to give one. */
export function workerGone(request: Request, status: number, message: string): Response {
  return refusalFor(request.peer.server, request, new HttpError(status, message, { code: 'worker-gone' }));
}
