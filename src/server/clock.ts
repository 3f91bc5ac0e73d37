/**
 * One coarse clock for all connections: no request starts a timer of its own.
 *
 * Each connection keeps one deadline and compares it behind each tick, so a time-out is late by one tick at most. A tick is an eighth of the shortest
 * bound, but neither so short that visiting every connection costs much, nor so long that the Date line is late. What needs no more precision than
 * a tick reads `now` instead of asking the system.
 *
 * @module
 */
import { serializeDate } from '../http/date.ts';
import { DurationTally } from '../process/durations.ts';

/** Longest tick, ms: also how late the Date line can be. */
const MAX_TICK = 250;
/** Shortest tick, ms: every tick visits every connection. */
const MIN_TICK = 10;
/** Ticks in the shortest bound. */
const TICKS = 8;

/** A clock that ticks until its server has ended. */
export class Clock {
  /** Monotonic milliseconds, as of the last tick. */
  now: number = performance.now();
  /** The value of Date, */
  date = '';
  /** and the field line of HTTP/1.1: `Date: …\r\n`. */
  dateLine = '';
  /** How late ticks were: something else held the loop. */
  readonly delay: DurationTally = new DurationTally();
  #interval = 0;
  #second = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #onTick: (now: number) => void;

  constructor(onTick: (now: number) => void) {
    this.#onTick = onTick;
    this.#readDate();
  }

  /** Starts ticking, often enough for bounds as short as `shortest` ms. Does not keep the process alive. */
  start(shortest: number): void {
    this.#interval = Math.floor(Math.max(MIN_TICK, Math.min(MAX_TICK, shortest / TICKS))); // timers know whole milliseconds
    this.now = performance.now();
    this.#timer = setInterval(this.#tick, this.#interval);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  readonly #tick = (): void => {
    const now = performance.now();
    this.delay.add(Math.max(0, now - this.now - this.#interval) / 1000);
    this.now = now;
    this.#readDate();
    this.#onTick(this.now);
  };

  #readDate(): void {
    const at = Date.now();
    const second = Math.floor(at / 1000);
    if (second === this.#second) return;
    this.#second = second;
    this.date = serializeDate(new Date(at));
    this.dateLine = `Date: ${this.date}\r\n`;
  }
}
