/**
 * When a worker has had its share: it counts its requests, weighs its memory, and asks the primary for a successor.
 *
 * A handler may leak faster than a successor starts. So the worker asks a little before the limit when it sees itself grow, and at the limit it begins
 * no further request: those that come wait until the successor listens, and are the last ones served here. Memory stays bounded, and nobody is
 * refused.
 *
 * A pool of handler threads that has grown and shrunk leaves memory behind that neither V8 nor the C library gives back: as much as the process had
 * before, or several times that. When it stays, the worker asks for a successor too, unless that would cut a websocket.
 *
 * @module
 */
import type { Handler } from '../../../exchange/respond.ts';
import type { Request } from '../../../http/request.ts';
import type { ResolvedOptions } from '../../options.ts';

/** How often a worker weighs itself, ms. Once takes about 15 µs. */
const INTERVAL = 20;
/** Near the limit it also weighs itself whenever this many requests have come. */
const REQUESTS_BETWEEN = 4;
/** From this share of the limit on, growth counts: what it will be when a successor has started. */
const WATCHFUL = 0.8;
/** Growth is measured over this many weighings, and expected to go on for as long again. */
const HISTORY = 25;
/** From this share of the limit on, requests wait for the successor. */
const FULL = 0.98;
/** The longest that requests wait for a successor, ms. Then memory is the lesser evil. */
const LONGEST_WAIT = 5000;
/** How long memory is still being given back after the last thread has ended, ms. V8 keeps its pages for 8 s. */
const AFTERMATH = 10_000;
/** What may be left, as a share of what there was before the pool grew. */
const LEFT_BEHIND = 1.2;
/** When no successor could start: how long it does not ask again, ms. Until then no request waits. */
const REST = 10_000;

/** The worker, as its scales see it. */
interface Worker {
  /** Asks for a successor, once until `goOn`. */
  readonly ask: (rss: number) => void;
  /** Whether this is a good moment, when there is no hurry. */
  readonly mayAsk: () => boolean;
}

/** Weighs one worker. */
export class Recycling {
  readonly #options: ResolvedOptions;
  /** ±10 %, the same for a worker's whole life: the workers must not all go at once. */
  readonly #maxRequests: number;
  readonly #worker: Worker;
  readonly #weights: number[] = [];
  #hasAsked = false;
  #isLeaving = false;
  #restUntil = 0;
  #isNear = false;
  #unweighed = 0;
  /** Requests that wait; undefined when none need to. */
  #waiting: (() => void)[] | undefined;
  #timer: NodeJS.Timeout | undefined;
  #patience: NodeJS.Timeout | undefined;
  /** What it weighed when its pool began to grow. */
  #slimRss: number | undefined;
  #aftermath: NodeJS.Timeout | undefined;

  constructor(options: ResolvedOptions, worker: Worker) {
    this.#options = options;
    this.#maxRequests = options.maxRequestsPerWorker * (0.9 + (process.pid % 21) / 100);
    this.#worker = worker;
  }

  /** Returns the handler, or one that makes requests wait when memory is full. */
  guard(handler: Handler): Handler {
    if (this.#options.maxMemoryPerWorker === Number.POSITIVE_INFINITY) return handler;
    return (request) => {
      if (this.#isNear && ++this.#unweighed >= REQUESTS_BETWEEN) this.#holdWhenFull(process.memoryUsage.rss());
      return this.#waiting ? this.#wait(handler, request) : handler(request);
    };
  }

  /** Begins to weigh. @param countRequests Tells how many requests the worker has served. */
  start(countRequests: () => number): void {
    const { maxMemoryPerWorker, maxRequestsPerWorker } = this.#options;
    if (maxMemoryPerWorker === Number.POSITIVE_INFINITY && maxRequestsPerWorker === Number.POSITIVE_INFINITY) return;
    this.#timer = setInterval(() => this.#weigh(countRequests()), INTERVAL);
    this.#timer.unref();
  }

  /** The pool begins to grow, or is back to its least number of threads. */
  poolSize(isLeast: boolean): void {
    clearTimeout(this.#aftermath);
    if (this.#isLeaving) return;
    if (!isLeast) this.#slimRss ??= process.memoryUsage.rss();
    else this.#aftermath = setTimeout(() => this.#weighAftermath(), AFTERMATH).unref();
  }

  /** The successor is there, and the worker leaves, or none could start: requests that wait are served here. A worker that leaves does so for good. */
  goOn(isLeaving: boolean): void {
    this.#isLeaving ||= isLeaving;
    if (this.#isLeaving) {
      clearInterval(this.#timer);
      clearTimeout(this.#aftermath);
    } else this.#restUntil = performance.now() + REST;
    this.#hasAsked = false;
    clearTimeout(this.#patience);
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const begin of waiting) begin();
  }

  #weigh(requests: number): void {
    const { maxMemoryPerWorker } = this.#options;
    const rss = maxMemoryPerWorker === Number.POSITIVE_INFINITY ? 0 : process.memoryUsage.rss();
    const before = this.#weights.length < HISTORY ? rss : (this.#weights.shift() as number); // there is one
    this.#weights.push(rss);
    this.#isNear = rss > maxMemoryPerWorker * WATCHFUL;
    const isGrowing = this.#isNear && rss + Math.max(0, rss - before) > maxMemoryPerWorker;
    const isResting = performance.now() < this.#restUntil;
    if (!isResting && (isGrowing || rss > maxMemoryPerWorker * FULL || requests >= this.#maxRequests) && !this.#hasAsked) {
      this.#hasAsked = true;
      this.#worker.ask(process.memoryUsage.rss());
    }
    this.#holdWhenFull(rss);
  }

  #weighAftermath(): void {
    const rss = process.memoryUsage.rss();
    if (this.#slimRss === undefined || rss <= this.#slimRss * LEFT_BEHIND) {
      this.#slimRss = undefined;
    } else if (this.#hasAsked || performance.now() < this.#restUntil || !this.#worker.mayAsk()) {
      this.poolSize(true); // later
    } else {
      this.#hasAsked = true;
      this.#worker.ask(rss);
    }
  }

  #holdWhenFull(rss: number): void {
    this.#unweighed = 0;
    if (this.#waiting || this.#isLeaving || performance.now() < this.#restUntil || rss <= this.#options.maxMemoryPerWorker * FULL) return;
    this.#waiting = [];
    this.#patience = setTimeout(() => this.goOn(false), LONGEST_WAIT);
  }

  async #wait(handler: Handler, request: Request): Promise<Awaited<ReturnType<Handler>>> {
    await new Promise<void>((resolve) => this.#waiting?.push(resolve));
    return handler(request);
  }
}
