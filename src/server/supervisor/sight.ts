/**
 * What the primary sees of the threads of one worker: from the worker itself, or, when its main thread does not answer, from the thread that watches it.
 *
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises';
import { NO_DURATIONS } from '../../process/durations.ts';
import type { LocalActivity, ThreadActivity } from '../../process/watching/server-activity.ts';
import { Replies } from '../questions/replies.ts';
import { INSPECTION_TIME, type Standing } from '../watchdog/message.ts';

/** How long a main thread may take to answer, ms, before its watching thread is asked: long enough for one that is only busy. */
const PATIENCE = 1000;
/** How long is waited for the watching thread, ms. A main thread inside a call into the system cannot be looked into: what is known of it then is told again. */
const WATCH_PATIENCE = 500;

/** How a worker is asked. */
export interface Asking {
  /** Asks its main thread what its threads do, or where one of them stands. */
  look(id: number, thread: number | undefined): void;
  /** Asks its watching thread where the main thread stands. */
  watch(id: number): void;
}

/** The sight of one worker. */
export class Sight {
  readonly #looks: Replies<number | undefined, LocalActivity | readonly string[]>;
  readonly #watches: Replies<void, Standing>;
  /** What the watching thread was asked and has not answered. */
  #watching: Promise<Standing | undefined> | undefined;
  /** What it has said since the main thread answered last. */
  #standing: Standing | undefined;

  constructor(asking: Asking) {
    this.#looks = new Replies((id, thread) => asking.look(id, thread), PATIENCE);
    this.#watches = new Replies((id) => asking.watch(id));
  }

  /** What the threads of the worker are doing. */
  async activity(): Promise<LocalActivity> {
    const seen = (await this.#looks.ask(undefined)) as LocalActivity | undefined;
    if (!seen) return { threads: [stuck(await this.#look())], slowest: [], latency: NO_DURATIONS, marks: [] };
    this.#standing = undefined;
    return seen;
  }

  /** Where one of them stands. */
  async stackOf(thread: number): Promise<readonly string[] | undefined> {
    const patience = thread === 0 ? PATIENCE : PATIENCE + INSPECTION_TIME; // another thread has to be interrupted first
    const seen = (await this.#looks.ask(thread, patience)) as readonly string[] | undefined;
    return seen ?? (thread === 0 ? (await this.#look())?.stack : undefined);
  }

  /** The worker has answered. */
  looked(id: number, seen: LocalActivity | readonly string[] | undefined): void {
    this.#looks.answered(id, seen);
  }

  /** Its watching thread has. */
  stands(id: number, standing: Standing | undefined): void {
    this.#standing = standing ?? this.#standing;
    this.#watches.answered(id, standing);
  }

  /** The worker is gone. */
  abandon(): void {
    this.#looks.abandon();
    this.#watches.abandon();
  }

  async #look(): Promise<Standing | undefined> {
    this.#watching ??= this.#watches.ask().finally(() => {
      this.#watching = undefined;
    });
    await Promise.race([this.#watching, pause(WATCH_PATIENCE, undefined, { ref: false })]);
    return this.#standing;
  }
}

/** A main thread that does not answer. */
function stuck(standing: Standing | undefined): ThreadActivity {
  const { ms = 0, request, waitsIn, place } = standing ?? { place: undefined };
  const state = waitsIn !== undefined ? 'waiting' : request ? 'running' : 'blocked';
  return { thread: 0, state, waitsIn, place, open: request ? 1 : 0, requests: request ? [{ ...request, ms }] : [] };
}
