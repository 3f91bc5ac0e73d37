/**
 * The memory that one life of an I/O thread shares with all its callers.
 *
 * @module
 */

/** 1 when the thread is dead. */
const OVER = 0;
/** 1 from when a caller has put something into its mailbox until the thread looks. */
const RUNG = 1;
/** The thread that looks for its answer instead of sleeping; 0: none. See patience.ts. */
const LOOKING = 2;
const CELLS = 3;

/** One life of an I/O thread. */
export class LifeCells {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: Int32Array;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(4 * CELLS)) {
    this.buffer = buffer;
    this.#cells = new Int32Array(buffer);
  }

  get isOver(): boolean {
    return Atomics.load(this.#cells, OVER) === 1;
  }

  end(): void {
    Atomics.store(this.#cells, OVER, 1);
  }

  /** There is something in a mailbox. @returns Whether a message has to wake the thread: the one before has been heard. */
  ring(): boolean {
    return Atomics.exchange(this.#cells, RUNG, 1) === 0;
  }

  /** To be called before the thread looks into the mailboxes. @returns Whether there was a ring. */
  hear(): boolean {
    return Atomics.exchange(this.#cells, RUNG, 0) === 1;
  }

  /** Takes the right to look for an answer, which one thread has at a time. */
  tryLook(thread: number): boolean {
    return Atomics.compareExchange(this.#cells, LOOKING, 0, thread) === 0;
  }

  /** Gives it back, also when it is another's. */
  endLook(thread: number): void {
    Atomics.compareExchange(this.#cells, LOOKING, thread, 0);
  }
}
