/**
 * One thread that calls, as the I/O thread sees it: its calls under way, and what it holds here.
 *
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type MessagePort, receiveMessageOnPort, type Transferable } from 'node:worker_threads';
import { WaitBoard } from '../../process/wait-board.ts';
import { type CallMessage, callChannel, traceCall } from '../../process/watching/call-channel.ts';
import { errorToWire } from '../errors.ts';
import type { LifeCells } from '../life.ts';
import { Mailbox } from '../mailbox.ts';
import { type CurrentCall, current, HEAD, RELEASE } from '../marks.ts';
import { type CallFields, type FromIo, handedOver, ownedBytes, RING, type ToIo, type ToIoThread } from '../wire.ts';
import type { Turn } from './turn.ts';

/** A call under way. Most calls never look at their signal, so it is made on demand. */
class Call implements CurrentCall {
  #controller: AbortController | undefined;
  #reason: string | undefined;
  onAbort: CurrentCall['onAbort'];
  readonly fields: CallFields;
  /** The context in which it runs, when somebody watches: what it gives to be read is read there as well. */
  inContext: InContext = inThisOne;

  constructor(fields: CallFields) {
    this.fields = fields;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason !== undefined) this.#controller.abort(reasonOf(this.#reason));
    return this.#controller.signal;
  }

  get isAborted(): boolean {
    return this.#reason !== undefined;
  }

  abort(reason: string): void {
    this.#reason = reason;
    this.#controller?.abort(reasonOf(reason));
    this.onAbort?.(reasonOf(reason));
  }
}

function reasonOf(reason: string): DOMException {
  return new DOMException(`The call has ended: ${reason}`, 'AbortError');
}

type Loaded = Record<string, unknown>;
type InContext = <T>(call: () => T) => T;

const NO_FIELDS: CallFields = [];

/** What a caller holds: a handle, or a stream that it has begun to read. */
interface Held {
  readonly target: object;
  readonly items: AsyncIterator<unknown> | undefined;
  readonly inContext: InContext;
  release(): unknown;
}

/** A function by its number in calls. */
interface Numbered {
  readonly url: string;
  readonly name: string;
}

/** What callers need of the thread. */
export interface IoPlace {
  /** A module by its URL: at once when it is there. */
  moduleOf(url: string): Promise<Loaded> | Loaded;
  readonly turn: Turn;
}

/** A thread that calls. */
export class Caller {
  readonly #port: MessagePort;
  readonly #board: WaitBoard;
  readonly #mailbox: Mailbox;
  readonly #place: IoPlace;
  readonly #calls: Map<number, Call> = new Map();
  readonly #held: Map<number, Held> = new Map();
  readonly #functions: Numbered[] = [];
  /** Messages, without rings. */
  #received = 0;
  #lastHeld = 0;

  constructor([, port, board, mailbox]: Extract<ToIoThread, readonly ['link', ...unknown[]]>, place: IoPlace) {
    this.#port = port;
    this.#board = new WaitBoard(board);
    this.#mailbox = new Mailbox(mailbox);
    this.#place = place;
    port.on('message', (message: ToIo | typeof RING) => {
      if (message === RING) return place.turn.look();
      if (this.#mailbox.before === this.#received) this.#take(this.#mailbox.takeCall()); // it was there first
      this.#receive(message);
    });
  }

  /** Takes the call in its mailbox, behind the messages that were sent before it. @returns Whether there was one. */
  look(): boolean {
    const { before } = this.#mailbox;
    if (before === -1) return false;
    while (this.#received !== before) {
      const found = receiveMessageOnPort(this.#port);
      if (!found) return false;
      const message = found.message as ToIo | typeof RING;
      if (message !== RING) this.#receive(message);
    }
    this.#take(this.#mailbox.takeCall());
    return true;
  }

  /** Something has happened that it must look at. */
  wake(): void {
    this.#board.wake();
  }

  /** Nobody calls any more. */
  unref(): void {
    this.#port.unref();
  }

  /** It is gone: so is all that it holds here. */
  end(life: LifeCells): void {
    life.endLook(this.#mailbox.owner);
    for (const [id, call] of this.#calls) {
      this.#finish(id);
      call.abort('its thread is gone');
    }
    for (const held of this.#held.keys()) this.#drop(held);
  }

  #receive(message: ToIo): void {
    this.#received = (this.#received + 1) & 0x3fffffff;
    this.#take(message);
  }

  #take(message: ToIo): void {
    switch (message[0]) {
      case 'call': {
        const [, id, number, args, fields = NO_FIELDS] = message;
        const { url, name } = this.#functions[number] as Numbered; // its caller has named it before
        const module = this.#place.moduleOf(url);
        const call = new Call(fields);
        if (!(module instanceof Promise)) return this.#run(id, call, () => watchedCallIn(module, name, args, call));
        return this.#run(id, call, () => module.then((found) => begun(call, () => watchedCallIn(found, name, args, call))));
      }
      case 'function':
        this.#functions[message[1]] = { url: message[2], name: message[3] };
        return;
      case 'method': {
        const [, id, held, name, args, fields = NO_FIELDS] = message;
        const call = new Call(fields);
        return this.#run(id, call, () => watchedCallIn(this.#heldBy(held).target as Loaded, name, args, call));
      }
      case 'next':
        return this.#next(message[1], message[2]);
      case 'abort':
        this.#finish(message[1])?.abort(message[2]);
        return;
      default:
        return this.#drop(message[1]);
    }
  }

  #run(id: number, call: Call, begin: () => unknown): void {
    let result: unknown;
    try {
      result = begun(call, begin);
    } catch (error) {
      return this.#send(id, ['error', id, errorToWire(error)]);
    }
    if (!isThenable(result)) return this.#answer(id, call, result);
    this.#begin(id, call);
    result.then(
      (value) => this.#answer(id, call, value),
      (error: unknown) => this.#fail(id, error),
    );
  }

  #answer(id: number, call: Call, value: unknown): void {
    const held = heldOf(value, call.inContext);
    if (call.isAborted) return held && quietly(() => held.release()); // nobody knows of it
    if (held) {
      const number = ++this.#lastHeld;
      this.#held.set(number, held);
      return this.#send(id, held.items ? ['stream', id, number, (value as { [HEAD]?: unknown })[HEAD]] : ['handle', id, number]);
    }
    const bytes = ownedBytes(value);
    if (bytes) return this.#send(id, ['value', id, bytes], handedOver(bytes));
    if (!this.#mailbox.answer(id, value)) return this.#send(id, ['value', id, value]);
    this.#finish(id);
    this.#place.turn.answered(this);
  }

  #fail(id: number, error: unknown): void {
    if (this.#calls.has(id)) this.#send(id, ['error', id, errorToWire(error)]);
  }

  #send(id: number, message: FromIo, transfer?: readonly Transferable[]): void {
    this.#finish(id);
    try {
      this.#port.postMessage(message, transfer);
    } catch (error) {
      const refusal: FromIo = ['error', id, errorToWire(error)]; // what it returned cannot be cloned
      this.#port.postMessage(refusal, []);
    }
    this.#place.turn.answered(this);
  }

  /** A call is under way. */
  #begin(id: number, call: Call): void {
    this.#calls.set(id, call);
    this.#place.turn.begun();
  }

  /** It is not, or never was. */
  #finish(id: number): Call | undefined {
    const call = this.#calls.get(id);
    if (!call) return undefined;
    this.#calls.delete(id);
    this.#place.turn.ended();
    return call;
  }

  #next(id: number, number: number): void {
    const held = this.#held.get(number);
    if (!held?.items) return this.#send(id, ['done', id]);
    const { items, inContext } = held;
    const call = new Call(NO_FIELDS);
    call.inContext = inContext;
    this.#begin(id, call);
    const step = begun(call, () => inContext(() => items.next()));
    step.then(
      ({ done, value }) => {
        if (call.isAborted) return;
        if (!done) return this.#answer(id, call, value);
        this.#held.delete(number);
        this.#send(id, ['done', id]);
      },
      (error: unknown) => {
        this.#held.delete(number);
        this.#fail(id, error);
      },
    );
  }

  #heldBy(number: number): Held {
    const held = this.#held.get(number);
    if (held) return held;
    throw Object.assign(new Error('Cannot call a handle that has been released'), { code: 'blocking-misused' });
  }

  #drop(number: number): void {
    const held = this.#held.get(number);
    this.#held.delete(number);
    if (held) quietly(() => held.release());
  }
}

/** Begins a call: what it calls finds it in `current`. */
function begun<T>(call: Call, begin: () => T): T {
  current.call = call;
  try {
    return begin();
  } finally {
    current.call = undefined;
  }
}

/** Calls a function of a module, and tells those who watch it here. */
function watchedCallIn(module: Loaded, name: string, args: readonly unknown[], call: Call): unknown {
  if (!callChannel.hasSubscribers) return callIn(module, name, args);
  const message: CallMessage = { kind: 'called', name, request: undefined, fields: call.fields.map(([field, value]) => [field, value]) };
  return traceCall(message, () => {
    call.inContext = AsyncLocalStorage.snapshot();
    return callIn(module, name, args);
  });
}

function inThisOne<T>(call: () => T): T {
  return call();
}

function callIn(target: Loaded, name: string, args: readonly unknown[]): unknown {
  const called = target[name];
  if (typeof called === 'function') return Reflect.apply(called as (...args: unknown[]) => unknown, target, args);
  throw Object.assign(new TypeError(`Cannot call "${name}": there is no function of that name`), { code: 'blocking-misused' });
}

/** What stays here of a result, and is used by calls: a handle or a stream. */
function heldOf(value: unknown, inContext: InContext): Held | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { [RELEASE]: release } = value as { [RELEASE]?: () => unknown };
  if (release) return { target: value, items: undefined, inContext, release };
  if (!(Symbol.asyncIterator in value)) return undefined;
  const items = (value as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  return {
    target: value,
    items,
    inContext,
    release() {
      (value as { destroy?(): void }).destroy?.(); // a stream of Node that nobody has read
      return items.return?.();
    },
  };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** Releases something that nobody waits for; its errors are printed. */
function quietly(release: () => unknown): void {
  const print = (error: unknown): void => console.error('filrouge: what a call has left behind could not be released:', error);
  try {
    const result = release();
    if (isThenable(result)) result.then(undefined, print);
  } catch (error) {
    print(error);
  }
}
