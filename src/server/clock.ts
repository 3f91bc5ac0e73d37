/**
 * One coarse clock for all connections: no request starts a timer of its own.
 *
 * Time-outs are read off it with the precision of a tick, which is plenty for bounds of seconds; the Date line is made once a second.
 *
 * @module
 */
import { serializeDate } from '../http/date.ts';

/** Longest tick, ms: also how late the Date line can be. */
const MAX_TICK = 250;
const MIN_TICK = 10;

/** A clock that ticks while its server lives. */
export class Clock {
  /** Monotonic milliseconds, as of the last tick. */
  now: number = performance.now();
  /** `Date: …\r\n`. */
  dateLine = '';
  #second = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #onTick: (now: number) => void;

  constructor(onTick: (now: number) => void) {
    this.#onTick = onTick;
    this.#readDate();
  }

  /** Starts ticking, often enough for bounds as short as `shortest` ms. Does not keep the process alive. */
  start(shortest: number): void {
    const tick = Math.max(MIN_TICK, Math.min(MAX_TICK, shortest / 8));
    this.#timer = setInterval(this.#tick, tick);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  readonly #tick = (): void => {
    this.now = performance.now();
    this.#readDate();
    this.#onTick(this.now);
  };

  #readDate(): void {
    const at = Date.now();
    const second = Math.floor(at / 1000);
    if (second === this.#second) return;
    this.#second = second;
    this.dateLine = `Date: ${serializeDate(new Date(at))}\r\n`;
  }
}
