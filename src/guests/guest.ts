/**
 * A handler as the guest of another server: node:http, Express, or anything that calls a web-standard `fetch`.
 *
 * The other server owns the connection and speaks HTTP. This file does what our own server does between the head of a request and the head
 * of its response: a canonical path, a body that is complete when the handler runs, limits, and an answer to every error.
 *
 * @module
 */
import { Readable } from 'node:stream';
import { bodyLimit, type MaxBodySize, tooLargeMessage } from '../exchange/body-limit.ts';
import { answerKnown, inContextOf } from '../exchange/channels.ts';
import { type Outgoing, outgoingOf } from '../exchange/outgoing.ts';
import {
  type Answering,
  type Handler,
  type OnError,
  plainResponseTo,
  refusalFor,
  reportError,
  respond,
  responseTo,
  upgradeRequired,
} from '../exchange/respond.ts';
import { Stopping } from '../exchange/stopping.ts';
import { RequestBody } from '../http/body/request-body.ts';
import { StreamContent } from '../http/body/response-body.ts';
import { badOption, checkFunction, checkNumber, checkOptions, MiB } from '../http/errors/bad-option.ts';
import { withCode } from '../http/errors/error-codes.ts';
import { checkErrorFormat, type ErrorFormat } from '../http/errors/failure.ts';
import { type Peer, type PeerServer, Request, type RequestHead } from '../http/request.ts';
import { HttpError, type Response } from '../http/response.ts';
import { parseTarget } from '../http/target.ts';
import { handlersAreHere } from '../process/place/handler-place.ts';
import { areRequestsWatched } from '../process/watching/request-channels.ts';

/** The function that the user writes: the same as for `startServer`. */
export type GuestHandler = Handler;

/** Options of `toNodeListener` and `toFetch`. */
export interface GuestOptions {
  /** Largest request body, else 413; it is held in memory. Default 10 MiB. A function decides for each request, from its head. */
  maxBodySize?: MaxBodySize | undefined;
  /** True for requests whose handler wants the body as it arrives (`request.body.stream()`), and not before. Default: none. */
  streamBody?: ((head: Request) => boolean) | undefined;
  /** How errors are answered: `text`, `json`, `problem` (RFC 9457), or `auto`: by Accept. A function decides for each request. Default `auto`. */
  errors?: ErrorFormat | ((head: Request) => ErrorFormat) | undefined;
  /** Sees every error that became a 500; may answer instead. Default: prints method, path, request id and the error with its stack to stderr. */
  onError?: OnError | undefined;
  /** Aborts when the other server begins to stop: then `request.stopping` aborts and event streams end. Default: never. */
  stopping?: AbortSignal | undefined;
}

/** @internal A request as the host has it. */
export interface Arrival {
  readonly head: RequestHead;
  readonly peer: Peer;
  /** Undefined: there is none. Ending its iteration must not end the connection; a body that breaks off throws `bodyIncomplete`. */
  readonly body: AsyncIterable<Uint8Array> | undefined;
  /** The value of Content-Length. */
  readonly size: number | undefined;
}

const SUBJECT = 'Cannot serve as a guest';
const KNOWN: ReadonlySet<string> = new Set(['maxBodySize', 'streamBody', 'errors', 'onError', 'stopping']);
const NOWHERE = { path: '/', rawQuery: '', authority: undefined };

/** @internal A handler and its options. */
export class Guest implements Answering {
  readonly handler: GuestHandler;
  readonly options: Answering['options'];
  requests = 0;
  current: Request | undefined = undefined;
  readonly #maxBodySize: MaxBodySize;
  readonly #streamBody: ((head: Request) => boolean) | undefined;
  readonly #server: HostServer;

  /** @throws TypeError or RangeError with code `bad-option`. */
  constructor(handler: GuestHandler, options: GuestOptions) {
    checkFunction(SUBJECT, 'the handler', handler);
    checkOptions(SUBJECT, options, KNOWN);
    const { maxBodySize = 10 * MiB, streamBody, errors = 'auto', onError, stopping } = options;
    checkErrorFormat(SUBJECT, errors);
    for (const [name, value] of Object.entries({ streamBody, onError })) {
      if (value !== undefined) checkFunction(SUBJECT, name, value);
    }
    if (typeof maxBodySize !== 'function') checkNumber(SUBJECT, 'maxBodySize', maxBodySize, 0, Number.POSITIVE_INFINITY, 'bytes');
    handlersAreHere();
    this.handler = handler;
    this.options = { onError, errors };
    this.#maxBodySize = maxBodySize;
    this.#streamBody = streamBody;
    if (stopping !== undefined && !(stopping instanceof AbortSignal)) throw badOption(SUBJECT, 'stopping is not an AbortSignal');
    this.#server = new HostServer(this.options, stopping);
  }

  /**
   * Answers a request.
   *
   * @param begin Called with the Request before the handler is: from then on the host aborts it when the client leaves.
   * @returns A response, whatever happens, with the request it is for. It never rejects.
   */
  async answer(arrival: Arrival, begin: (request: Request) => void): Promise<{ request: Request; response: Response }> {
    const { head } = arrival;
    const peer = { ...arrival.peer, server: this.#server };
    const target = parseTarget(head.target);
    let request = new Request(head, target ?? NOWHERE, peer, RequestBody.EMPTY);
    begin(request);
    try {
      if (!target) throw new HttpError(400, 'Cannot serve request: its target has no safe meaning', { code: 'bad-target' });
      if (arrival.body) {
        request = new Request(head, target, peer, await this.#bodyOf(arrival, arrival.body, request));
        begin(request);
      }
      return { request, response: withoutUpgrade(await respond(this, request)) };
    } catch (error) {
      const response = responseTo(this, request, error);
      if (areRequestsWatched()) answerKnown(request, response, true);
      return { request, response };
    }
  }

  /**
   * Prepares a response for sending. One that cannot be sent, such as a file that has vanished, becomes an error that can still be
   * answered.
   *
   * @param maxStatus The highest status that the host can send.
   */
  async outgoing(response: Response, request: Request, maxStatus = 999): Promise<Outgoing> {
    const isHead = request.method === 'HEAD';
    const { content } = response;
    if (content instanceof StreamContent && content.isEndless) {
      request.onEnd(this.#server.stopping.when(() => content.stop()));
    }
    try {
      if (response.status <= maxStatus) return await outgoingOf(response, isHead);
      response.dispose();
      throw withCode(new RangeError(`Cannot answer: status ${response.status} cannot be sent by this server`), 'bad-status');
    } catch (error) {
      const answer = inContextOf(request, content, () => plainResponseTo(this, request, error));
      return outgoingOf(answer.status <= maxStatus ? answer : refusalFor(this, request, undefined), isHead);
    }
  }

  /** Hands an error to `onError` when there is nothing left to answer. */
  report(error: unknown, request: Request, { content }: Response): void {
    inContextOf(request, content, () => reportError(this, request, error));
  }

  async #bodyOf({ size }: Arrival, source: AsyncIterable<Uint8Array>, preview: Request): Promise<RequestBody> {
    const most = bodyLimit(this.#maxBodySize, preview);
    if (size !== undefined && size > most) throw tooLarge(most);
    const limited = upTo(most, source);
    if (this.#streamBody?.(preview)) return new RequestBody({ stream: Readable.from(limited, { objectMode: false }), size });
    const pieces: Uint8Array[] = [];
    for await (const piece of limited) pieces.push(piece);
    return new RequestBody(Buffer.concat(pieces));
  }
}

/** What requests know of the other server. */
class HostServer implements PeerServer {
  readonly stopping: Stopping = new Stopping();
  readonly options: Answering['options'];
  readonly isForeign = true;
  readonly #signal: AbortSignal | undefined;

  /** @param signal Aborts when it begins to stop; undefined: that is not known. */
  constructor(options: Answering['options'], signal: AbortSignal | undefined) {
    this.options = options;
    this.#signal = signal;
    if (signal?.aborted) this.stopping.begin();
    else signal?.addEventListener('abort', () => this.stopping.begin(), { once: true });
  }

  get isStopping(): boolean {
    return this.#signal?.aborted ?? false;
  }
}

/** Passes pieces on, up to a limit. */
async function* upTo(most: number, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const piece of source) {
    size += piece.length;
    if (size > most) throw tooLarge(most);
    yield piece;
  }
}

/** @internal The error a host throws from a body that breaks off: the client's fault, as a handler that streams it can see. */
export function bodyIncomplete(cause?: unknown): HttpError {
  return new HttpError(400, 'Cannot read request: the connection ended inside it', { code: 'body-incomplete', cause });
}

function tooLarge(most: number): HttpError {
  return new HttpError(413, tooLargeMessage(most), { code: 'body-too-large' });
}

/** A response that another server can send: connections cannot be handed over there. */
function withoutUpgrade(response: Response): Response {
  return response.take ? upgradeRequired(response) : response;
}
