/**
 * How often each key was hit within a sliding window.
 *
 * A window is cut into ticks; a key has one count for each tick in which it was hit, and a hit counts until its whole tick has left the
 * window. So there are never more than `limit` hits in any stretch of the window's length, wherever it begins; a place is free again at the
 * latest one tick after the exact time; and a key costs the same however high its limit is. A refused hit is not counted: a client that
 * keeps asking gets through as often as the limit says, not never.
 *
 * @module
 */
import type { Hits } from './stores.ts';

/** Ticks in a window: for a window of one minute a tick is less than two seconds. A power of two, so that ticks have no rounding errors. */
export const TICKS = 32;
/** Most keys per length of window: 16 MiB with one hit for each (measured on Node 20), 43 MiB with hits in every tick. */
const MAX_KEYS = 50_000;

/** What is known of one key. */
interface Trail {
  /** Tick, count, tick, count… the oldest first. */
  readonly marks: number[];
  /** The sum of the counts. */
  total: number;
}

/** The keys of one length of window, in the order of the tick of their last hit, which is the order in which they are forgotten. */
interface Window {
  readonly trails: Map<string, Trail>;
  /** The tick in which old keys were forgotten last. */
  swept: number;
}

const NONE: Hits = { count: 0, resetAfter: 0 };

/** Counts hits in memory. It has no clock: the caller passes the time. */
export class HitCounter {
  /** The windows by length. */
  readonly #windows: Map<number, Window> = new Map();
  readonly #maxKeys: number;

  /** @param maxKeys For each length of window; beyond that, those whose last hit is longest ago are forgotten. */
  constructor(maxKeys: number = MAX_KEYS) {
    this.#maxKeys = maxKeys;
  }

  /** How many keys are remembered. */
  get size(): number {
    let size = 0;
    for (const { trails } of this.#windows.values()) size += trails.size;
    return size;
  }

  /**
   * Counts one hit, unless the key has had its limit.
   *
   * @param window Seconds.
   * @param now Milliseconds on a clock that does not go back.
   */
  hit(key: string, window: number, limit: number, now: number): Hits {
    const length = (window * 1000) / TICKS;
    const tick = Math.floor(now / length);
    const { trails } = this.#windowAt(window, tick);
    const trail = trails.get(key) ?? { marks: [], total: 0 };
    leaveWindow(trail, tick);
    const isCounted = trail.total < limit;
    if (isCounted) this.#count(trails, key, trail, tick);
    return { count: isCounted ? trail.total : trail.total + 1, resetAfter: resetAfter(trail.marks[0] ?? tick, length, now) };
  }

  /** The hits that count now. */
  peek(key: string, window: number, _limit: number, now: number): Hits {
    const length = (window * 1000) / TICKS;
    const tick = Math.floor(now / length);
    const trail = this.#windowAt(window, tick).trails.get(key);
    if (!trail) return NONE;
    leaveWindow(trail, tick);
    return { count: trail.total, resetAfter: resetAfter(trail.marks[0] ?? tick, length, now) };
  }

  /** Forgets a key. */
  reset(key: string, window: number): Hits {
    this.#windows.get(window)?.trails.delete(key);
    return NONE;
  }

  #count(trails: Map<string, Trail>, key: string, trail: Trail, tick: number): void {
    const { marks } = trail;
    trail.total++;
    if (marks.at(-2) === tick) {
      marks[marks.length - 1] = (marks.at(-1) as number) + 1;
      return;
    }
    marks.push(tick, 1);
    trails.delete(key); // to the end of the order
    if (trails.size >= this.#maxKeys) forgetFirst(trails, Math.ceil(this.#maxKeys / 16));
    trails.set(key, trail);
  }

  #windowAt(length: number, tick: number): Window {
    let window = this.#windows.get(length);
    if (!window) {
      window = { trails: new Map(), swept: tick };
      this.#windows.set(length, window);
    }
    if (window.swept !== tick) forgetOld(window.trails, tick);
    window.swept = tick;
    return window;
  }
}

/** Seconds until a tick has left the window. */
function resetAfter(tick: number, length: number, now: number): number {
  return ((tick + TICKS + 1) * length - now) / 1000;
}

/** Drops the keys whose last hit has left the window: they are the first. */
function forgetOld(trails: Map<string, Trail>, tick: number): void {
  for (const [key, { marks }] of trails) {
    if ((marks.at(-2) as number) + TICKS >= tick) return; // a key that is kept has been hit at least once
    trails.delete(key);
  }
}

/**
 * Drops the first keys: many at once, since a Map whose first key is deleted again and again is slow to find the next (15 µs per hit, else
 * 1).
 */
function forgetFirst(trails: Map<string, Trail>, count: number): void {
  let left = count;
  for (const key of trails.keys()) {
    if (left-- === 0) return;
    trails.delete(key);
  }
}

/** Drops the ticks that have left the window. */
function leaveWindow(trail: Trail, tick: number): void {
  const { marks } = trail;
  let left = 0;
  while (left < marks.length && (marks[left] as number) + TICKS < tick) {
    trail.total -= marks[left + 1] as number;
    left += 2;
  }
  if (left > 0) marks.splice(0, left);
}
