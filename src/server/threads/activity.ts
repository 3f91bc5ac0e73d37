/**
 * What the handler threads of a process are doing, seen on their boards: none of them is disturbed by that. One that stands still for a while is looked
 * into once, so that its line is known.
 *
 * @module
 */
import { OWN_CODE } from '../../process/own-code.ts';
import { type OpenRequest, oldestOf, type ThreadActivity, type ThreadState } from '../../process/watching/server-activity.ts';
import { placeFound } from '../seen/slowest.ts';
import { placeOnceThere, stackOf } from '../watchdog/place.ts';
import type { Flight } from './flight.ts';
import type { HandlerThread } from './handler-thread.ts';

/** A thread that has been at the same for this long has its line looked up, ms; */
const STILL = 500;
/** and again after this, ms: it may have got on. */
const AGAIN = 5000;
/** How long an answer waits for a line, ms. What comes later is in the next one. */
const PATIENCE = 300;

/** A line that was looked up. */
interface Sight {
  /** What the thread was at: a request, or how often it had moved. */
  readonly subject: object | number;
  readonly at: number;
  place: string | undefined;
  isOver: boolean;
  readonly found: Promise<void>;
}

/** Looks at the threads of a pool. */
export class PoolActivity {
  readonly #threads: Iterable<HandlerThread>;
  readonly #sights: WeakMap<HandlerThread, Sight> = new WeakMap();

  constructor(threads: Iterable<HandlerThread>) {
    this.#threads = threads;
  }

  /** What each of them is doing. */
  async activity(): Promise<readonly ThreadActivity[]> {
    const now = performance.now();
    const threads = [...this.#threads];
    const looks = threads.flatMap((thread) => this.#look(thread, now) ?? []);
    let timer: NodeJS.Timeout | undefined;
    const overdue = new Promise<void>((settle) => {
      timer = setTimeout(settle, PATIENCE);
    });
    if (looks.length > 0) await Promise.race([Promise.all(looks), overdue]);
    clearTimeout(timer);
    return threads.map((thread) => this.#told(thread, performance.now()));
  }

  /** Where one of them stands. One that executes nothing is not interrupted: it would stop at whatever it does next. */
  async stackOf(number: number): Promise<readonly string[] | undefined> {
    for (const thread of this.#threads) {
      if (numberOf(thread) !== number) continue;
      const { worker } = thread.backing;
      const state = stateOf(thread, performance.now());
      if (state === 'idle' || state === 'awaiting' || !worker) return [];
      return stackOf(worker);
    }
    return undefined;
  }

  /** Has the line of a thread looked up that stands still. */
  #look(thread: HandlerThread, now: number): Promise<void> | undefined {
    const { worker } = thread.backing;
    const { running } = thread;
    const since = running ? now - running.since : thread.silence(now);
    if (!worker || since < STILL || thread.waitsIn !== undefined) return undefined;
    const subject = running ?? thread.board.moves;
    const last = this.#sights.get(thread);
    if (last && !last.isOver) return now - last.at < AGAIN ? last.found : undefined; // what is inside a call of the system answers when that is over
    if (last?.subject === subject && now - last.at < AGAIN) return undefined;
    const sight: Sight = {
      subject,
      at: now,
      place: last?.subject === subject ? last.place : undefined,
      isOver: false,
      found: placeOnceThere(worker, OWN_CODE).then((place) => {
        sight.isOver = true;
        sight.place = place ?? sight.place;
        if (running && thread.running === running) placeFound(running.request, place);
      }),
    };
    this.#sights.set(thread, sight);
    return sight.found;
  }

  #told(thread: HandlerThread, now: number): ThreadActivity {
    const state = stateOf(thread, now);
    const { running, waitsIn } = thread;
    const open = [...thread.flights.values()].filter((flight) => !flight.isAnswered && flight !== running);
    const sight = this.#sights.get(thread);
    const isThere =
      sight !== undefined && sight.subject === (running ?? thread.board.moves) && (state === 'running' || state === 'blocked');
    return {
      thread: numberOf(thread),
      state,
      ...(state === 'waiting' && { waitsIn }),
      ...(isThere && { place: sight.place }),
      open: open.length + (running ? 1 : 0),
      requests: oldestOf(
        open.map((flight) => told(flight, now)),
        running && told(running, now),
      ),
    };
  }
}

function numberOf({ backing }: HandlerThread): number {
  return backing.worker?.threadId ?? 0;
}

function stateOf(thread: HandlerThread, now: number): ThreadState {
  if (!thread.isReady) return 'starting';
  if (thread.running) return thread.waitsIn === undefined ? 'running' : 'waiting';
  const isAwaited = [...thread.flights.values()].some((flight) => !flight.isAnswered);
  if (isAwaited && thread.silence(now) > STILL) return 'blocked';
  return isAwaited ? 'awaiting' : 'idle';
}

function told(flight: Flight, now: number): OpenRequest {
  const { method, path } = flight.request;
  return { method, path, ms: Math.round(now - flight.startedAt) };
}
