/**
 * Whether a thread looks for its answer for a moment before it goes to sleep.
 *
 * To put a thread to sleep and wake it costs 5 to 40 µs, most of it in the kernel. A function that answers from memory takes less. So a thread looks first,
 * but only where that has paid: each function is tried, and one whose answers come later is tried less and less often. Of the callers of an I/O thread one
 * looks at a time, and none while others call as well or where there is but one core: the I/O thread needs it.
 *
 * @module
 */
import { availableParallelism } from 'node:os';
import { threadId } from 'node:worker_threads';
import type { WaitBoard } from '../process/wait-board.ts';
import type { LifeCells } from './life.ts';

/** About what it costs to sleep and be woken, ms. */
const LOOK_TIME = 0.04;
/** A function whose answers come late is tried again after so many calls. */
const LONGEST_REST = 1024;
/** Looks between two at the clock. */
const LOOKS = 50;

const HAS_CORES: boolean = availableParallelism() > 1;
/** This thread; 0 stands for none. */
export const OWN_THREAD: number = threadId + 1;

/** What has been learned of one function. */
export class Patience {
  /** Calls for which it is not tried. */
  #rest = 0;
  #nextRest = 1;

  /** Looks for an event after `signal`. @returns Whether there is one; if not, the thread has to wait. */
  look(board: WaitBoard, signal: number, life: LifeCells): boolean {
    if (!HAS_CORES) return false;
    if (this.#rest > 0) {
      this.#rest--;
      return false;
    }
    if (life.crowd > 1 || !life.tryLook(OWN_THREAD)) return false;
    const isThere = hasChanged(board, signal, life);
    life.endLook(OWN_THREAD);
    this.#nextRest = isThere ? 1 : Math.min(LONGEST_REST, this.#nextRest * 4);
    this.#rest = isThere ? 0 : this.#nextRest;
    return isThere;
  }
}

function hasChanged(board: WaitBoard, signal: number, life: LifeCells): boolean {
  const until = performance.now() + LOOK_TIME;
  do {
    for (let i = 0; i < LOOKS; i++) if (board.signal !== signal) return true;
  } while (life.crowd < 2 && performance.now() < until);
  return false;
}
