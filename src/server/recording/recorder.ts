/**
 * Records the requests that go wrong, in the process that has received them.
 *
 * That is where head and body are, also when the handler thread of a request is stuck, or has died:
 *
 *     what goes wrong                        is seen by
 *     an error, in this thread               exchange/respond.ts
 *     an error, in a handler thread          word-of-failure.ts, which sends word before the answer
 *     an answer of 500 and more              `guard`, around the handler or the pool of threads
 *     no answer within handlerTimeout        `guard`; with threads the pool, which knows where they stand
 *     slower than slowRequest                `guard` and `tick`; with threads the pool
 *     a body that is refused                 refusals.ts
 *
 * Each request is recorded once for each of `error`, `slow` and `refused`.
 *
 * @module
 */
import type { Handler } from '../../exchange/respond.ts';
import { isWebResponse } from '../../exchange/web-response.ts';
import type { Awaitable } from '../../http/awaitable.ts';
import type { HeldBody } from '../../http/body/request-body.ts';
import type { RequestRecorder } from '../../http/request/peer.ts';
import type { Request } from '../../http/request.ts';
import type { Occasion } from '../../http/request-file/occasion.ts';
import { record } from '../../http/request-file/record.ts';
import { Response } from '../../http/response.ts';
import { idFor, idOf, setId } from '../../process/requests/ids.ts';
import { log } from '../operator-log.ts';
import type { ResolvedRecording } from './options.ts';

/** What is said of a request that has had its time. */
const TIMED_OUT = '503, no answer within handlerTimeout';

/** The options of a process that listens: with what the option `record` asks for. */
export function withRecorder<O extends { readonly record: ResolvedRecording | undefined; readonly slowRequest: number }>(
  options: O,
): O & { readonly recorder: Recorder | undefined } {
  return { ...options, recorder: options.record && new Recorder(options.record, options.slowRequest) };
}

/** Records requests, by the rules of their kind. */
export class Recorder implements RequestRecorder<Request> {
  readonly #rules: ResolvedRecording;
  readonly #seen: Readonly<Record<Occasion['kind'], WeakSet<Request>>> = {
    error: new WeakSet(),
    slow: new WeakSet(),
    refused: new WeakSet(),
    request: new WeakSet(),
  };
  /** Requests whose promise has not settled, oldest first, and since when, monotonic ms. */
  readonly #pending: Map<Request, number> = new Map();
  readonly #slowRequest: number;

  constructor(rules: ResolvedRecording, slowRequest: number) {
    this.#rules = rules;
    this.#slowRequest = rules.slow ? slowRequest : Number.POSITIVE_INFINITY;
  }

  /** Whether anything is kept of bodies that are passed on as they come. */
  get keepsBeginnings(): boolean {
    return this.#rules.error !== undefined || this.#rules.slow !== undefined;
  }

  failed(request: Request, why: unknown, id?: string): void {
    if (id !== undefined && idOf(request.original) === undefined) setId(request.original, id);
    this.#record('error', request, why);
  }

  timedOut(request: Request, place: () => Awaitable<string | undefined> = () => undefined): void {
    this.#record('error', request, async () => {
      const where = await place();
      return where === undefined ? TIMED_OUT : `${TIMED_OUT}; it stands ${where}`;
    });
  }

  slow(request: Request, why: string | (() => Promise<string>)): void {
    this.#record('slow', request, why);
  }

  /** A request whose body is refused. @param body What there is of it. */
  refused(request: Request, body: () => HeldBody, why: string): void {
    this.#record('refused', request, why, body);
  }

  /**
   * A handler that is seen from outside.
   *
   * @param isPool Whether it is a pool of threads, which tells by itself what takes too long.
   */
  guard(handler: Handler, isPool: boolean): Handler {
    return (request) => {
      const startedAt = performance.now();
      const answered = (answer: unknown): void => {
        if (!isPool) this.#ended(request, startedAt);
        if (!(answer instanceof Response) && !isWebResponse(answer)) return; // respond.ts sees it, if it was thrown
        if (answer.status >= 500 && answer.status !== 503) this.failed(request, `answered ${answer.status}`);
      };
      try {
        const result: unknown = handler(request);
        if (!(result instanceof Promise)) answered(result);
        else if (isPool) void result.then(answered);
        else return this.#watch(request, startedAt, result, answered) as ReturnType<Handler>;
        return result as ReturnType<Handler>;
      } catch (error) {
        answered(error);
        throw error;
      }
    };
  }

  /** Looks for requests that take long. */
  tick(now: number): void {
    for (const [request, startedAt] of this.#pending) {
      if (now - startedAt <= this.#slowRequest) return; // so are those that have come later
      this.#pending.delete(request);
      this.slow(request, told(now - startedAt, 'its promise has not settled'));
    }
  }

  #watch(request: Request, startedAt: number, result: Promise<unknown>, answered: (answer: unknown) => void): Promise<unknown> {
    if (this.#slowRequest < Number.POSITIVE_INFINITY) this.#pending.set(request, startedAt);
    request.whenAborted((reason) => {
      if (reason.name === 'TimeoutError') this.timedOut(request);
    });
    return result.then(
      (answer) => {
        answered(answer);
        return answer;
      },
      (error: unknown) => {
        answered(error);
        throw error;
      },
    );
  }

  #ended(request: Request, startedAt: number): void {
    this.#pending.delete(request);
    const ms = performance.now() - startedAt;
    if (ms > this.#slowRequest) this.slow(request, told(ms, 'it has been answered since'));
  }

  #record(kind: Occasion['kind'], request: Request, why: unknown, given?: () => HeldBody): void {
    const rules = this.#rules[kind];
    const { original } = request;
    if (!rules || this.#seen[kind].has(original)) return;
    this.#seen[kind].add(original);
    const bodyNow = given ?? ((): HeldBody | undefined => original.body.held(rules.maxFileSize));
    const occasion = { kind, at: new Date(), id: idFor(original), why };
    void record(original, rules, occasion, bodyNow, (trouble, code) => log('not-recorded', trouble, { code }));
  }
}

function told(ms: number, what: string): string {
  return `slow, ${Math.round(ms)} ms; ${what}`;
}
