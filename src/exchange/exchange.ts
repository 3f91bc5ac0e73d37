/**
 * One request and its response, from the head of the first to the last byte of the second, whatever protocol brought them.
 *
 *     made ──admit──▶ in flight ──settle──▶ answered ──release──▶ over
 *       │                 └──────timeOut──────▶│                    ▲
 *       └── refused: answered without a handler ┘   gone: released ─┘
 *
 * The response is set once: by the handler, by its deadline, or by a refusal. One that comes later is released. The order in which answers
 * leave, and when a connection ends, are up to the protocol: HTTP/1.1 adds them in `server/http1/turn.ts`.
 *
 * @module
 */

import { RequestBody } from '../http/body/request-body.ts';
import { timeIsUp } from '../http/errors/abort-reason.ts';
import { type Peer, Request, type RequestHead } from '../http/request.ts';
import { Response } from '../http/response.ts';
import type { TargetParts } from '../http/target.ts';
import { areRequestsWatched } from '../process/watching/request-channels.ts';
import { isAnySentWanted, isSentWanted } from '../process/watching/sent.ts';
import { answerKnown } from './channels.ts';
import { Dispatch, tellUnsent } from './dispatch.ts';
import { type Answering, tookTooLong } from './respond.ts';

/** What exchanges need from the server in which they take place. */
export interface ExchangeHost extends Answering {
  /** How long the promise of a handler may take to settle, ms; 0: no bound. */
  readonly answerTimeout: number;
  /** Requests that are not answered yet. */
  inFlight: number;
  /** The promise of a handler has not settled in time: after so many ms. */
  readonly timedOut: (request: Request, ms: number) => void;
}

/** Where an exchange takes place: notified of a response that was not there at once. */
export interface ExchangeOwner<E> {
  onAnswer(exchange: E): void;
  /** The handler of an exchange that was answered without it has ended; what it gave has been released. */
  onLate?(exchange: E): void;
}

/** A request and the response it is owed. */
export class Exchange<H extends RequestHead = RequestHead> {
  readonly head: H;
  readonly target: TargetParts;
  readonly peer: Peer;
  request: Request | undefined = undefined;
  response: Response | undefined = undefined;
  /** The collector of the request's body. */
  body: { close(): void } | undefined = undefined;
  /** How its response goes out; made when somebody wants to know. */
  dispatch: Dispatch | undefined = undefined;
  /** A request that is not for a handler: it was refused. */
  #refused: Request | undefined = undefined;
  /** Whether it was handed to the handler, and its response has not begun to be sent. */
  isAwaited = false;
  /** Where it is counted as in flight, while a promise is waited for. */
  #host: ExchangeHost | undefined = undefined;
  /** When the handler's time is up, in monotonic ms. */
  #deadline: number = Number.POSITIVE_INFINITY;

  constructor(head: H, target: TargetParts, peer: Peer) {
    this.head = head;
    this.target = target;
    this.peer = peer;
  }

  /**
   * Makes the request.
   *
   * @returns The request for the handler. Undefined when it is answered already: OPTIONS of the server as a whole (RFC 9110 §9.3.7).
   */
  admit(host: ExchangeHost, body: RequestBody): Request | undefined {
    const request = new Request(this.head, this.target, this.peer, body);
    this.request = request;
    if (this.target.path === '*') {
      this.response = Response.empty(204);
      if (areRequestsWatched()) answerKnown(request, this.response, true);
      return undefined;
    }
    host.inFlight++;
    this.isAwaited = true;
    return request;
  }

  /**
   * Takes the result of `respond` for the request.
   *
   * @param owner Notified when the response comes later, unless the time is up before that.
   * @returns Whether the response is there.
   */
  settle(host: ExchangeHost, result: Response | Promise<Response>, owner: ExchangeOwner<this>): boolean {
    if (result instanceof Response) {
      host.inFlight--;
      this.response = result;
      return true;
    }
    const { answerTimeout } = host;
    if (answerTimeout > 0) this.#deadline = performance.now() + answerTimeout;
    this.#host = host;
    void result.then((response) => {
      this.#countOut();
      if (this.response) {
        response.dispose();
        return owner.onLate?.(this);
      }
      this.response = response;
      owner.onAnswer(this);
    });
    return false;
  }

  /**
   * Ends the wait for a handler whose time is up: 503, and whatever it returns later is dropped.
   *
   * @returns Whether that has happened now.
   */
  timeOut(now: number): boolean {
    if (this.response || now <= this.#deadline) return false;
    const request = this.asRequest();
    const host = this.#host;
    host?.timedOut(request, now - this.#deadline + host.answerTimeout);
    this.#countOut();
    request.abort(timeIsUp());
    this.response = tookTooLong(request);
    this.dispatch = new Dispatch(request, true); // a handler that is at work may ask yet
    if (areRequestsWatched()) answerKnown(request, this.response, false);
    return true;
  }

  /** It is answered, or its handler has answered: whichever comes first. */
  #countOut(): void {
    if (this.#host) this.#host.inFlight--;
    this.#host = undefined;
  }

  /** Its response is about to be sent: measures that, if somebody wants to know. */
  measure(): Dispatch | undefined {
    if (this.dispatch || !isAnySentWanted()) return this.dispatch;
    const request = this.request ?? this.#refused;
    if (request && isSentWanted(request)) this.dispatch = new Dispatch(request);
    return this.dispatch;
  }

  /** Releases what it holds: its body on disk, and a response that has not been sent. */
  release(): void {
    this.body?.close();
    this.response?.dispose();
    this.request?.release();
    if (this.dispatch || !this.response || isAnySentWanted()) this.#tellUnsent();
  }

  /** The request as far as it is known: for `onError`. */
  asRequest(): Request {
    if (this.request) return this.request;
    this.#refused ??= new Request(this.head, this.target, this.peer, RequestBody.EMPTY);
    return this.#refused;
  }

  /** Nothing of its response will be sent any more, unless it is on its way. */
  #tellUnsent(): void {
    const request = this.request ?? this.#refused;
    if (this.dispatch?.isLeaving || !request) return;
    if (this.dispatch) this.dispatch.end(false);
    else if (!this.response || isSentWanted(request)) tellUnsent(request); // a handler that is at work may ask yet
  }
}
