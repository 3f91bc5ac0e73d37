/**
 * A response body that a handler thread produces, as the main thread sends it.
 *
 * @module
 */
import { StreamContent } from '../../http/body/response-body.ts';
import { WakeUp } from '../../process/wake-up.ts';
import type { ThreadLink } from './wire.ts';

/** Passes on what comes, and reports to the thread what has been taken: no more than a window is ever on its way. */
export class RemoteStream implements AsyncIterableIterator<Uint8Array | string> {
  readonly #thread: ThreadLink;
  readonly #id: number;
  readonly #pieces: (Uint8Array | string)[] = [];
  #isDone = false;
  #hasBegun = false;
  #failure: Error | undefined;
  readonly #wakeUp: WakeUp = new WakeUp();

  constructor(thread: ThreadLink, id: number) {
    this.#thread = thread;
    this.#id = id;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array | string>> {
    if (!this.#hasBegun) this.#thread.post(['taken', this.#id, 0]);
    this.#hasBegun = true;
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece !== undefined) {
        if (!this.#isDone) this.#thread.post(['taken', this.#id, piece.length]);
        return { done: false, value: piece };
      }
      if (this.#failure) throw this.#failure;
      if (this.#isDone) return { done: true, value: undefined };
      await this.#wakeUp.wait();
    }
  }

  /** Nobody reads the rest. */
  async return(): Promise<IteratorResult<Uint8Array | string>> {
    if (!this.#isDone) this.#thread.post(['dropped', this.#id]);
    this.#isDone = true;
    this.#pieces.length = 0;
    return { done: true, value: undefined };
  }

  deliver(piece: Uint8Array | string): void {
    if (!this.#isDone) this.#pieces.push(piece);
    this.#wakeUp.wake();
  }

  finish(): void {
    this.#isDone = true;
    this.#wakeUp.wake();
  }

  fail(error: Error): void {
    if (!this.#isDone) this.#failure = error;
    this.#isDone = true;
    this.#wakeUp.wake();
  }
}

/** A body without an end of its own, whose thread can end it. */
export class EndlessContent extends StreamContent {
  readonly #stop: () => void;

  constructor(stream: RemoteStream, stop: () => void) {
    super(stream, undefined);
    this.#stop = stop;
  }

  override get isEndless(): boolean {
    return true;
  }

  override stop(): void {
    this.#stop();
  }
}
