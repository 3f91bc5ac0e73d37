/**
 * From a Request to a Response, whatever the handler does: the same for every protocol, for handler threads, and for guests on other
 * servers.
 *
 * @module
 */

import type { Awaitable } from '../http/awaitable.ts';
import { type ErrorCode, withCode } from '../http/errors/error-codes.ts';
import { errorFormatOf, formFor } from '../http/errors/failure.ts';
import { escaped } from '../http/escaped.ts';
import type { ErrorAnswers, Request } from '../http/request.ts';
import { HttpError, Response } from '../http/response.ts';
import { callFor, handlerAnswered, isAsked, isFollowed } from '../process/io-threads.ts';
import { areRequestsWatched } from '../process/watching/request-channels.ts';
import { failed, isWatched, watchCall } from './channels.ts';
import { explanationFor } from './explain.ts';
import { printError, printErrorOf } from './print-error.ts';
import { fromWebResponse, isWebResponse, measuredWebResponse } from './web-response.ts';

/** What errors need of the server that answers them. */
type Home = Pick<Answering, 'options'>;

/** The function that the user writes. It may also return a web-standard Response. */
export type Handler = (request: Request) => Awaitable<Response | globalThis.Response>;

/** Sees an error that became a 500; may answer instead. */
export type OnError = (error: unknown, request: Request) => Response | void;

/** Answers requests: the service of a process, a handler thread, or a guest. */
export interface Answering {
  readonly handler: Handler;
  readonly options: ErrorAnswers;
  /** Requests handed to the handler. */
  requests: number;
  /** The request whose handler is being called. */
  current: Request | undefined;
  /** Whether its handler only hands requests on, to handler threads or to other workers: there they are watched. */
  readonly handsOn?: boolean;
}

/** How deep causes are followed. */
const MAX_CAUSES = 8;

/** Stands for an error that `onError` has seen already, in the thread where it was thrown. */
export const REPORTED: Error = new Error('The response has failed in its thread');

/**
 * Calls the handler. A handler that returns a Response is answered without a promise.
 *
 * @returns A Response, or a promise that never rejects.
 */
export function respond(service: Answering, request: Request): Response | Promise<Response> {
  if (areRequestsWatched() && !service.handsOn && !isWatched(request)) return watchCall(respond, service, request);
  service.requests++;
  service.current = request;
  try {
    const result: unknown = isAsked() ? callFor(request, service.handler) : service.handler(request); // no frame of ours more than it takes
    service.current = undefined;
    if (isFollowed()) endAfter(request, result);
    return result instanceof Response ? result : settle(service, request, result);
  } catch (error) {
    service.current = undefined;
    if (isFollowed()) handlerAnswered(request);
    return isWebResponse(error) ? settle(service, request, error) : responseTo(service, request, error);
  }
}

/** Says that a handler has answered, whatever becomes of its promise: at once when it has returned none. */
function endAfter(request: Request, result: unknown): void {
  if (result instanceof Response) return handlerAnswered(request);
  const end = (): void => handlerAnswered(request);
  Promise.resolve(result).then(end, end);
}

async function settle(service: Answering, request: Request, result: unknown): Promise<Response> {
  try {
    return await responseOf(await result, request);
  } catch (error) {
    return isWebResponse(error) ? settle(service, request, error) : responseTo(service, request, error);
  }
}

/** A handler's result as a Response of ours. @throws TypeError (code `nothing-returned`) when it is none. */
export function responseOf(result: unknown, request: Request): Response | Promise<Response> {
  if (result instanceof Response) return result;
  if (isWebResponse(result)) return measuredWebResponse(result);
  const route = request.route === undefined ? '' : ` (the last route that matched is "${request.route}")`;
  const { what, advice } = insteadOf(result);
  throw withCode(
    new TypeError(
      `Cannot answer ${escaped(request.method)} ${escaped(request.path)}: the handler returned ${what}, not a Response${route}: ${advice}`,
    ),
    'nothing-returned',
  );
}

/** What was returned instead of a Response, and what to do about it. */
function insteadOf(result: unknown): { readonly what: string; readonly advice: string } {
  if (result === undefined) return { what: 'nothing', advice: 'look for a branch without return' };
  if (result === null) return { what: 'null', advice: 'write Response.empty(404) where there is nothing' };
  const wrapped = typeof result === 'string' ? 'Response.text(…) or Response.html(…)' : 'Response.json(…)';
  return { what: typeof result, advice: `wrap it in ${wrapped}` };
}

/**
 * The answer to what a handler threw: a Response, ours or a web-standard one, is the answer itself, as guards throw it; an HttpError is
 * meant for the client and answers for itself; anything else becomes a bare 500, and `onError` sees it once.
 */
export function responseTo(service: Home, request: Request, thrown: unknown): Response {
  if (thrown instanceof Response) return thrown;
  if (!isWebResponse(thrown)) return answerToError(service, request, thrown);
  try {
    return fromWebResponse(thrown);
  } catch (error) {
    return answerToError(service, request, error);
  }
}

function answerToError(service: Home, request: Request, error: unknown): Response {
  if (error instanceof HttpError) {
    if (error.status >= 500 && error.status !== 503) service.options.recorder?.failed(request, error);
    return refusalFor(service, request, error);
  }
  return reportError(service, request, error) ?? explanation(service, request, error) ?? refusalFor(service, request, error);
}

/** What the programmer is told. Undefined for everybody else, and for errors that are not the handler's, or already reported. */
function explanation(service: Home, request: Request, error: unknown): Response | undefined {
  if (error === REPORTED || isForNobody(request, error)) return undefined;
  try {
    return explanationFor(service, request, error);
  } catch {
    return undefined; // the option `errors` has failed: `refusalFor` asks it again, and reports that
  }
}

/** The server's own answer to an error, in the form that its option `errors` asks for; in text when that option fails. */
export function refusalFor(service: Home | undefined, request: Request, error: unknown): Response {
  const known = error instanceof HttpError ? error : new HttpError(500);
  try {
    return known.toResponse(formFor(request, service && errorFormatOf(service.options.errors, request)));
  } catch (failure) {
    if (service) reportError(service, request, failure);
    return known.response;
  }
}

/**
 * The answer to an error in sending a body, while nothing of it is out yet. An answer of `onError` whose body would itself have to be
 * opened is not used: it might fail as well.
 */
export function plainResponseTo(service: Home, request: Request, error: unknown): Response {
  const answer = answerToError(service, request, error);
  return answer.content === undefined || typeof answer.content === 'string' ? answer : refusalFor(service, request, undefined);
}

/** The answer to a request whose handler takes longer than `handlerTimeout`. */
export function tookTooLong(request: Request): Response {
  return refusalFor(request.peer.server, request, new HttpError(503, 'The request took too long', { code: 'handler-timeout' }));
}

/** The answer where an upgrade is offered that cannot be taken: the client learns which protocol to ask for (RFC 9110 §15.5.22). */
export function upgradeRequired(response: Response): Response {
  const protocol = response.header('upgrade') ?? '';
  return new Response(`This resource speaks ${protocol}`, { status: 426, headers: { Upgrade: protocol } });
}

/**
 * Whether something has failed only because the client has left, or has had its 503 at `handlerTimeout`, which the log tells: a call without `await`, or
 * whatever was given the signal of the request. Others may have wrapped it.
 */
function isForNobody(request: Request, error: unknown): boolean {
  const { abortReason } = request;
  let found = error;
  for (let depth = 0; depth < MAX_CAUSES && found instanceof Error; depth++) {
    if (found === abortReason) return true;
    if ('code' in found && found.code === ('blocking-aborted' satisfies ErrorCode)) return true;
    found = found.cause;
  }
  return false;
}

/** Calls `onError`, or prints. What `onError` throws is printed too: it must not end the process. */
export function reportError(service: Home, request: Request, error: unknown): Response | undefined {
  if (error === REPORTED || isForNobody(request, error)) return undefined;
  failed(request, error);
  const { onError, recorder } = service.options;
  recorder?.failed(request, error); // before it is told: so it has an id
  if (!onError) {
    printErrorOf(request, error);
    return undefined;
  }
  try {
    const answer = onError(error, request);
    return answer instanceof Response ? answer : undefined;
  } catch (second) {
    printErrorOf(request, error);
    printError('Cannot call onError', second);
    return undefined;
  }
}
