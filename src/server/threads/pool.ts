/**
 * The handler threads of one process: which one gets which request, when there are more or fewer of them, and what becomes of one that does not return.
 *
 * A request goes to a thread that has nothing to do; of several to the one with the fewest promises open. When all are busy it is put into the
 * inbox of one that makes progress: many small handlers then cost one message for many requests. A thread that has not come back from a handler
 * within a few milliseconds gets nothing more, and what waits in its inbox is taken back and given to others: so nobody waits behind a handler
 * that blocks, but for the moment until that is noticed. What no thread can take waits in a bounded queue (`waiting.ts`).
 *
 * At its deadline a request is answered 503. When its handler is still running, the thread is given up at once, another one started in its place, the
 * line where it stands logged, and then it is stopped. What no interrupt can stop (a system call) keeps its thread; the process is then to be retired.
 *
 * What blocks after an `await` blocks the thread just the same, but no handler is running then. So threads that have something open are asked for a
 * sign of life at each tick, and one that has given none for as long as a handler may take is replaced as well.
 *
 * @module
 */
import { availableParallelism } from 'node:os';
import { MessageChannel } from 'node:worker_threads';
import { tookTooLong } from '../../exchange/respond.ts';
import type { Request } from '../../http/request.ts';
import type { Response } from '../../http/response.ts';
import type { WorkerStatus } from '../../process/server-status.ts';
import type { Address, ServerHost } from '../host.ts';
import { log } from '../operator-log.ts';
import type { ResolvedOptions } from '../options.ts';
import { answerTo, type ServerQuestion } from '../questions/server-questions.ts';
import { PoolActivity } from './activity.ts';
import { Flight } from './flight.ts';
import { HandlerThread, type StartBacking, type ThreadEvents } from './handler-thread.ts';
import { abort, endWait, isDeaf } from './io-waits.ts';
import { busy, tellSlow, tellStuck, tellUnstoppable, timeOutPromise } from './overdue.ts';
import { PoolFigures, statesOf } from './pool-figures.ts';
import { WaitingRequests } from './waiting.ts';

/** Requests in the inbox of a thread that makes progress. */
const MAX_PENDING = 64;
/** Requests that wait for a thread, for each thread there may be; and at least. */
const QUEUED_PER_THREAD = 64;
const LEAST_QUEUE = 256;
/** Threads that a growing pool starts at a time: more would not start sooner, and the first of them later. */
const STARTED_AT_ONCE = availableParallelism();
/** How often threads are looked at while they have something to do, ms. */
const CHECK_INTERVAL = 2;
/** A thread above the least number that has had nothing to do for this long is ended, ms; one at a time. */
const IDLE_TIME = 10_000;
/** The wait before a thread is started again that died before it was ready, ms: doubled each time up to the longest. */
const FIRST_DELAY = 100;
const LONGEST_DELAY = 10_000;
/** A tick this late means that the whole process stood still, ms; as does one later than `handlerTimeout`. */
const PAUSE = 2000;

/** What the threads of a process do, as in `WorkerStatus`. */
export type ThreadFigures = Pick<WorkerStatus, 'queued' | 'threads' | 'threadStates' | 'waiting' | 'calls'>;

/** The handler threads of a process. */
export class ThreadPool implements ThreadEvents {
  readonly #options: ResolvedOptions;
  readonly #least: number;
  readonly #most: number;
  readonly #start: StartBacking;
  readonly #host: ServerHost;
  readonly #threads: Set<HandlerThread> = new Set();
  readonly seen: PoolActivity = new PoolActivity(this.#threads);
  readonly #queue: WaitingRequests = new WaitingRequests();
  readonly #figures: PoolFigures = new PoolFigures();
  #isChecking = false;
  #tickedAt = 0;
  #isClosed = false;
  /** What becomes of threads that are being stopped; those that nothing can stop stay in it. */
  readonly #ending: Set<Promise<boolean>> = new Set();
  /** Deaths in a row of threads that were never ready. */
  #failures = 0;
  #place: { readonly address: Address; readonly url: string } | undefined;
  readonly #starting: Map<HandlerThread, { resolve: () => void; reject: (error: Error) => void }> = new Map();

  constructor(options: ResolvedOptions, start: StartBacking, host: ServerHost) {
    this.#options = options;
    this.#least = options.threads.min;
    this.#most = options.threads.max;
    this.#start = start;
    this.#host = host;
  }

  /** Starts the least number of threads. @throws The first error, when the script cannot be run in one. */
  async start(): Promise<void> {
    const first = Array.from({ length: this.#least }, () => this.#add());
    const ready = first.map((thread) => new Promise<void>((resolve, reject) => this.#starting.set(thread, { resolve, reject })));
    const overdue = setTimeout(() => {
      for (const [thread, { reject }] of this.#starting) if (!thread.isReady) reject(new Error(this.#tooLate));
    }, this.#options.startTimeout);
    try {
      await Promise.all(ready);
    } catch (error) {
      await this.close();
      throw new Error(`Cannot start server: a handler thread could not start: ${(error as Error).message}`, { cause: error });
    } finally {
      clearTimeout(overdue);
      this.#starting.clear();
    }
  }

  /** Tells the threads where the server listens. */
  listening(address: Address, url: string): void {
    this.#place = { address, url };
    for (const thread of this.#threads) thread.post(['listening', address, url]);
  }

  /** What they do, for the status. */
  get figures(): ThreadFigures {
    return { ...statesOf(this.#threads), queued: this.#queue.size, calls: this.#figures.calls };
  }

  /** Has a request handled. The promise never rejects. */
  readonly handle = (request: Request): Promise<Response> => {
    return new Promise((resolve) => {
      const flight = new Flight(request, performance.now(), resolve);
      request.whenAborted((reason) => abort(flight, reason));
      this.#dispatch(flight);
      this.#check();
    });
  };

  /** Tells the threads that the server begins to stop. */
  stopping(): void {
    for (const thread of this.#threads) thread.post(['stopping']);
  }

  /** Tells the threads that the server drains. */
  draining(): void {
    for (const thread of this.#threads) thread.post(['draining']);
  }

  /** Ends all threads. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (let flight = this.#queue.next(); flight; flight = this.#queue.next()) flight.refuse(busy(flight));
    for (const thread of this.#threads) void this.#stop(thread);
    this.#threads.clear();
    if ((await Promise.all(this.#ending)).includes(false)) this.#host.onUnstoppable();
  }

  /** Looks at the time of all requests. */
  tick(now: number): void {
    const { handlerTimeout, slowRequest } = this.#options;
    const latest = handlerTimeout === 0 ? Number.NEGATIVE_INFINITY : now - handlerTimeout;
    const wasHeld = now - this.#tickedAt > Math.min(PAUSE, handlerTimeout || PAUSE); // the whole process stood still: its threads could not say anything
    this.#tickedAt = now;
    this.#queue.sweep((flight) => {
      if (flight.startedAt < latest && !flight.isAnswered) flight.refuse(busy(flight));
      return flight.isAnswered; // its client may be gone as well
    });
    for (const thread of this.#threads) {
      if (!thread.isReady && !wasHeld && now - thread.startedAt > this.#options.startTimeout) void this.#giveUp(thread);
      const isLost = handlerTimeout > 0 && !wasHeld && !thread.running && thread.silence(now) > handlerTimeout;
      if (isLost) void this.#replace(thread, thread.onlyFlight, now);
      for (const flight of thread.looked(now)) {
        if (isDeaf(thread, flight, now)) void this.#replace(thread, flight, now);
        if (flight.isAnswered) continue;
        if (flight.since < latest) this.#timeOut(thread, flight, now);
        else if (slowRequest > 0 && !flight.isSlow && flight.since < now - slowRequest) tellSlow(thread, flight, now);
      }
      if (thread.flights.size > 0) thread.probe(now);
    }
    this.#shrink(now);
  }

  onReady(thread: HandlerThread): void {
    this.#failures = 0;
    thread.idleSince = performance.now();
    if (this.#place) thread.post(['listening', this.#place.address, this.#place.url]);
    this.#starting.get(thread)?.resolve();
    this.#drain();
    if (this.#queue.size > 0) this.#grow();
  }

  onAnswer(thread: HandlerThread): void {
    thread.moved();
    if (this.#queue.size > 0) this.#drain();
  }

  onExit(thread: HandlerThread, why: string): void {
    this.#threads.delete(thread);
    const waiting = thread.recallWaiting();
    thread.lose();
    this.#figures.ended(thread);
    this.#starting.get(thread)?.reject(new Error(why));
    if (this.#isClosed || (!thread.isReady && this.#starting.has(thread))) return; // it has ended, or does not start
    log('thread-replaced', `a handler thread has died and is replaced: ${why}`);
    this.#queue.putBack(waiting);
    this.#drain();
    if (thread.isReady) this.#add();
    else this.#addLater();
  }

  onClose(timeout: number | undefined): void {
    this.#host.onClose(timeout);
  }

  async onQuestion(thread: HandlerThread, id: number, question: ServerQuestion): Promise<void> {
    thread.post(['told', id, await answerTo(this.#host, question)]);
  }

  #add(): HandlerThread {
    const thread = new HandlerThread(new MessageChannel(), this.#start, this);
    this.#threads.add(thread);
    this.#figures.add(thread);
    return thread;
  }

  #addLater(): void {
    const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#failures++);
    setTimeout(() => {
      if (!this.#isClosed && this.#threads.size < this.#least) this.#add();
    }, delay).unref();
  }

  #dispatch(flight: Flight): void {
    const thread = this.#queue.size > 0 ? undefined : this.#threadFor();
    if (thread) return thread.send(flight);
    const most = this.#isClosed ? 0 : Math.max(LEAST_QUEUE, QUEUED_PER_THREAD * this.#most);
    const refused = this.#queue.add(flight, most);
    refused?.refuse(busy(refused));
    this.#grow();
  }

  /** One with nothing to do, else one that makes progress. */
  #threadFor(): HandlerThread | undefined {
    let best: HandlerThread | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const thread of this.#threads) {
      if (!thread.isReady || thread.isStalled) continue;
      const { pending } = thread;
      if (pending >= MAX_PENDING) continue;
      const load = pending * 1_000_000 + thread.flights.size; // promises that are open count only among equals
      if (load < fewest) {
        best = thread;
        fewest = load;
      }
    }
    return best;
  }

  /** Gives what waits to the threads that can take it. */
  #drain(): void {
    while (this.#queue.size > 0) {
      const thread = this.#threadFor();
      if (!thread) return;
      const flight = this.#queue.next();
      if (flight && !flight.isAnswered) thread.send(flight); // the client may be gone
    }
  }

  /** Starts threads for what waits, as many as there are requests that no thread on its way will take, a few at a time. */
  #grow(): void {
    let missing = Math.min(this.#queue.size, STARTED_AT_ONCE);
    for (const thread of this.#threads) if (!thread.isReady) missing--;
    for (; missing > 0 && this.#threads.size < this.#most; missing--) {
      if (this.#threads.size === this.#least) this.#host.onPoolSize(false);
      this.#add();
    }
  }

  #shrink(now: number): void {
    if (this.#threads.size <= this.#least) return;
    for (const thread of this.#threads) {
      if (thread.flights.size > 0 || !thread.isReady) thread.idleSince = now;
      else if (now - thread.idleSince > IDLE_TIME && this.#threads.size > this.#least) {
        this.#threads.delete(thread);
        const stopped = this.#stop(thread);
        if (this.#threads.size === this.#least) void stopped.then(() => this.#host.onPoolSize(true));
        return; // one at a time
      }
    }
  }

  /** Looks at the threads soon, and again as long as they have something to do. */
  #check(): void {
    if (this.#isChecking) return;
    this.#isChecking = true;
    setTimeout(this.#look, CHECK_INTERVAL).unref();
  }

  readonly #look = (): void => {
    this.#isChecking = false;
    let isBusy = false;
    const now = performance.now();
    for (const thread of this.#threads) {
      thread.look(now);
      if (thread.isStalled && thread.waiting > 0) this.#recall(thread);
      isBusy ||= thread.pending > 0;
    }
    this.#drain();
    if (this.#queue.size > 0) this.#grow();
    if (isBusy || this.#queue.size > 0) this.#check(); // what was taken back a moment ago waits there, and its thread may have nothing to do by now
  };

  /** Takes back what waits behind a handler, or behind whatever else a thread does. */
  #recall(thread: HandlerThread): void {
    const waiting = thread.recallWaiting();
    if (waiting.length > 0) thread.probe(performance.now());
    this.#queue.putBack(waiting);
  }

  #timeOut(thread: HandlerThread, flight: Flight, now: number): void {
    if (thread.recall(flight)) return flight.refuse(busy(flight));
    if (flight.begunAt === 0) return; // at this moment
    if (thread.running === flight) return endWait(thread, flight, now) ? undefined : void this.#replace(thread, flight, now);
    timeOutPromise(thread, flight, now);
  }

  #stop(thread: HandlerThread): Promise<boolean> {
    const ending = thread.stop();
    this.#ending.add(ending);
    void ending.then((hasEnded) => {
      if (!hasEnded) return;
      this.#ending.delete(ending);
      this.#figures.ended(thread);
    });
    return ending;
  }

  get #tooLate(): string {
    return `its script has not called startServer within ${this.#options.startTimeout / 1000} s (startTimeout)`;
  }

  /** Gives a thread up that does not get ready. */
  async #giveUp(thread: HandlerThread): Promise<void> {
    this.#threads.delete(thread);
    log('thread-replaced', `a handler thread is replaced: ${this.#tooLate}`);
    this.#addLater();
    if (!(await this.#stop(thread))) this.#host.onUnstoppable();
  }

  /** Gives a thread up whose handler does not return. */
  async #replace(thread: HandlerThread, flight: Flight | undefined, now: number): Promise<void> {
    this.#threads.delete(thread);
    this.#queue.putBack(thread.recallWaiting());
    flight?.refuse(tookTooLong(flight.request));
    this.#add();
    this.#drain();
    const what = await tellStuck(thread.backing.worker, flight, now);
    if (await this.#stop(thread)) return;
    tellUnstoppable(what);
    this.#host.onUnstoppable();
  }
}
