/**
 * The memory that one life of an I/O thread shares with all its callers.
 *
 * @module
 */

/** 1 when the thread is dead. */
const OVER = 0;
/** Whether the thread sleeps, or a caller has put something into its mailbox since it looked last, or neither. */
const BELL = 1;
const ASLEEP = 0;
const RUNG = 1;
const AWAKE = 2;
/** The thread that looks for its answer instead of sleeping; 0: none. See patience.ts. */
const LOOKING = 2;
/** How many callers had calls here at once when the thread looked last. */
const CROWD = 3;
const CELLS = 4;

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

  /** There is something in a mailbox. @returns Whether a message has to wake the thread: it sleeps, and nobody has rung before. */
  ring(): boolean {
    return Atomics.exchange(this.#cells, BELL, RUNG) === ASLEEP;
  }

  /** To be called by the thread before it looks into the mailboxes: it is awake from now on. @returns Whether there was a ring. */
  hear(): boolean {
    return Atomics.exchange(this.#cells, BELL, AWAKE) === RUNG;
  }

  /** The thread is awake from now on, and hears rings later. */
  wakeUp(): void {
    Atomics.compareExchange(this.#cells, BELL, ASLEEP, AWAKE);
  }

  /** The thread may have to wait from now on. @returns Whether it may: nobody has rung. */
  sleep(): boolean {
    return Atomics.compareExchange(this.#cells, BELL, AWAKE, ASLEEP) !== RUNG;
  }

  get crowd(): number {
    return Atomics.load(this.#cells, CROWD);
  }

  set crowd(callers: number) {
    Atomics.store(this.#cells, CROWD, callers);
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
