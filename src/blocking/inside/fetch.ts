/**
 * `createFetch` in its I/O thread: undici, with one pool of connections for all threads of the process.
 *
 * @module
 */
import { isAscii } from 'node:buffer';
import { hasSubscribers } from 'node:diagnostics_channel';
import type * as undici from 'undici';
import type { Dispatcher } from 'undici';
import { current, HEAD } from '../marks.ts';
import { type CheckedInit, type FetchSettings, fetchText } from '../wire.ts';

/** A body up to this comes with its head, in one message; of a larger one no more than this is kept for its reader. */
const AT_ONCE = 64 * 1024;

/** Makes the module. */
export async function loadFetch(url: string): Promise<Record<string, unknown>> {
  const settings = JSON.parse(decodeURIComponent(url.slice(url.indexOf('?') + 1))) as FetchSettings;
  const { Agent } = (await import(settings.undici)) as typeof undici;
  const { connections, timeout, maxSize } = settings;
  const agent = new Agent({
    connections,
    connect: { timeout },
    headersTimeout: timeout,
    bodyTimeout: timeout,
    maxResponseSize: maxSize === 0 ? -1 : maxSize,
  });
  const get = (origin: string, path: string, init: CheckedInit = {}): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const { method = 'GET', headers = {}, body = null } = init;
      const answer = new Answer(resolve, reject);
      if (current.call) current.call.onAbort = (reason) => answer.abort(reason);
      agent.dispatch({ origin, path, method, headers: withFields(headers), body }, answer);
    });
  return { get, close: () => agent.close() };
}

/** The fields that go out, with those that go along with the call. An instrumentation of undici in this thread adds its own instead. */
function withFields(headers: NonNullable<CheckedInit['headers']>): string[] | Readonly<Record<string, string>> {
  const fields = current.call?.fields;
  if (!fields?.length || hasSubscribers('undici:request:create')) return isPairs(headers) ? headers.flat() : headers;
  const pairs = isPairs(headers) ? headers : Object.entries(headers);
  const added = new Set(fields.map(([name]) => name.toLowerCase()));
  return [...pairs.filter(([name]) => !added.has(name.toLowerCase())), ...fields].flat();
}

function isPairs(headers: NonNullable<CheckedInit['headers']>): headers is readonly (readonly [string, string])[] {
  return Array.isArray(headers);
}

/** Collects an answer; a large one becomes a stream, which is read on as its reader takes it. */
class Answer implements Dispatcher.DispatchHandler, AsyncIterableIterator<Uint8Array> {
  readonly #resolve: (answer: unknown) => void;
  readonly #reject: (error: Error) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #fields = '';
  readonly #pieces: Buffer[] = [];
  #size = 0;
  #isStream = false;
  #isOver = false;
  #failure: Error | undefined;
  #abortedBy: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(resolve: (answer: unknown) => void, reject: (error: Error) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#abortedBy) controller.abort(this.#abortedBy);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: Record<string, string | string[] | undefined>): void {
    if (status < 200) return; // an interim response (RFC 9110 §15.2)
    this.#status = status;
    const raw = controller.rawHeaders as readonly (Buffer | string)[] | null | undefined;
    const fields = raw
      ? raw.map((part) => part.toString('latin1'))
      : Object.entries(headers).flatMap(([name, value]) => [name, String(value)]);
    this.#fields = fields.join('\n');
  }

  onResponseData(controller: Dispatcher.DispatchController, piece: Buffer): void {
    this.#pieces.push(piece);
    this.#size += piece.length;
    if (this.#size > AT_ONCE) controller.pause();
    if (this.#size > AT_ONCE && !this.#isStream) {
      this.#isStream = true;
      this.#resolve(Object.assign(this, { [HEAD]: fetchText(this.#status, this.#fields, '', false) }));
    }
    this.#wake?.();
  }

  onResponseEnd(): void {
    this.#isOver = true;
    if (this.#isStream) return this.#wake?.();
    const [first] = this.#pieces;
    const body = this.#pieces.length === 1 && first ? first : Buffer.concat(this.#pieces);
    this.#resolve(fetchText(this.#status, this.#fields, body.toString('latin1'), isAscii(body)));
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#isOver = true;
    this.#failure = error;
    this.#reject(error);
    this.#wake?.();
  }

  abort(reason: Error): void {
    this.#abortedBy = reason;
    this.#controller?.abort(reason);
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    while (this.#pieces.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const value = this.#pieces.shift();
    if (value) {
      this.#size -= value.length;
      if (this.#size <= AT_ONCE) this.#controller?.resume();
      return { done: false, value };
    }
    if (this.#failure) throw this.#failure;
    return { done: true, value: undefined };
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    if (!this.#isOver) this.abort(new Error('Nobody reads on'));
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
