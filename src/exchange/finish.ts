/**
 * The way out: whatever becomes of a request, an answer or an error, its response goes through the same functions.
 *
 * @module
 */
import { badOption, kindOf } from '../http/errors/bad-option.ts';
import { withCode } from '../http/errors/error-codes.ts';
import type { Request } from '../http/request.ts';
import { HttpError, Response } from '../http/response.ts';
import { isRefusedPromise } from '../process/refused-promise.ts';
import { type Handler, responseOf, responseTo } from './respond.ts';
import { fromWebResponse, isWebResponse } from './web-response.ts';

const SUBJECT = 'Cannot finish response';

/** Makes of a response the one that is sent: `logAccess` is one, and so is any arrow function around a helper with options. */
export type Finisher = (request: Request, response: Response) => Response;

/**
 * Calls `answer` and passes its response through finishers, in their order: also the response of an error.
 *
 * What `answer` throws, or rejects with, becomes the response that the server would have sent for it: an HttpError its own, a thrown Response
 * that one, anything else a bare 500 or what `onError` gives, which is called once. A web-standard Response is converted.
 *
 * A request made by hand, as in tests, has no server, and no `onError`: what would have been a 500 is thrown, so that the test sees it.
 *
 * @param request The request to answer.
 * @param answer Called with it.
 * @param finishers Each gets the response of the one before, and returns another or the same. What a finisher throws is for the server to
 *   answer; those behind it are not called.
 * @returns The finished response; a promise of it when `answer` returns a promise, or a web-standard Response, whose body is looked at.
 * @throws TypeError (code `nothing-returned`) for a finisher that returns no Response; (code `bad-option`) when `answer` or a finisher is no function.
 * @example
 * startServer((request) => finish(request, answer, secureHeaders, compress, logAccess));
 */
export function finish(request: Request, answer: (request: Request) => Response, ...finishers: readonly Finisher[]): Response;
export function finish(
  request: Request,
  answer: (request: Request) => Promise<Response | globalThis.Response> | globalThis.Response,
  ...finishers: readonly Finisher[]
): Promise<Response>;
export function finish(request: Request, answer: Handler, ...finishers: readonly Finisher[]): Response | Promise<Response>;
export function finish(
  request: Request,
  answer: (request: Request) => unknown,
  ...finishers: readonly Finisher[]
): Response | Promise<Response> {
  if (typeof answer !== 'function') {
    if (answer === undefined) throw badOption(SUBJECT, 'the answer is missing');
    const what = isRefusedPromise(answer) ? 'a promise' : 'no function';
    throw badOption(SUBJECT, `the answer is ${what}: give answer itself, not what it returns`);
  }
  const response = answered(request, answer);
  return response instanceof Response ? finished(request, response, finishers) : finishLater(request, response, finishers);
}

/** What becomes of a request. @returns A Response when `answer` returns one or throws. */
function answered(request: Request, answer: (request: Request) => unknown): Response | Promise<Response> {
  try {
    const result = answer(request);
    return result instanceof Response ? result : settled(request, result);
  } catch (error) {
    return recovered(request, error);
  }
}

async function settled(request: Request, result: unknown): Promise<Response> {
  try {
    return await responseOf(await result, request);
  } catch (error) {
    return recovered(request, error);
  }
}

/** What the server of a request answers to what was thrown. */
function recovered({ original, peer }: Request, thrown: unknown): Response {
  if (peer.server) return responseTo(peer.server, original, thrown);
  if (thrown instanceof HttpError) return Response.fromError(thrown, original);
  if (thrown instanceof Response) return thrown;
  if (isWebResponse(thrown)) return fromWebResponse(thrown);
  throw thrown;
}

async function finishLater(request: Request, response: Promise<Response>, finishers: readonly Finisher[]): Promise<Response> {
  return finished(request, await response, finishers);
}

function finished(request: Request, response: Response, finishers: readonly Finisher[]): Response {
  let last = response;
  try {
    for (const finisher of finishers) {
      if (typeof finisher !== 'function') {
        throw badOption(SUBJECT, `a finisher is ${kindOf(finisher)}, not a function: write one with options as (request, response) => …`);
      }
      const next: unknown = finisher(request, last);
      if (!(next instanceof Response)) throw notFinished(finisher, next);
      last = next;
    }
    return last;
  } catch (error) {
    last.dispose(); // it will not be sent
    throw error;
  }
}

function notFinished({ name }: Finisher, result: unknown): Error {
  const what = result === undefined ? 'nothing' : kindOf(result);
  const advice = result instanceof Promise ? ': a finisher cannot be async, await in the answer' : '';
  return withCode(
    new TypeError(`${SUBJECT}: the finisher${name === '' ? '' : ` "${name}"`} returned ${what}, not a Response${advice}`),
    'nothing-returned',
  );
}
