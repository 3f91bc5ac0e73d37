/**
 * How one response goes out: measured for those who want to know, and told to them once.
 *
 * @module
 */
import type { Request } from '../http/request.ts';
import type { Response } from '../http/response.ts';
import { isBodyless } from '../http/status.ts';
import { isSentWanted, nowSent, type Sent, type SentCall, type Told, whenSent } from '../process/watching/sent.ts';
import { inContextOf } from './channels.ts';
import { type Outgoing, sizeOf } from './outgoing.ts';
import { type Answering, reportError } from './respond.ts';

/** Counts the bytes of a body that goes in pieces. */
export interface BytesOut {
  readonly bytes: number;
}

/** A response on its way out. */
export class Dispatch {
  /** Whether its sender tells the end of it, which may be later than that of its exchange. */
  isLeaving = false;
  /** Whether its body has broken off. */
  hasFailed = false;
  /** Set when its body goes in pieces. */
  counter: BytesOut | undefined = undefined;
  readonly #request: Request;
  #response: Response | undefined = undefined;
  #status: number | undefined = undefined;
  #firstByteAt: number | undefined = undefined;

  /** @param isKept Whether it is to be known even if nobody has asked yet. */
  constructor(request: Request, isKept = false) {
    this.#request = request;
    if (isKept) whenSent(request, nobody);
  }

  /** One that somebody else's server sends. */
  static of(request: Request, response: Response, { status, body }: Outgoing): Dispatch {
    const dispatch = new Dispatch(request);
    dispatch.begin(response, status);
    dispatch.counter = body instanceof Uint8Array || body === undefined ? { bytes: body?.length ?? 0 } : body;
    return dispatch;
  }

  /** Whether anybody wants to know. */
  get isWanted(): boolean {
    return isSentWanted(this.#request);
  }

  /** Its head goes out. @param status When it is another than that of the response: 200 for a websocket over HTTP/2. */
  begin(response: Response, status: number = response.status): void {
    this.#response = response;
    this.#status = status;
    this.#firstByteAt = performance.now();
  }

  /** It is over. @param isWhole Whether all of it has gone out. */
  end(isWhole: boolean): void {
    const outcome = isWhole ? 'sent' : this.hasFailed ? 'failed' : 'aborted';
    tellSent(this.#request, {
      status: this.#status,
      bytes: this.counter?.bytes ?? (isWhole ? this.#size : 0),
      startedAt: this.#request.readAt,
      firstByteAt: this.#firstByteAt,
      endedAt: performance.now(),
      outcome,
    });
  }

  /** Bytes of a body that went out in one piece. */
  get #size(): number {
    const response = this.#response;
    if (!response || response.take || this.#request.method === 'HEAD' || isBodyless(response.status)) return 0;
    return sizeOf(response) ?? 0;
  }
}

/** Tells those who want to know about a request. */
export function tellSent(request: Request, sent: Sent): void {
  nowSent(request, new Report(request, sent));
}

/** How a response went out. What those throw who are told is for `onError`. */
class Report implements Told {
  readonly #request: Request;
  readonly #sent: Sent;

  constructor(request: Request, sent: Sent) {
    this.#request = request;
    this.#sent = sent;
  }

  tell(call: SentCall): void {
    try {
      const result = call(this.#sent);
      if (result instanceof Promise) result.catch((error: unknown) => reportLate(this.#request, error));
    } catch (error) {
      reportLate(this.#request, error);
    }
  }
}

/** Something has failed for a request whose answer it cannot change any more: `onError` sees it. */
export function reportLate(request: Request, error: unknown): void {
  inContextOf(request, undefined, () => void reportError(request.peer.server ?? NO_SERVER, request, error));
}

const NO_SERVER: Pick<Answering, 'options'> = { options: { onError: undefined, errors: 'auto' } };

/** The exchange of a request is over, and nothing of its response has been sent: tells those who want to know, and those who ask later. */
export function tellUnsent(request: Request): void {
  new Dispatch(request).end(false);
}

function nobody(): void {}
