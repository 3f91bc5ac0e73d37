/**
 * One thread that calls, as the I/O thread sees it: its calls under way, and what it holds here.
 *
 * @module
 */
import type { MessagePort, Transferable } from 'node:worker_threads';
import { WaitBoard } from '../../process/wait-board.ts';
import { errorToWire } from '../errors.ts';
import { type CurrentCall, current, HEAD, RELEASE } from '../marks.ts';
import { type FromIo, handedOver, ownedBytes, type ToIo } from '../wire.ts';

/** A call under way. Most calls never look at their signal, so it is made on demand. */
class Call implements CurrentCall {
  #controller: AbortController | undefined;
  #reason: string | undefined;
  onAbort: CurrentCall['onAbort'];

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

/** What a caller holds: a handle, or a stream that it has begun to read. */
interface Held {
  readonly target: object;
  readonly items: AsyncIterator<unknown> | undefined;
  release(): unknown;
}

/** A thread that calls. */
export class Caller {
  readonly #port: MessagePort;
  readonly #board: WaitBoard;
  readonly #moduleOf: (url: string) => Promise<Loaded> | Loaded;
  readonly #calls: Map<number, Call> = new Map();
  readonly #held: Map<number, Held> = new Map();
  /** URLs by their number in calls. */
  readonly #modules: string[] = [];
  #lastHeld = 0;

  constructor(port: MessagePort, board: SharedArrayBuffer, moduleOf: (url: string) => Promise<Loaded> | Loaded) {
    this.#port = port;
    this.#board = new WaitBoard(board);
    this.#moduleOf = moduleOf;
    port.on('message', (message: ToIo) => this.#take(message));
  }

  /** Something has happened that it must look at. */
  wake(): void {
    this.#board.wake();
  }

  /** It is gone: so is all that it holds here. */
  end(): void {
    for (const call of this.#calls.values()) call.abort('its thread is gone');
    this.#calls.clear();
    for (const held of this.#held.keys()) this.#drop(held);
  }

  #take(message: ToIo): void {
    switch (message[0]) {
      case 'call': {
        const [, id, number, name, args] = message;
        const module = this.#moduleOf(this.#modules[number] ?? '');
        if (!(module instanceof Promise)) return this.#run(id, () => callIn(module, name, args));
        return this.#run(id, () => module.then((found) => callIn(found, name, args)));
      }
      case 'module':
        this.#modules[message[1]] = message[2];
        return;
      case 'method': {
        const [, id, held, name, args] = message;
        return this.#run(id, () => callIn(this.#heldBy(held).target as Loaded, name, args));
      }
      case 'next':
        return this.#next(message[1], message[2]);
      case 'abort':
        this.#calls.get(message[1])?.abort(message[2]);
        this.#calls.delete(message[1]);
        return;
      default:
        return this.#drop(message[1]);
    }
  }

  #run(id: number, begin: () => unknown): void {
    const call = new Call();
    let result: unknown;
    current.call = call;
    try {
      result = begin();
    } catch (error) {
      return this.#send(id, ['error', id, errorToWire(error)]);
    } finally {
      current.call = undefined;
    }
    if (!isThenable(result)) return this.#answer(id, call, result);
    this.#calls.set(id, call);
    result.then(
      (value) => this.#answer(id, call, value),
      (error: unknown) => this.#fail(id, error),
    );
  }

  #answer(id: number, call: Call, value: unknown): void {
    const held = heldOf(value);
    if (call.isAborted) return held && quietly(() => held.release()); // nobody knows of it
    if (held) {
      const number = ++this.#lastHeld;
      this.#held.set(number, held);
      return this.#send(id, held.items ? ['stream', id, number, (value as { [HEAD]?: unknown })[HEAD]] : ['handle', id, number]);
    }
    const bytes = ownedBytes(value);
    if (bytes) return this.#send(id, ['value', id, bytes], handedOver(bytes));
    this.#send(id, ['value', id, value]);
  }

  #fail(id: number, error: unknown): void {
    if (this.#calls.has(id)) this.#send(id, ['error', id, errorToWire(error)]);
  }

  #send(id: number, message: FromIo, transfer?: readonly Transferable[]): void {
    this.#calls.delete(id);
    try {
      this.#port.postMessage(message, transfer);
    } catch (error) {
      const refusal: FromIo = ['error', id, errorToWire(error)]; // what it returned cannot be cloned
      this.#port.postMessage(refusal, []);
    }
    this.#board.wake();
  }

  #next(id: number, number: number): void {
    const held = this.#held.get(number);
    if (!held?.items) return this.#send(id, ['done', id]);
    const { items } = held;
    const call = new Call();
    this.#calls.set(id, call);
    current.call = call;
    const step = items.next();
    current.call = undefined;
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

function callIn(target: Loaded, name: string, args: readonly unknown[]): unknown {
  const called = target[name];
  if (typeof called === 'function') return Reflect.apply(called as (...args: unknown[]) => unknown, target, args);
  throw Object.assign(new TypeError(`Cannot call "${name}": there is no function of that name`), { code: 'blocking-misused' });
}

/** What stays here of a result, and is used by calls: a handle or a stream. */
function heldOf(value: unknown): Held | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { [RELEASE]: release } = value as { [RELEASE]?: () => unknown };
  if (release) return { target: value, items: undefined, release };
  if (!(Symbol.asyncIterator in value)) return undefined;
  const items = (value as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  return {
    target: value,
    items,
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
