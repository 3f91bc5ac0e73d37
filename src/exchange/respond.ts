/**
 * From a Request to a Response, whatever the handler does: the part that HTTP/1.1 and HTTP/2 have in common.
 *
 * @module
 */

import { prefersJson } from '../http/accept.ts';
import type { Awaitable } from '../http/awaitable.ts';
import { withCode } from '../http/error-codes.ts';
import { HttpError } from '../http/http-error.ts';
import { ProtocolError } from '../http/protocol-error.ts';
import type { Request } from '../http/request.ts';
import { Response } from '../http/response.ts';
import { isFinalStatus } from '../http/status.ts';

/** What the user writes. A web-standard Response is accepted as a result as well. */
export type Handler = (request: Request) => Awaitable<Response | globalThis.Response>;

/** What answers requests: the service of a process, or a handler thread. */
export interface Answering {
  readonly handler: Handler;
  readonly options: { readonly onError: ((error: unknown, request: Request) => Response | void) | undefined };
  /** Requests handed to the handler. */
  requests: number;
  /** The request whose handler is being called. */
  current: Request | undefined;
}

/** Stands for an error that `onError` has seen already, in the thread where it was thrown. */
export const REPORTED: Error = new Error('The response has failed in its thread');

/**
 * Calls the handler. A handler that returns a Response is answered without a promise.
 *
 * @returns A Response, or a promise that never rejects.
 */
export function respond(service: Answering, request: Request): Response | Promise<Response> {
  service.requests++;
  service.current = request;
  try {
    const result: unknown = service.handler(request);
    service.current = undefined;
    return result instanceof Response ? result : settle(service, request, result);
  } catch (error) {
    return responseTo(service, request, error);
  }
}

async function settle(service: Answering, request: Request, result: unknown): Promise<Response> {
  try {
    return responseOf(await result, request);
  } catch (error) {
    return responseTo(service, request, error);
  }
}

/** A handler's result as a Response of ours. */
function responseOf(result: unknown, request: Request): Response {
  if (result instanceof Response) return result;
  if (result instanceof globalThis.Response) return fromWeb(result);
  const route = request.route === undefined ? '' : ` (the last route that matched is "${request.route}")`;
  const what = result === undefined ? 'nothing' : result === null ? 'null' : typeof result;
  throw withCode(
    new TypeError(`Cannot answer ${request.method} ${request.path}: the handler returned ${what}, not a Response${route}`),
    'nothing-returned',
  );
}

/** A web-standard Response as ours. Its body is streamed; its length is known when it says so. */
function fromWeb(web: globalThis.Response): Response {
  if (!isFinalStatus(web.status)) throw withCode(new TypeError('Cannot answer: the handler returned Response.error()'), 'bad-status');
  const headers = [...web.headers];
  if (web.body === null) return new Response(undefined, { status: web.status, headers });
  if (web.bodyUsed) throw new TypeError('Cannot answer: the body of the returned Response has been read');
  return new Response(web.body, { status: web.status, headers });
}

/**
 * The answer to an error: an HttpError is the client's affair and says its own; all else is ours, a bare 500, and `onError` sees it once.
 */
export function responseTo(service: Answering, request: Request, error: unknown): Response {
  if (error instanceof HttpError) return error.toResponse(prefersJson(request.header('accept')));
  return reportError(service, request, error) ?? new HttpError(500).toResponse(prefersJson(request.header('accept')));
}

/** The answer to a request that never reached a handler. */
export function refusalOf(service: Answering, request: Request, error: unknown): Response {
  if (!(error instanceof ProtocolError)) return responseTo(service, request, error); // an option's function threw
  if (error.cause !== undefined) reportError(service, request, error);
  const headers = error.status === 405 ? { Allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS' } : {};
  return new HttpError(error.status, error.message, { code: error.code, headers }).toResponse(prefersJson(request.header('accept')));
}

/** Tells `onError`, or prints. What `onError` throws is printed too: it must not cost the process. */
export function reportError(service: Answering, request: Request, error: unknown): Response | undefined {
  if (error === REPORTED) return undefined;
  const { onError } = service.options;
  if (!onError) {
    console.error(error);
    return undefined;
  }
  try {
    const answer = onError(error, request);
    return answer instanceof Response ? answer : undefined;
  } catch (second) {
    console.error(error);
    console.error(second);
    return undefined;
  }
}
