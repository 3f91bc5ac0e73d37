/**
 * The pieces of a body without an end of its own, such as an event stream: a sign of life is sent while its source rests, and it can be
 * ended between two pieces.
 *
 * @module
 */
import { WakeUp } from '../../process/wake-up.ts';
import { dropReading, iteratorOf, type StreamSource } from './stream-source.ts';

/** What is sent while a source rests. */
export interface Heartbeat {
  /** Milliseconds without a piece; 0: never. */
  readonly every: number;
  readonly piece: string;
}

/** Calls a function once, after so many milliseconds. @returns Cancels that. */
export type After = (ms: number, call: () => void) => () => void;

type Piece = Uint8Array | string;
type Step = IteratorResult<Piece, unknown>;
/** What a source has said. */
type Reply = { readonly step: Step } | { readonly error: unknown };

const END: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** Reads a source. One read at a time. */
export class PacedPieces implements AsyncIterableIterator<Piece> {
  readonly #source: StreamSource;
  readonly #iterator: AsyncIterator<Piece, unknown> | Iterator<Piece, unknown>;
  readonly #heartbeat: Heartbeat;
  /** Without one there is no sign of life. */
  readonly #after: After | undefined;
  readonly #wakeUp: WakeUp = new WakeUp();
  /** Whether the source has been asked for a piece, and what it has said. */
  #isAsked = false;
  #reply: Reply | undefined;
  /** Whether the source has rested for long. */
  #isDue = false;
  #isStopped = false;

  constructor(source: StreamSource, heartbeat: Heartbeat, after: After | undefined) {
    this.#source = source;
    this.#iterator = iteratorOf(source);
    this.#heartbeat = heartbeat;
    this.#after = after;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Piece, undefined>> {
    if (!this.#isStopped) this.#ask();
    const { every, piece } = this.#heartbeat;
    this.#isDue = false;
    const cancel = every > 0 ? this.#after?.(every, this.#onTime) : undefined;
    while (!this.#reply && !this.#isDue && !this.#isStopped) await this.#wakeUp.wait();
    cancel?.();
    const reply = this.#reply;
    this.#reply = undefined;
    if (reply && 'error' in reply) throw reply.error;
    if (reply) return reply.step.done ? END : reply.step;
    return this.#isStopped ? END : { done: false, value: piece };
  }

  return(): Promise<IteratorReturnResult<undefined>> {
    this.stop();
    return Promise.resolve(END);
  }

  /** Ends the body. A piece that is there already is still given. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#wakeUp.wake();
    dropReading(this.#source, this.#iterator);
  }

  readonly #onTime = (): void => {
    this.#isDue = true;
    this.#wakeUp.wake();
  };

  #ask(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    const settle = (reply: Reply): void => {
      this.#isAsked = false;
      this.#reply = reply;
      this.#wakeUp.wake();
    };
    this.#step().then(
      (step) => settle({ step }),
      (error: unknown) => settle({ error }),
    );
  }

  async #step(): Promise<Step> {
    return this.#iterator.next();
  }
}
