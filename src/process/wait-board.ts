/**
 * A small memory in which a thread says what it waits for, and in which it is woken.
 *
 * A thread that waits with `Atomics.wait` hears no event. So whatever ends its wait changes one cell and notifies it: an answer, the death of the thread
 * that was to give it, and the main thread when the client of a request has left or its time is up.
 *
 * @module
 */
import { CALL_TALLY_SIZE, CallTally } from './watching/call-tally.ts';

/** Counts the events for which the thread may have to wake up. */
const SIGNAL = 0;
/** The request whose waits are to end: its number + 1. */
const RECALLED = 1;
const REASON = 2;
/** The length of the name of what it waits for, in bytes; 0 when it does not wait. */
const NAME_SIZE = 3;
const CELLS = 4;
const MAX_NAME = 112;
/** Where the tally of its calls begins. */
const TALLY: number = 4 * CELLS + MAX_NAME;

/** Why a wait ends before its time. */
export type RecallReason = 'client-gone' | 'time-is-up';
const REASONS: readonly RecallReason[] = ['client-gone', 'time-is-up'];

const encoder = new TextEncoder();

/** The memory of one thread. */
export class WaitBoard {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: Int32Array;
  readonly #name: Uint8Array;
  /** What it has called. */
  readonly calls: CallTally;
  /** What was written there last, by this thread, and its size in bytes. */
  #written = '';
  #size = 0;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(TALLY + CALL_TALLY_SIZE)) {
    this.buffer = buffer;
    this.#cells = new Int32Array(buffer, 0, CELLS);
    this.#name = new Uint8Array(buffer, 4 * CELLS, MAX_NAME);
    this.calls = new CallTally(buffer, TALLY);
  }

  /** Changes with every event. To be read before one looks for what has happened, and given to `wait` when nothing has. */
  get signal(): number {
    return Atomics.load(this.#cells, SIGNAL);
  }

  /** Waits for an event after `signal`; for at most so many ms. */
  wait(signal: number, time: number): void {
    Atomics.wait(this.#cells, SIGNAL, signal, time);
  }

  /** Something has happened: wakes the thread. */
  wake(): void {
    Atomics.add(this.#cells, SIGNAL, 1);
    Atomics.notify(this.#cells, SIGNAL);
  }

  /** The thread begins to wait. @param name As operators read it: `database.person`. */
  enter(name: string): void {
    if (name !== this.#written) {
      this.#size = encoder.encodeInto(name, this.#name).written;
      this.#written = name;
    }
    Atomics.store(this.#cells, NAME_SIZE, this.#size);
  }

  /** The thread waits no more: the call has ended. @param since When it was made, monotonic ms. */
  leave(since: number): void {
    Atomics.store(this.#cells, NAME_SIZE, 0);
    this.calls.add(this.#written, (performance.now() - since) / 1000);
  }

  /** What the thread waits for; undefined when it does not wait. */
  get waitsIn(): string | undefined {
    const size = Atomics.load(this.#cells, NAME_SIZE);
    return size === 0 ? undefined : Buffer.from(this.#name.slice(0, size)).toString();
  }

  /** Ends the waits of a request, now and from now on. @param id Its number in that thread. */
  recall(id: number, reason: RecallReason): void {
    Atomics.store(this.#cells, REASON, REASONS.indexOf(reason));
    Atomics.store(this.#cells, RECALLED, id + 1);
    this.wake();
  }

  /** Why the waits of a request are to end; undefined when they are not. */
  recalled(id: number): RecallReason | undefined {
    return Atomics.load(this.#cells, RECALLED) === id + 1 ? REASONS[Atomics.load(this.#cells, REASON)] : undefined;
  }
}
