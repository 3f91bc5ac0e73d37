/**
 * What is told of requests to whoever watches them from outside: tracers and meters, on channels of `node:diagnostics_channel`.
 *
 *     tracing:filrouge.request:start     the handler is about to be called; a store bound to it is there until the response is out
 *     filrouge.request:route             a pattern has matched
 *     filrouge.request:response          the response is known
 *     tracing:filrouge.request:end       the handler has returned; a promise that it gave goes on:
 *     tracing:filrouge.request:asyncStart, asyncEnd     it has settled
 *     tracing:filrouge.request:error     what became a 500, or broke a body off: what `onError` sees
 *     filrouge.request:sent              the response has gone out, or nobody waits for it any more
 *
 * A request that no handler saw (it was refused, or no thread could take it) has `response` and `sent` only. Nothing is made for a request that nobody watches.
 *
 * @module
 */
import { AsyncResource } from 'node:async_hooks';
import { type Content, StreamContent } from '../http/body/response-body.ts';
import type { Request } from '../http/request.ts';
import type { Response } from '../http/response.ts';
import type { Connection } from '../process/watching/connection-channels.ts';
import { type Around, messageOf, requestChannel, responseChannel, sentChannel, setMessage } from '../process/watching/request-channels.ts';
import { type Sent, whenSent } from '../process/watching/sent.ts';

/** What comes on the channels of requests: one object for all that is told of a request, which fills as more is known. */
export interface RequestMessage {
  /** As it came. */
  readonly request: Request;
  /** The pattern that matched last, `/users/{id}`. */
  readonly route: string | undefined;
  /** From `filrouge.request:response` on. */
  readonly response: Response | undefined;
  /** What became a 500, or broke the body off. An HttpError or a Response that a handler throws is an answer, not an error. */
  readonly error: unknown;
  /** From `filrouge.request:sent` on. */
  readonly sent: Sent | undefined;
  /** Whether it came by somebody else's server, of whom the handler is a guest: a tracer of that one has seen it already. */
  readonly isGuest: boolean;
  /** Undefined when nobody watched connections as it was opened, and for a guest. */
  readonly connection: Connection | undefined;
  /** May be set by whoever hears of `start`: makes the call of the handler, in a context that no store can be bound to. */
  around: Around | undefined;
  /**
   * May be set by whoever hears of `start` or `response`: is called when the response has gone out, before `filrouge.request:sent` is told. To measure how a
   * response goes out costs more than all else that is told of it: who needs that of some requests only does not subscribe to the channel.
   */
  onSent: (() => void) | undefined;
  /** Its own, of a tracer: to look it up by the message would take longer than all else that is told. */
  trace: unknown;
}

/** Nobody waits for the end of a scope. */
const UNTRACKED = { requireManualDestroy: true };

/** The one object. */
class WatchedRequest implements RequestMessage {
  readonly request: Request;
  response: Response | undefined = undefined;
  error: unknown = undefined;
  sent: Sent | undefined = undefined;
  around: Around | undefined = undefined;
  onSent: (() => void) | undefined = undefined;
  trace: unknown = undefined;
  #asksSent = false;
  /** The context in which its handler was called. */
  #context: AsyncResource | undefined = undefined;

  constructor(request: Request) {
    this.request = request;
    setMessage(request, this);
  }

  /** Has it told when the response has gone out, if anybody is there to hear it. */
  tellSent(): void {
    if (this.#asksSent || (!this.onSent && !sentChannel.hasSubscribers)) return;
    this.#asksSent = true;
    whenSent(this.request, (sent) => {
      this.sent = sent;
      if (this.#context) this.#context.runInAsyncScope(publishSent, undefined, this);
      else publishSent(this);
    });
  }

  get route(): string | undefined {
    return this.request.route;
  }

  get isGuest(): boolean {
    return this.request.peer.server?.isForeign === true;
  }

  get connection(): Connection | undefined {
    return this.request.peer.connection;
  }

  keepContext(): void {
    this.#context = new AsyncResource('filrouge.request', UNTRACKED);
  }

  inContext<T>(call: () => T): T {
    return this.#context ? this.#context.runInAsyncScope(call) : call();
  }

  answered(response: Response): Response {
    if (this.response) return response; // it had its 503 before
    this.response = response;
    responseChannel.publish(this);
    this.tellSent(); // somebody may want to know by now; of a request that was refused it may be known already
    return response;
  }
}

/** Whether the handler of a request is watched already, or its answer is. */
export function isWatched(request: Request): boolean {
  return messageOf(request) !== undefined;
}

/** Answers a request, by whatever serves it. @returns A Response, or a promise of one that never rejects. */
type Answer<S> = (service: S, request: Request) => Response | Promise<Response>;

/** Calls a handler, watched, in a scope of its own: a store that somebody enters there, as tracers do, is not that of the next request on the connection. */
export function watchCall<S>(answer: Answer<S>, service: S, request: Request): Response | Promise<Response> {
  const message = new WatchedRequest(request);
  const scope = new AsyncResource('filrouge.request', UNTRACKED);
  return scope.runInAsyncScope(callInScope<S>, undefined, message, answer, service);
}

function callInScope<S>(message: WatchedRequest, answer: Answer<S>, service: S): Response | Promise<Response> {
  return requestChannel.start.runStores(message, callAround<S>, undefined, message, answer, service);
}

/** Its start has been told. */
function callAround<S>(message: WatchedRequest, answer: Answer<S>, service: S): Response | Promise<Response> {
  message.tellSent();
  return message.around ? message.around(() => callWatched(message, answer, service)) : callWatched(message, answer, service);
}

function callWatched<S>(message: WatchedRequest, answer: Answer<S>, service: S): Response | Promise<Response> {
  const { end, asyncStart, asyncEnd } = requestChannel;
  message.keepContext();
  const result = answer(service, message.request);
  if (!(result instanceof Promise)) message.answered(result);
  end.publish(message);
  if (!(result instanceof Promise)) return result;
  return result.then((response) => {
    asyncStart.publish(message);
    message.answered(response);
    asyncEnd.publish(message);
    return response;
  });
}

function publishSent(message: WatchedRequest): void {
  message.onSent?.();
  sentChannel.publish(message);
}

/** The answer to a request is known that no handler gives: it was refused, or is late. @param isNew Whether nothing was told of it before. */
export function answerKnown(request: Request, response: Response, isNew: boolean): void {
  const known = messageOf(request) as WatchedRequest | undefined;
  const message = known ?? (isNew ? new WatchedRequest(request) : undefined);
  message?.inContext(() => message.answered(response));
}

/** Something has failed for a request: tells those who watch it. */
export function failed(request: Request, error: unknown): void {
  const message = messageOf(request.original) as WatchedRequest | undefined;
  if (!message) return;
  message.error = error;
  requestChannel.error.publish(message);
}

/**
 * Calls a function in the context to which a body belongs: that in which its stream was made; without one, that of the handler, which is known when
 * somebody watches.
 */
export function inContextOf<T>(request: Request, content: Content, call: () => T): T {
  if (content instanceof StreamContent && content.inContext) return content.inContext(call);
  const message = messageOf(request.original) as WatchedRequest | undefined;
  return message ? message.inContext(call) : call();
}
