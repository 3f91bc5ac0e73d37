/**
 * What the handler threads of a process do, for its status.
 *
 * @module
 */
import { addDurations, type Durations } from '../../process/durations.ts';
import { addEach, type ThreadStates } from '../../process/server-status.ts';
import type { HandlerThread } from './handler-thread.ts';
import { waitsOf } from './io-waits.ts';

/** The threads that are not gone, and what those that are have done. */
export class PoolFigures {
  /** Also those that are being stopped. */
  readonly #threads: Set<HandlerThread> = new Set();
  #before: Record<string, Durations> = {};

  add(thread: HandlerThread): void {
    this.#threads.add(thread);
  }

  /** A thread has ended: what it has done counts on. */
  ended(thread: HandlerThread): void {
    if (this.#threads.delete(thread)) this.#before = addEach(this.#before, thread.calls, addDurations);
  }

  /** What it has called in I/O threads, by name. */
  get calls(): Record<string, Durations> {
    let sum = this.#before;
    for (const { calls } of this.#threads) sum = addEach(sum, calls, addDurations);
    return sum;
  }
}

/** What threads do now. */
export function statesOf(threads: Iterable<HandlerThread>): {
  threadStates: ThreadStates;
  threads: number;
  waiting: Record<string, number>;
} {
  const all = [...threads];
  const states = { starting: 0, idle: 0, running: 0, waiting: 0 };
  for (const thread of all) states[stateOf(thread)]++;
  return { threadStates: states, threads: all.length - states.starting, waiting: waitsOf(all) };
}

function stateOf(thread: HandlerThread): keyof ThreadStates {
  if (!thread.isReady) return 'starting';
  if (thread.waitsIn !== undefined) return 'waiting';
  return thread.running ? 'running' : 'idle';
}
