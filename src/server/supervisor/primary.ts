/**
 * The primary: forks the workers, replaces those that die, and serves no request itself.
 *
 * Workers accept from one listening socket that they share (docs/decisions/0001-distribution.md). A successor is always ready before
 * its predecessor is asked to leave, so that at every moment some worker accepts. A worker that dies is replaced at once. When workers keep dying
 * young, each successor starts a little later than the one before; workers that never get ready end the server, with the first error.
 *
 * @module
 */
import cluster from 'node:cluster';
import { setTimeout as pause } from 'node:timers/promises';
import { hubOf } from '../../process/channels/hub.ts';
import { DURATION_BOUNDS } from '../../process/durations.ts';
import { HitCounter } from '../../process/hit-counter.ts';
import { refuseSeveral } from '../../process/one-memory.ts';
import { addTotals, NO_TOTALS, NOTHING_NOW, type ServerStatus, type Totals, type WorkerStatus } from '../../process/server-status.ts';
import type { ServerActivity } from '../../process/watching/server-activity.ts';
import { log, logForPrograms, logStarted } from '../operator-log.ts';
import type { ResolvedOptions, RunningServer } from '../options.ts';
import { answerHits, type HitAnswer, type HitQuestion } from '../questions/hit-asker.ts';
import { sharedForAWhile } from '../questions/shared-for-a-while.ts';
import { checkScript, WORKER_ROLE } from '../roles.ts';
import { marksOf, recentMarks } from '../seen/marks.ts';
import { drainOnSignals } from '../signals.ts';
import { removeStaleSocket, tightenUmask } from '../socket/socket-file.ts';
import { EarlyDeaths, MAX_FAILURES, messageOf } from './early-deaths.ts';
import { Lender } from './lender.ts';
import { probe } from './probe.ts';
import { Registry } from './registry.ts';
import { type Place, type WorkerEvents, WorkerProcess } from './worker-process.ts';

/** How long a worker may overstay its drain before it is killed, ms. */
const OVERSTAY = 2000;

/** Starts the workers. */
export async function startPrimary(options: ResolvedOptions): Promise<RunningServer> {
  checkScript('workers');
  if (options.workers > 1) refuseSeveral(`${options.workers} workers`);
  await removeStaleSocket(options);
  const port = await probe(options);
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ stdio: ['inherit', 'inherit', 'inherit', 'ipc', 'pipe', 'pipe'] }); // see WATCH_PIPE and CHANNEL_PIPE
  const supervisor = new Supervisor(options, port);
  const place = await supervisor.start();
  logStarted(place.url, options);
  return supervisor.serverAt(place);
}

class Supervisor implements WorkerEvents {
  readonly #options: ResolvedOptions;
  readonly #port: number;
  readonly #lender: Lender;
  /** Who answers for which keys; only with `affinity`. */
  readonly #registry: Registry | undefined;
  /** What rate limiters count, over all workers and their deaths. */
  readonly #hits: HitCounter = new HitCounter();
  /** Every process that has not ended. */
  readonly #workers: Set<WorkerProcess> = new Set();
  /** The name of the hub of channels in this process. */
  readonly #root: string = hubOf(setImmediate).root;
  #generation = 1;
  #restarts = 0;
  /** The figures of workers that have ended. */
  #before: Totals = NO_TOTALS;
  readonly #deaths: EarlyDeaths = new EarlyDeaths();
  #isStarting = true;
  #closing: Promise<void> | undefined;
  #settleClosed = (): void => {};
  readonly #closed: Promise<void> = new Promise((resolve) => {
    this.#settleClosed = resolve;
  });
  #reloading: Promise<void> | undefined;
  /** The worker that is being recycled: one at a time. */
  #recycling: Promise<void> = Promise.resolve();
  #releaseSignals = (): void => {};
  readonly #onHangup = (): void => {
    if (this.#isStarting || this.#closing) return; // the workers are as new as they can be, or leave anyway
    this.reload().catch((error: unknown) => log('reload-failed', `reload failed, the old workers keep serving: ${messageOf(error)}`));
  };

  constructor(options: ResolvedOptions, port: number) {
    this.#options = options;
    this.#port = port;
    this.#lender = new Lender(options.maxConnections, options.workers);
    this.#registry = Registry.of(options);
  }

  /** Forks all workers and waits until each listens. When one cannot, all are ended. */
  async start(): Promise<Place> {
    const stop = (isUrgent: boolean): unknown => (isUrgent ? this.#abandon() : this.#leave());
    if (this.#options.signals) this.#releaseSignals = drainOnSignals(stop, this.#onHangup);
    const workers = Array.from({ length: this.#options.workers }, (_, slot) => this.#fork(slot));
    const restoreUmask = tightenUmask(this.#options); // the workers have theirs; their common socket is made in this process
    try {
      const [place] = await Promise.all(workers.map((worker) => worker.ready)).finally(restoreUmask);
      this.#isStarting = false;
      return place as Place; // there is at least one worker
    } catch (error) {
      if (this.#closing) {
        await this.#closing;
        process.exit(0); // a signal came before the server was ready: there is no caller left to answer
      }
      this.#releaseSignals();
      for (const worker of this.#workers) worker.kill();
      await Promise.all(workers.map((worker) => worker.exited));
      this.#registry?.close();
      throw error;
    }
  }

  /** What `startServer` gives to the primary. */
  serverAt({ address, url }: Place): RunningServer {
    const close = (how?: { timeout?: number | undefined }): Promise<void> => this.close(how);
    return {
      url,
      address,
      role: 'primary',
      closed: this.#closed,
      close,
      reload: () => this.reload(),
      status: () => this.status(),
      activity: () => this.activity(),
      stackOf: (pid, thread) => this.stackOf(pid, thread),
      [Symbol.asyncDispose]: () => close(),
    };
  }

  /** What a signal asks for: balancers hear of it first. */
  async #leave(): Promise<void> {
    for (const worker of this.#workers) if (worker.readyAt !== undefined) worker.announce();
    if (this.#options.shutdownDelay > 0 && !this.#isStarting) await pause(this.#options.shutdownDelay);
    await this.close();
  }

  close({ timeout = this.#options.shutdownTimeout }: { timeout?: number | undefined } = {}): Promise<void> {
    if (!this.#closing && !this.#isStarting) log('draining', `draining: connections are cut in ${timeout} ms`, { timeout });
    const workers = [...this.#workers];
    for (const worker of workers) {
      if (worker.readyAt !== undefined) worker.close(timeout);
      else worker.kill(); // it has served no one, and may not hear us yet
    }
    const overdue = setTimeout(() => {
      for (const worker of workers) if (worker.isAlive) worker.kill();
    }, timeout + OVERSTAY);
    const ended = Promise.all(workers.map((worker) => worker.exited)).then(() => clearTimeout(overdue));
    this.#closing ??= this.#close(ended);
    return this.#closing;
  }

  async #close(ended: Promise<void>): Promise<void> {
    await ended;
    this.#releaseSignals();
    this.#registry?.close();
    if (!this.#isStarting) log('drained', 'drained: all workers have ended');
    this.#settleClosed();
  }

  /** The second signal: ends everything now. */
  #abandon(): void {
    for (const worker of this.#workers) worker.kill();
    process.exit(1);
  }

  /** A new generation, worker by worker. One reload at a time; a second call waits for the first. */
  async reload(): Promise<void> {
    while (this.#reloading) await this.#reloading.catch(() => {});
    this.#reloading = this.#replaceAll();
    try {
      await this.#reloading;
    } finally {
      this.#reloading = undefined;
    }
  }

  async #replaceAll(): Promise<void> {
    if (this.#closing) throw closing();
    this.#generation++;
    const old = [...this.#workers].filter((worker) => !worker.isLeaving);
    for (const worker of old) await this.#replace(worker);
    log('reloaded', `reloaded: generation ${this.#generation} serves`, { generation: this.#generation });
  }

  /** Starts a successor, and asks the worker to leave when that listens. */
  async #replace(worker: WorkerProcess): Promise<void> {
    if (this.#closing) throw closing();
    const successor = this.#fork(worker.slot);
    successor.isReplaced = true; // until it listens we alone wait for it
    await successor.ready;
    successor.isReplaced = false;
    if (worker.isReplaced) return successor.close(this.#options.shutdownTimeout, true); // the worker died meanwhile, and has a successor
    worker.isReplaced = true;
    worker.close(this.#options.shutdownTimeout, true);
  }

  async status(): Promise<ServerStatus> {
    const all = await Promise.all(this.#serving.map(async (worker) => ({ worker, status: await statusOf(worker) })));
    const workers = all.filter(({ worker }) => this.#workers.has(worker)).map(({ status }) => status); // who has ended meanwhile is in #before
    const totals = workers.reduce<Totals>(addTotals, this.#before);
    return { generation: this.#generation, restarts: this.#restarts, bounds: DURATION_BOUNDS, ...totals, workers };
  }

  readonly activity: () => Promise<ServerActivity> = sharedForAWhile(async () => {
    const seen = await Promise.all(this.#serving.map(async (worker) => ({ worker, ...(await worker.sight.activity()) })));
    const workers = seen.map(({ worker: { pid, generation }, marks: _marks, ...told }) => ({ pid, generation, ...told }));
    return { workers, marks: marksOf(recentMarks(), ...seen.map(({ marks }) => marks)) };
  });

  async stackOf(pid: number, thread: number): Promise<readonly string[] | undefined> {
    return this.#serving.find((worker) => worker.pid === pid)?.sight.stackOf(thread);
  }

  get #serving(): WorkerProcess[] {
    return [...this.#workers].filter((worker) => worker.readyAt !== undefined);
  }

  onLeaving(worker: WorkerProcess, isRetiring: boolean): void {
    if (this.#closing) return;
    this.#registry?.leaving(worker);
    if (worker.isReplaced) return;
    // Something escaped a handler, or it was sent SIGTERM: the successor need not wait for the end of the drain.
    if (isRetiring) this.#succeed(worker, 'retires', 0);
    else this.#succeed(worker, 'leaves');
  }

  onExit(worker: WorkerProcess, how: string): void {
    this.#workers.delete(worker);
    this.#lender.remove(worker);
    this.#registry?.gone(worker);
    this.#before = addTotals(this.#before, worker.totals);
    if (this.#isStarting || this.#closing) return;
    if (worker.readyAt === undefined) return this.#countFailure(worker);
    if (!worker.isReplaced) this.#succeed(worker, `ended with ${how}`);
  }

  onStuck(worker: WorkerProcess, what: string): void {
    if (this.#closing || worker.isReplaced) return log('stuck', what);
    log('stuck', `${what}; its worker ${worker.pid} is replaced`, { worker: worker.pid });
    this.#restarts++;
    void this.#replaceStuck(worker).catch((error: unknown) =>
      log('start-failed', `no successor for worker ${worker.pid} could start: ${messageOf(error)}`, { worker: worker.pid }),
    );
  }

  /** A worker that hears nothing is killed when its successor listens: its other requests would wait for ever. */
  async #replaceStuck(worker: WorkerProcess): Promise<void> {
    worker.isReplaced = true;
    const successor = this.#fork(worker.slot);
    await successor.ready.finally(() => worker.kill());
  }

  onRecycle(worker: WorkerProcess, rss: number, requests: number): void {
    this.#recycling = this.#recycling.then(async () => {
      if (this.#closing || worker.isReplaced || !this.#workers.has(worker)) return;
      try {
        await this.#replace(worker);
      } catch (error) {
        worker.goOn();
        return log('recycling-failed', `recycling failed, the old worker keeps serving: ${messageOf(error)}`, { worker: worker.pid });
      }
      const what = `${requests} requests, ${Math.round(rss / 2 ** 20)} MiB of memory`;
      log('recycled', `worker ${worker.pid} recycled after ${what}`, { worker: worker.pid, requests, rss });
    });
  }

  onLeaseWanted(worker: WorkerProcess): void {
    this.#lender.want(worker);
  }

  onLeaseReturned(worker: WorkerProcess, count: number): void {
    this.#lender.giveBack(worker, count);
  }

  onJoin(worker: WorkerProcess): void {
    this.#registry?.join(worker);
  }

  onTableSeen(worker: WorkerProcess, version: number): void {
    this.#registry?.seen(worker, version);
  }

  onHits(questions: readonly HitQuestion[]): HitAnswer[] {
    return answerHits(this.#hits, questions, performance.now());
  }

  #fork(slot: number): WorkerProcess {
    const { tls, workers } = this.#options;
    const slots = this.#registry ? `${slot}:${workers}` : '';
    const env = { [WORKER_ROLE]: `${this.#generation}:${this.#port}:${tls?.ticketSecret ?? ''}:${this.#root}:${slots}` };
    const worker = new WorkerProcess(env, this.#generation, slot, this.#options.startTimeout, this);
    this.#workers.add(worker);
    this.#lender.add(worker);
    worker.ready.then(
      () => {
        this.#registry?.ready(worker);
        const fields = { worker: worker.pid, generation: worker.generation };
        const tell = this.#isStarting ? logForPrograms : log; // people read that all of them are, in one line
        tell('ready', `worker ${worker.pid} is ready, generation ${worker.generation}`, fields);
      },
      () => {}, // whoever waits for it reports that
    );
    return worker;
  }

  /** Replaces a worker that leaves unasked: at once, or after a growing delay when workers die young. */
  #succeed(worker: WorkerProcess, why: string, delay: number = this.#deaths.delayAfter(worker, why)): void {
    worker.isReplaced = true;
    this.#restarts++;
    log('replaced', `worker ${worker.pid} ${why}; its successor starts ${delay === 0 ? 'now' : `in ${delay} ms`}`, {
      worker: worker.pid,
      delay,
    });
    this.#forkAfter(worker.slot, delay);
  }

  #forkAfter(slot: number, delay: number): void {
    if (delay === 0) {
      this.#fork(slot);
      return;
    }
    setTimeout(() => {
      if (!this.#closing) this.#fork(slot);
    }, delay);
  }

  /** A worker has ended before it listened. */
  #countFailure(worker: WorkerProcess): void {
    worker.ready.catch((error: unknown) => {
      const count = this.#deaths.countFailure(error);
      if (worker.isReplaced) return; // the reload or recycling that started it reports this
      log('start-failed', `worker ${worker.pid} could not start: ${messageOf(error)}`, { worker: worker.pid });
      const isServing = [...this.#workers].some((other) => other.readyAt !== undefined && !other.isLeaving);
      if (!isServing && count >= MAX_FAILURES) {
        log('gave-up', `giving up: ${count} workers in a row could not start; the first error was: ${this.#deaths.firstFailure}`);
        process.exit(1);
      }
      this.#succeed(worker, 'never listened');
    });
  }
}

function closing(): Error {
  return new Error('Cannot replace workers: the server is closing');
}

async function statusOf(worker: WorkerProcess): Promise<WorkerStatus> {
  const { pid, generation } = worker;
  const status = (await worker.status()) ?? { ...worker.totals, ...NOTHING_NOW }; // it is stuck: what it has done counts all the same
  return { pid, generation, ...status };
}
