/**
 * One worker process as the primary sees it, from its fork to its exit.
 *
 * @module
 */
import cluster, { type Worker } from 'node:cluster';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { withCode } from '../../http/errors/error-codes.ts';
import { type LocalStatus, NO_TOTALS, type Totals } from '../../process/server-status.ts';
import type { ObservedServer } from '../../process/watching/server-activity.ts';
import type { AffinityTable } from '../affinity/table.ts';
import { CHANNEL_PIPE } from '../channels/pipe.ts';
import type { Address } from '../host.ts';
import { withoutStack } from '../operator-log.ts';
import type { HitAnswer, HitQuestion } from '../questions/hit-asker.ts';
import { Replies } from '../questions/replies.ts';
import { answerTo, type ServerQuestion } from '../questions/server-questions.ts';
import { Lines, WATCH_PIPE, type WatchMessage, type WatchQuestion } from '../watchdog/message.ts';
import type { Borrower } from './lender.ts';
import { fromWorker, NOT_CALLED, type PrimaryMessage } from './messages.ts';
import { Sight } from './sight.ts';
import { carryChannels } from './worker-channels.ts';

/** What a worker knows of its server once it listens. */
export interface Place {
  readonly address: Address;
  readonly url: string;
}

/** What the primary hears of a worker; and the whole server, for what its script asks. */
export interface WorkerEvents extends ObservedServer {
  onLeaving(worker: WorkerProcess, isRetiring: boolean): void;
  onExit(worker: WorkerProcess, how: string): void;
  /** Its main thread does not come back from a handler. */
  onStuck(worker: WorkerProcess, what: string): void;
  /** It has had its share of requests or memory. */
  onRecycle(worker: WorkerProcess, rss: number, requests: number): void;
  onLeaseWanted(worker: WorkerProcess): void;
  onLeaseReturned(worker: WorkerProcess, count: number): void;
  onHits(questions: readonly HitQuestion[]): HitAnswer[];
  /** It asks for its place among the others. */
  onJoin(worker: WorkerProcess): void;
  /** It goes by this table of `affinity` now. */
  onTableSeen(worker: WorkerProcess, version: number): void;
}

/** How long a worker may take to answer with its status, ms: one that is stuck never does. */
const STATUS_TIME = 1000;
const SUBJECT = 'Cannot start server: ';
/** How much longer than its threads a worker may take to start, ms: it knows better than we do what it waits for, and its process has to begin first. */
const START_GRACE = 4000;

/** A worker process. */
export class WorkerProcess implements Borrower {
  lent = 0;
  readonly generation: number;
  /** Its place among as many as there are workers: that of its predecessor. */
  readonly slot: number;
  /** Settles when the worker listens; rejects when it cannot start. */
  readonly ready: Promise<Place>;
  /** Settles when the process is gone. */
  readonly exited: Promise<void>;
  /** Monotonic ms of `ready`; undefined before. */
  readyAt: number | undefined;
  /** Its figures when it last reported. */
  totals: Totals = NO_TOTALS;
  /** It was asked to leave, or said that it leaves. */
  isLeaving = false;
  /** A successor has been started. */
  isReplaced = false;
  /** What its threads do. */
  readonly sight: Sight = new Sight({
    look: (id, thread) => this.#tell({ kind: 'look', id, thread }),
    watch: (id) => this.#pipe?.write(`${JSON.stringify({ id } satisfies WatchQuestion)}\n`),
  });
  readonly #worker: Worker;
  /** To the thread that watches it from inside; see watch.ts. */
  readonly #pipe: Duplex | null | undefined;
  readonly #statuses: Replies<void, LocalStatus> = new Replies((id) => this.#tell({ kind: 'status', id }), STATUS_TIME);

  /** @param startTimeout When it is killed unless it listens, ms. */
  constructor(env: Readonly<Record<string, string>>, generation: number, slot: number, startTimeout: number, events: WorkerEvents) {
    this.generation = generation;
    this.slot = slot;
    const worker = cluster.fork(env);
    this.#worker = worker;
    this.#pipe = worker.process.stdio[WATCH_PIPE] as Duplex | null | undefined;
    this.#listen(events);
    const channels = (worker.process.stdio as readonly unknown[])[CHANNEL_PIPE] as Socket | null | undefined;
    if (channels) carryChannels(channels); // there is none when the fork has failed
    let failure: Error | undefined;
    const overdue = setTimeout(() => {
      failure ??= failureOf(`a worker has not listened within ${startTimeout / 1000} s (startTimeout)`, undefined);
      this.kill();
    }, startTimeout + START_GRACE);
    let settleExit = (): void => {};
    this.exited = new Promise((resolve) => {
      settleExit = resolve;
    });
    this.ready = new Promise((resolve, reject) => {
      worker.on('message', (received: unknown) => {
        const message = fromWorker(received);
        if (message?.kind === 'ready') {
          clearTimeout(overdue);
          this.readyAt = performance.now();
          resolve({ address: message.address, url: message.url });
        } else if (message?.kind === 'failed') failure ??= failureOf(message.message, message.code);
        else if (message?.kind === 'leaving') {
          this.isLeaving = true;
          events.onLeaving(this, message.isRetiring);
        } else if (message?.kind === 'status') {
          this.totals = message.status;
          this.#statuses.answered(message.id, message.status);
        } else if (message?.kind === 'affinity-join') events.onJoin(this);
        else if (message?.kind === 'affinity-seen') events.onTableSeen(this, message.version);
        else if (message?.kind === 'lease-wanted') events.onLeaseWanted(this);
        else if (message?.kind === 'lease-returned') events.onLeaseReturned(this, message.count);
        else if (message?.kind === 'recycle') events.onRecycle(this, message.rss, message.requests);
        else if (message?.kind === 'looked') this.sight.looked(message.id, message.seen);
        else if (message?.kind === 'question') void this.#answer(message.id, message.question, events);
        else if (message?.kind === 'hits') this.#tell({ kind: 'hits', id: message.id, answers: events.onHits(message.questions) });
      });
      worker.on('error', (error) => {
        failure ??= error;
      });
      worker.on('exit', (code, signal) => {
        clearTimeout(overdue);
        const how = signal ? `signal ${signal}` : `code ${code}`;
        const why = code === 0 ? NOT_CALLED : `a worker ended with ${how} before it listened; see its output`;
        reject(failure ?? failureOf(why, undefined));
        this.#statuses.abandon();
        this.sight.abandon();
        settleExit();
        events.onExit(this, how);
      });
    });
    this.ready.catch(() => {}); // whoever started it handles this; in the background nobody waits
  }

  /** Its number; none comes twice. */
  get id(): number {
    return this.#worker.id;
  }

  get pid(): number {
    return this.#worker.process.pid ?? 0;
  }

  get isAlive(): boolean {
    return !this.#worker.isDead();
  }

  /** Has it tell balancers that it stops; it keeps serving. */
  announce(): void {
    this.#tell({ kind: 'stopping' });
  }

  /** Tells a worker that asked for a successor that none could start. */
  goOn(): void {
    this.#tell({ kind: 'go-on' });
  }

  /** Asks it to drain and exit. @param isSucceeded Whether its successor serves. */
  close(timeout: number, isSucceeded = false): void {
    this.isLeaving = true;
    this.#tell({ kind: 'close', timeout, isSucceeded });
  }

  /** Ends it at once. */
  kill(): void {
    this.isLeaving = true;
    this.#worker.process.kill('SIGKILL');
  }

  grant(count: number): void {
    this.#tell({ kind: 'lease', count });
  }

  reclaim(): void {
    this.#tell({ kind: 'reclaim' });
  }

  /** Tells it its place among the others. */
  tellPlace(place: Extract<PrimaryMessage, { kind: 'affinity-place' }>['place']): void {
    this.#tell({ kind: 'affinity-place', place });
  }

  /** Tells it who answers for which keys. */
  tellTable(table: AffinityTable): void {
    this.#tell({ kind: 'affinity-table', table });
  }

  /** Its status; undefined when it does not answer. */
  status(): Promise<LocalStatus | undefined> {
    return this.#statuses.ask();
  }

  /** Listens to the thread that watches the worker. */
  #listen(events: WorkerEvents): void {
    const lines = new Lines();
    this.#pipe?.on('error', () => {}); // 'exit' follows
    this.#pipe?.on('data', (bytes: Buffer) => {
      for (const line of lines.take(bytes)) {
        const message = JSON.parse(line) as WatchMessage;
        if ('what' in message) events.onStuck(this, message.what);
        else this.sight.stands(message.id, message.standing);
      }
    });
  }

  async #answer(id: number, question: ServerQuestion, server: ObservedServer): Promise<void> {
    this.#tell({ kind: 'told', id, answer: await answerTo(server, question) });
  }

  #tell(message: PrimaryMessage): void {
    if (this.#worker.isConnected()) this.#worker.process.send({ filrouge: message }, undefined, undefined, () => {}); // 'exit' follows when it is gone
  }
}

/** A worker's failure as an error of the primary: with the system's code when there is one. */
function failureOf(message: string, code: string | undefined): Error {
  const error = withoutStack(new Error(message.startsWith(SUBJECT) ? message : `${SUBJECT}${message}`)); // the worker has printed its own
  return code === undefined ? withCode(error, 'worker-failed') : Object.assign(error, { code });
}
