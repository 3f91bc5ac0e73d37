/**
 * How long we wait for a client: one timeout runs at a time, chosen by what we wait for, and checked at each tick of the clock.
 *
 * A head has `headersTimeout` from its first byte, however slowly it trickles in. A body is judged in spans of `requestTimeout`: each must
 * bring a minimum number of bytes. A connection at rest has `keepAliveTimeout`. While a handler is at work, we do not wait for the client.
 *
 * @module
 */
import type { Service } from '../service.ts';

/** Nothing has come, nothing is owed. */
export const IDLE = 0;
/** A head has come in part. */
export const READING_HEAD = 1;
/** A body is coming. */
export const READING_BODY = 2;
/** A handler is at work. */
export const ANSWERING = 3;

/** The bytes that a body must bring for each second of `requestTimeout`. */
const LEAST_BYTES_PER_SECOND = 1024;

/** How long a connection at rest is kept when the server drains, ms: longer than a request takes to arrive. */
export const DRAIN_GRACE = 500;
/** The same when a successor serves already and nobody waits for the end: longer than most clients rest between one request and the next. */
const SUCCEEDED_GRACE = 2000;

/**
 * How long a connection at rest is kept from now on, ms.
 *
 * @param timeout When all that is left is cut: half of it is for what is at work.
 */
export function graceOf(timeout: number, isSucceeded: boolean): number {
  return isSucceeded ? Math.max(DRAIN_GRACE, Math.min(SUCCEEDED_GRACE, timeout / 2)) : DRAIN_GRACE;
}

/** Watches the reading side of one connection. */
export class Patience {
  /** What we wait for. */
  phase: number = READING_HEAD;
  readonly #service: Service;
  #deadline: number;
  /** Bytes of body when the current span began. */
  #progress = 0;

  constructor(service: Service) {
    this.#service = service;
    this.#deadline = performance.now() + service.options.headersTimeout;
  }

  /** Notes that a head is complete: its time has ended, and that of the next has not begun. */
  startRequest(): void {
    this.phase = ANSWERING;
    this.#deadline = Number.POSITIVE_INFINITY;
    this.#progress = 0;
  }

  /** Sets what we wait for from now on. Rest begins anew each time. */
  watch(phase: number): void {
    if (phase === this.phase && phase !== IDLE) return;
    this.phase = phase;
    const { options, clock, isDraining, drainGrace } = this.#service;
    if (phase === IDLE) this.#deadline = clock.now + (isDraining ? drainGrace : options.keepAliveTimeout);
    else if (phase === READING_HEAD) this.#deadline = performance.now() + options.headersTimeout;
    else if (phase === READING_BODY) this.#deadline = performance.now() + options.requestTimeout;
    else this.#deadline = Number.POSITIVE_INFINITY;
  }

  /** Shortens the wait of a draining server. A request that is on its way is still answered, with a note that it was the last. */
  shorten(): void {
    this.#deadline = Math.min(this.#deadline, performance.now() + this.#service.drainGrace);
  }

  /**
   * Whether the time is up.
   *
   * @param received Bytes of the current body.
   * @param isOurs Whether we are the ones not reading: then the client is not to blame.
   */
  isDue(now: number, received: number, isOurs: boolean): boolean {
    if (now < this.#deadline) return false;
    if (this.phase !== READING_BODY) return true;
    const { requestTimeout } = this.#service.options;
    if (!isOurs && received - this.#progress < (requestTimeout / 1000) * LEAST_BYTES_PER_SECOND) return true;
    this.#progress = received;
    this.#deadline = now + requestTimeout;
    return false;
  }
}
