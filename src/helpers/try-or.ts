/**
 * Early returns for what may go wrong: the client's mistake becomes an answer, in one line and without a `try`.
 *
 * @module
 */
import { badOption, kindOf } from '../http/errors/bad-option.ts';
import type { ErrorCode } from '../http/errors/error-codes.ts';
import { HttpError, Response } from '../http/response.ts';
import { isRefusedPromise } from '../process/refused-promise.ts';

/**
 * Returns what `f` returns; anything it throws (or rejects with) becomes a 400.
 *
 * An HttpError or a Response that it throws stays what it is: a 413 does not turn into a 400. The cause is kept for logs and never sent.
 *
 * @param f A function that may fail through the client's fault.
 * @param message For the client: what is wrong, as in `day is not a date`. Default: `Bad Request`.
 * @throws HttpError 400, code `bad-request`.
 * @example
 * const when = tryOr400(() => Temporal.PlainDate.from(request.query.get('day') ?? ''), 'day is not a date');
 */
export function tryOr400<T>(f: () => T, message?: string): T {
  return attempt(f, 400, 'bad-request', message);
}

/**
 * Returns what `f` returns; undefined, null, or anything it throws (or rejects with) becomes a 404.
 *
 * @param f A function that may find nothing.
 * @param message For the client. Default: `Not Found`.
 * @throws HttpError 404, code `not-found`.
 * @example
 * const note = tryOr404(() => notes.get(id), 'There is no such note');
 */
export function tryOr404<T>(f: () => T, message?: string): NonNullable<T> {
  const found = attempt(f, 404, 'not-found', message);
  if (found instanceof Promise) return found.then((value: unknown) => present(value, message)) as unknown as NonNullable<T>;
  return present(found, message);
}

/**
 * Continues when `condition` holds; otherwise the client gets a 400.
 *
 * @param condition Anything falsy ends the request.
 * @param message For the client. Default: `Bad Request`.
 * @throws HttpError 400, code `bad-request`. TypeError (code `bad-option`) for a promise, which would always hold.
 * @example
 * assertOr400(page > 0, 'Pages are counted from 1');
 */
export function assertOr400(condition: unknown, message?: string): asserts condition {
  if (!condition) throw new HttpError(400, message, { code: 'bad-request' });
  if (isRefusedPromise(condition)) throw badOption('Cannot assert', 'the condition is a promise, which always holds: await it first');
}

function attempt<T>(f: () => T, status: number, code: ErrorCode, message: string | undefined): T {
  if (typeof f !== 'function') throw badOption('Cannot try', `what to try is ${kindOf(f)}, not a function: write () => …`);
  try {
    const result = f();
    if (result instanceof Promise) return result.catch((cause: unknown) => fail(cause, status, code, message)) as T;
    return result;
  } catch (cause) {
    return fail(cause, status, code, message);
  }
}

function fail(cause: unknown, status: number, code: ErrorCode, message: string | undefined): never {
  throw isAnswer(cause) ? cause : new HttpError(status, message, { code, cause });
}

function isAnswer(thrown: unknown): boolean {
  return thrown instanceof HttpError || thrown instanceof Response || thrown instanceof globalThis.Response;
}

function present<T>(value: T, message: string | undefined): NonNullable<T> {
  if (value === undefined || value === null) throw new HttpError(404, message, { code: 'not-found' });
  return value;
}
