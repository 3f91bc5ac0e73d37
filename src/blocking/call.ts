/**
 * A call from one thread into an I/O thread: sends it, waits, and gives back what a promise has come to there.
 *
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { calling, followRequests, type IoLinks, ownBoard, whenAnswered } from '../process/io-threads.ts';
import { isRefusedPromise } from '../process/refused-promise.ts';
import type { RecallReason } from '../process/wait-board.ts';
import { beginCall, type CallMessage, callChannel, endCall, fieldsWith, traceCall } from '../process/watching/call-channel.ts';
import { callError, errorOfWire } from './errors.ts';
import { type Above, type Ask, handleOf, Items } from './held.ts';
import { keeperOf } from './keeper.ts';
import { Link, type Target } from './link.ts';
import type { Patience } from './patience.ts';
import { type CallFields, type FromIo, type LinkNews, type ToIo, transferOf } from './wire.ts';

const REASONS: Readonly<Record<RecallReason, string>> = {
  'client-gone': 'the client has left',
  'time-is-up': 'the time of its request is up',
};

/** What the main thread has given this thread, when it is a handler thread. */
const inherited = (workerData as { readonly filrougeIo?: IoLinks } | null)?.filrougeIo;
const board = ownBoard(inherited?.board);
followRequests(new AsyncLocalStorage());

/** A call that has been sent. */
interface Pending {
  readonly link: Link;
  readonly id: number;
  readonly name: string;
  /** Of the board, before the call was sent. */
  readonly signal: number;
  readonly sentAt: number;
  readonly timeout: number;
  readonly above: Above;
  readonly way: Way;
  readonly take: ((result: unknown) => unknown) | undefined;
  readonly patience: Patience | undefined;
  /** When it is watched, and one of several. */
  message?: CallMessage;
}

/** What stands for the result of a call within `blocking.all`. */
const LATER: unknown = new Proxy(Object.freeze({}), {
  get: () => {
    throw callError('blocking-misused', 'Cannot use the result of a call within blocking.all: return it as it is', refuse);
  },
});
function refuse(): void {}

let gathered: Pending[] | undefined;

/** The way from this thread to an I/O thread, however often that is replaced. */
export class Way {
  /** Milliseconds; 0: no bound. */
  readonly timeout: number;
  readonly #key: string;
  readonly #control: MessagePort | undefined;
  #link: Link | undefined;
  #why = 'it has not been started';

  constructor(key: string, url: string, label: string, timeout: number) {
    this.timeout = timeout;
    this.#key = key;
    this.#control = inherited?.ports[key] as MessagePort | undefined;
    if (!this.#control) keeperOf(key).add(url, label);
  }

  /**
   * Calls a function, and waits for the answer. Within `blocking.all` it only sends.
   *
   * @param name As operators read it.
   * @param take Makes what the caller gets of what comes.
   * @param fields What those who watch have added.
   */
  call(
    target: Target,
    name: string,
    above: Above,
    args: readonly unknown[],
    take?: (result: unknown) => unknown,
    fields?: CallFields,
  ): unknown {
    const { signal } = board; // first: whatever happens from here on wakes the wait
    const link = this.#current(above);
    const id = link.expect(gathered !== undefined);
    try {
      link.call(id, target, args, fields);
    } catch (error) {
      link.abort(id, 'it could not be sent');
      throw error;
    }
    const { patience } = target;
    return waitFor({ link, id, name, signal, sentAt: performance.now(), timeout: this.timeout, above, way: this, take, patience });
  }

  /** Asks something that the I/O thread holds. @param name As operators read it. */
  ask(link: Link, name: string, above: Above, make: (id: number) => ToIo, args: readonly unknown[] = []): unknown {
    const { signal } = board;
    const id = link.expect(gathered !== undefined);
    try {
      link.send(make(id), transferOf(args));
    } catch (error) {
      link.abort(id, 'it could not be sent');
      throw error;
    }
    const sentAt = performance.now();
    return waitFor({ link, id, name, signal, sentAt, timeout: this.timeout, above, way: this, take: undefined, patience: undefined });
  }

  /** Tells the I/O thread that something it holds is not used any more. */
  drop(link: Link, held: number): void {
    if (!link.isOver) link.send(['drop', held]);
  }

  #current(above: Above): Link {
    if (!this.#control) return keeperOf(this.#key).link();
    if (!this.#link || this.#link.isOver) this.#hear(this.#control);
    if (this.#link && !this.#link.isOver) return this.#link;
    const until = performance.now() + (this.timeout || Number.POSITIVE_INFINITY);
    while (this.#link?.isOver) {
      // it has died just now: the main thread sends the way to the next one
      const { signal } = board;
      this.#hear(this.#control);
      if (this.#link?.isOver) board.wait(signal, until - performance.now());
      if (performance.now() >= until) break;
    }
    if (this.#link && !this.#link.isOver) return this.#link;
    throw callError('blocking-not-loaded', `Cannot call an I/O thread: ${this.#why}`, above);
  }

  /** Takes what the main thread has said since the last time. */
  #hear(control: MessagePort): void {
    for (let found = receiveMessageOnPort(control); found; found = receiveMessageOnPort(control)) {
      const news = found.message as LinkNews;
      this.#link?.close();
      this.#link = undefined;
      if ('why' in news) this.#why = news.why;
      else this.#link = new Link(news);
    }
  }
}

/** What those who watch are told of a call; undefined when nobody does. */
export function messageFor(about: Pick<CallMessage, 'kind' | 'name' | 'method' | 'url'>): CallMessage | undefined {
  return callChannel.hasSubscribers ? { ...about, request: calling().request, fields: [] } : undefined;
}

/** Makes a call that somebody watches: of one among several, the end is told when it is waited for. */
export function watched(message: CallMessage, call: () => unknown): unknown {
  if (!gathered) return traceCall(message, call);
  const result = beginCall(message, call);
  const pending = gathered.at(-1);
  if (result === LATER && pending) pending.message = message;
  return result;
}

/** Makes several calls at the same time, and waits until all have answered. The first error is thrown. */
export function all(begins: readonly (() => unknown)[], above: Above): unknown[] {
  const calls = beginAll(begins, above);
  try {
    return calls.map(settleTold);
  } catch (error) {
    giveUp(calls, 'another call has failed');
    throw error;
  }
}

/** The same, with each error in its place. */
export function allSettled(begins: readonly (() => unknown)[], above: Above): PromiseSettledResult<unknown>[] {
  return beginAll(begins, above).map((pending) => {
    try {
      return { status: 'fulfilled', value: settleTold(pending) };
    } catch (reason) {
      return { status: 'rejected', reason };
    }
  });
}

function beginAll(begins: readonly (() => unknown)[], above: Above): Pending[] {
  if (gathered) throw callError('blocking-misused', 'Cannot call blocking.all within blocking.all', above);
  if (!Array.isArray(begins)) throw notTogether('what to call is not a list of functions: write [() => …, () => …]', above);
  const calls: Pending[] = [];
  gathered = calls;
  try {
    begins.forEach((begin, i) => {
      const why = beginOne(begin, i, calls);
      if (why !== undefined) throw notTogether(why, above);
    });
  } catch (error) {
    giveUp(calls, 'another call could not be made');
    throw error;
  } finally {
    gathered = undefined;
  }
  return calls;
}

/** Begins one of several calls. @returns What is wrong with it, when something is. */
function beginOne(begin: unknown, i: number, calls: readonly Pending[]): string | undefined {
  if (typeof begin !== 'function') {
    return `call ${i} is ${isRefusedPromise(begin) ? 'a promise' : typeof begin}, not a function: write () => … around it`;
  }
  const result: unknown = (begin as () => unknown)();
  if (isRefusedPromise(result)) return `function ${i} returned a promise: leave out async, and return the result of its call as it is`;
  return result === LATER && calls.length === i + 1 ? undefined : `function ${i} does not make one call and return its result`;
}

function notTogether(why: string, above: Above): Error {
  return callError('blocking-misused', `Cannot call together: ${why}`, above);
}

function giveUp(calls: readonly Pending[], reason: string): void {
  for (const { link, id, message, name } of calls) {
    link.abort(id, reason);
    if (message) endCall(message, { error: new Error(`Cannot finish ${name}: ${reason}`) });
  }
}

/** Waits for one of several calls. */
function settleTold(pending: Pending): unknown {
  const { message } = pending;
  if (!message) return settle(pending);
  delete pending.message; // told once
  try {
    const result = settle(pending);
    endCall(message, { result });
    return result;
  } catch (error) {
    endCall(message, { error });
    throw error;
  }
}

function waitFor(pending: Pending): unknown {
  if (!gathered) return settle(pending);
  gathered.push(pending);
  return LATER;
}

/** Waits for the answer to a call. */
function settle(pending: Pending): unknown {
  const { link, id, name, above, timeout, sentAt } = pending;
  const request = calling();
  let { signal } = pending;
  let left = timeout || Number.POSITIVE_INFINITY; // at first about: clocks are not free
  board.enter(name);
  try {
    for (;;) {
      const reason = request.id === -1 ? undefined : board.recalled(request.id);
      if (reason) {
        link.abort(id, REASONS[reason]);
        throw callError('blocking-aborted', `Cannot finish ${name}: ${REASONS[reason]}`, above);
      }
      if (!pending.patience?.look(board, signal, link.life)) board.wait(signal, left);
      ({ signal } = board);
      const { isOver } = link; // before one looks for the answer: it may have come just before the end
      const answer = link.take(id);
      if (answer) {
        const result = resultOf(answer, pending, request.request);
        return pending.take ? pending.take(result) : result;
      }
      if (isOver) throw callError('blocking-thread-died', `Cannot finish ${name}: its I/O thread has died`, above);
      if (timeout > 0) left = sentAt + timeout - performance.now();
      if (left <= 0) {
        link.abort(id, `it took longer than ${timeout} ms`);
        throw callError('blocking-timeout', `Cannot finish ${name}: it took longer than ${timeout} ms`, above);
      }
    }
  } finally {
    board.leave(sentAt);
  }
}

function resultOf(answer: FromIo, { link, name, above, way }: Pending, request: ReturnType<typeof calling>['request']): unknown {
  switch (answer[0]) {
    case 'value':
      return answer[2];
    case 'error':
      throw errorOfWire(answer[2], above, `in the I/O thread, called as ${name}:`);
    case 'done':
      return Items.END;
    default: {
      const held = answer[2];
      const drop = (): void => way.drop(link, held);
      const isStream = answer[0] === 'stream'; // a response may send it
      if (request && isStream) request.onEnd(drop);
      else if (request) whenAnswered(request, drop);
      const ask: Ask = (what, caller, make, args) => {
        if (link.isOver) throw callError('blocking-thread-died', `Cannot call ${name}.${what}: its I/O thread has died`, caller);
        if (what === '') return way.ask(link, name, caller, make, args); // an item: a part of the call that has given the stream
        const shown = `${name}.${what}`;
        const message = messageFor({ kind: 'blocking', name: shown });
        if (!message) return way.ask(link, shown, caller, make, args);
        return watched(message, () => way.ask(link, shown, caller, (id) => withFields(make(id), fieldsWith(message)), args));
      };
      if (answer[0] === 'handle') return handleOf(held, drop, ask);
      const items = new Items(held, drop, ask);
      return answer[3] === undefined ? items : Object.assign(items, { head: answer[3] });
    }
  }
}

/** A call of a method with what goes along. */
function withFields(message: ToIo, fields: CallFields): ToIo {
  return message[0] === 'method' && fields.length > 0 ? [message[0], message[1], message[2], message[3], message[4], fields] : message;
}
