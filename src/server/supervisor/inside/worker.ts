/**
 * A worker process: serves, reports to the primary, and leaves when it is asked to, when something escaped a handler, or when the primary is gone.
 *
 *     forked ──▶ role read ──▶ starting ───────▶ ready ──▶ serving ───────▶ leaving ────────▶ drained ───────▶ disconnected ──▶ ended
 *     primary    start.ts      pool, listener              connections      no new ones,      last status      nothing is
 *                              │                           on lease         open ones end     to the primary   left to do
 *                              └▶ `failed`, exit code 1
 *
 * It leaves once, for the first of these reasons; a later one can only shorten the drain. A worker that is still starting remembers the reason, and leaves as soon
 * as it listens.
 *
 * | reason | exit code | time for the drain |
 * |---|---|---|
 * | `close` from the primary | 0 | as the message says |
 * | `close()` called in this process or in one of its threads | 0 | as the call says |
 * | SIGTERM to this process alone | 0 | `shutdownTimeout` |
 * | something escaped a handler (when starting: `failed`, exit at once) | 1 | `shutdownTimeout` |
 * | the primary is gone | 1 | `ORPHAN_TIME` at most |
 * | a call into the system holds a thread | SIGKILL after the drain: an exit would wait for the thread | `shutdownTimeout` |
 *
 * Before it leaves a worker may ask for a successor (`recycle`). It goes on serving meanwhile: `close` follows when the successor listens, `go-on` when
 * there is none. Whatever makes it leave, it says so (`leaving`), and the primary starts a successor unless it has one already or is closing.
 *
 * | message | starting | serving | leaving |
 * |---|---|---|---|
 * | `close` | remembered | leaves | shortens the drain |
 * | `stopping` | – | `readiness` answers 503 from now on | no effect |
 * | `go-on` | – | waiting requests begin; asks again later | no effect |
 * | `lease`, `reclaim` | the same in all three: connections may be waiting for it | | |
 * | `hits`, `told`, `affinity-…` | the same in all three: the answer to a question of ours | | |
 * | `status`, `look` | – | answered | answered |
 *
 * @module
 */
import cluster from 'node:cluster';
import { printError } from '../../../exchange/print-error.ts';
import type { Handler } from '../../../exchange/respond.ts';
import { withCode } from '../../../http/errors/error-codes.ts';
import { countHitsWith } from '../../../process/hits.ts';
import { refuseSeveral } from '../../../process/one-memory.ts';
import type { ServerStatus } from '../../../process/server-status.ts';
import type { ServerActivity } from '../../../process/watching/server-activity.ts';
import type { LocalServer, ServerHost } from '../../host.ts';
import { isPlain } from '../../operator-log.ts';
import type { ResolvedOptions, RunningServer } from '../../options.ts';
import { HitAsker } from '../../questions/hit-asker.ts';
import { AskedServer } from '../../questions/server-questions.ts';
import { serveLocally } from '../../serve.ts';
import { fromPrimary, type WorkerMessage } from '../messages.ts';
import { joinChannels } from './channels.ts';
import { LeaseGate } from './lease-gate.ts';
import { Membership } from './membership.ts';
import { Recycling } from './recycling.ts';

/** How long a worker without a primary may take to finish what it has, ms. */
const ORPHAN_TIME = 5000;
/** Not the number of any question: the status is sent unasked, so that what the worker has served counts when it is gone. */
const UNASKED = -1;
/** How often it is sent when something has happened since, ms. */
const REPORT_INTERVAL = 1000;
/** How long the process may live on after its last connection, ms: something a handler started may hold it. */
const AFTERMATH = 1000;

/** Starts to serve as a worker. @param root The name of the primary's hub of channels. */
export async function startWorker(handler: Handler, options: ResolvedOptions, root: string): Promise<RunningServer> {
  if (options.workers > 1) refuseSeveral(`${options.workers} workers`);
  joinChannels(root);
  return new WorkerLife(options).start(handler);
}

/** How a worker leaves. */
interface Departure {
  readonly timeout: number;
  readonly code: number;
  readonly isSucceeded: boolean;
}

class WorkerLife implements ServerHost {
  readonly hasPrimary = true;
  readonly affinity: Membership = new Membership(tell);
  readonly #options: ResolvedOptions;
  readonly #gate: LeaseGate = new LeaseGate(
    () => tell({ kind: 'lease-wanted' }),
    (count) => tell({ kind: 'lease-returned', count }),
  );
  readonly #recycling: Recycling;
  readonly #hits: HitAsker = new HitAsker((id, questions) => tell({ kind: 'hits', id, questions }));
  /** The whole server, as the primary knows it. */
  readonly #server: AskedServer = new AskedServer((id, question) => tell({ kind: 'question', id, question }));
  /** Undefined while it is starting. */
  #local: LocalServer | undefined;
  /** Undefined until it leaves. */
  #departure: Departure | undefined;
  /** A call into the system holds a thread for ever. */
  #isHeld = false;

  constructor(options: ResolvedOptions) {
    this.#options = options;
    this.#recycling = new Recycling(options, {
      ask: (rss) => tell({ kind: 'recycle', rss, requests: this.#countRequests() }),
      mayAsk: () => this.#local?.takenOver === 0,
    });
  }

  async start(handler: Handler): Promise<RunningServer> {
    this.#listenToPrimary();
    const local = await serveLocally(handler, this.#options, this.#gate, this).catch((error: unknown) => {
      const { message, code } = error as NodeJS.ErrnoException; // serveLocally throws nothing else
      tell({ kind: 'failed', message, code });
      throw error;
    });
    this.#local = local;
    if (this.#departure) await this.#end(local, this.#departure);
    this.#recycling.start(() => this.#countRequests());
    this.#reportFrom(local);
    tell({ kind: 'ready', address: local.address, url: local.url });
    return this.#serverOf(local);
  }

  onUnstoppable(): void {
    this.#isHeld = true;
    void this.#leave(this.#options.shutdownTimeout, 1);
  }

  onPoolSize(isLeast: boolean): void {
    this.#recycling.poolSize(isLeast);
  }

  onClose(timeout: number = this.#options.shutdownTimeout): void {
    void this.#leave(timeout, 0);
  }

  guard(handler: Handler): Handler {
    return this.#recycling.guard(handler);
  }

  status(): Promise<ServerStatus> {
    return this.#server.status();
  }

  activity(): Promise<ServerActivity> {
    return this.#server.activity();
  }

  stackOf(pid: number, thread: number): Promise<readonly string[] | undefined> {
    return this.#server.stackOf(pid, thread);
  }

  #listenToPrimary(): void {
    process.channel?.ref(); // see idle.ts: it was not to keep the process alive until here
    countHitsWith((...question) => this.#hits.ask(...question));
    process.on('uncaughtException', this.#onEscaped);
    process.on('message', this.#onMessage);
    if (this.#options.signals) {
      process.on('SIGINT', () => {}); // Ctrl-C reaches the whole group, and so does the end of a terminal: the primary says what follows from it
      process.on('SIGHUP', () => {});
      process.on('SIGTERM', () => void this.#leave(this.#options.shutdownTimeout, 0));
    }
    process.prependListener('disconnect', this.#onDisconnect);
  }

  readonly #onMessage = (received: unknown): void => {
    const message = fromPrimary(received);
    if (!message) return;
    switch (message.kind) {
      case 'close':
        void this.#leave(message.timeout, 0, message.isSucceeded);
        break;
      case 'stopping':
        this.#local?.announce();
        break;
      case 'go-on':
        this.#recycling.goOn(false);
        break;
      case 'lease':
        this.#gate.granted(message.count);
        break;
      case 'reclaim':
        this.#gate.reclaimed();
        break;
      case 'hits':
        this.#hits.answered(message.id, message.answers);
        break;
      case 'told':
        this.#server.answered(message.id, message.answer);
        break;
      case 'look':
        if (this.#local) void tellSeen(message.id, message.thread, this.#local);
        break;
      case 'affinity-place':
      case 'affinity-table':
        this.affinity.told(message);
        break;
      case 'status':
        if (this.#local) tellStatus(message.id, this.#local);
        break;
    }
  };

  /** Something has escaped a handler: what it has left behind is unknown. */
  readonly #onEscaped = (error: unknown): void => {
    if (!isPlain(error)) printError(this.#local ? 'Something has escaped a handler' : 'Cannot start worker', error);
    if (!this.#local) {
      tell({ kind: 'failed', message: isPlain(error) ? error.message : textOf(error), code: undefined });
      process.exit(1);
    }
    void this.#leave(this.#options.shutdownTimeout, 1);
  };

  readonly #onDisconnect = (): void => {
    this.#hits.abandon();
    this.#server.abandon();
    if (!cluster.worker) return;
    cluster.worker.exitedAfterDisconnect = true; // else node:cluster ends the process here and now, with requests in flight
    void this.#leave(Math.min(this.#options.shutdownTimeout, ORPHAN_TIME), 1);
  };

  async #leave(timeout: number, code: number, isSucceeded = false): Promise<void> {
    if (this.#departure) return void this.#local?.close({ timeout, isSucceeded });
    this.#departure = { timeout, code, isSucceeded };
    this.#recycling.goOn(true);
    tell({ kind: 'leaving', isRetiring: this.#isHeld });
    if (this.#local) await this.#end(this.#local, this.#departure);
  }

  /** Drains and disconnects: the process then ends by itself when nothing is left to do. */
  async #end(local: LocalServer, { timeout, code, isSucceeded }: Departure): Promise<void> {
    await local.close({ timeout, isSucceeded });
    tellStatus(UNASKED, local);
    if (this.#isHeld) process.kill(process.pid, 'SIGKILL'); // an exit would wait for the thread that nothing can stop
    process.exitCode = code;
    cluster.worker?.disconnect();
    setTimeout(() => process.exit(), AFTERMATH).unref();
  }

  #countRequests(): number {
    return this.#local?.requests ?? 0;
  }

  /** Keeps the primary informed of what it has served. A process that exits has just time for it; one that is killed has not. */
  #reportFrom(local: LocalServer): void {
    let before = 0;
    const report = (): void => {
      const { activity } = local;
      if (activity === before) return;
      before = activity;
      tellStatus(UNASKED, local);
    };
    setInterval(report, REPORT_INTERVAL).unref();
    process.on('exit', report);
  }

  #serverOf(local: LocalServer): RunningServer {
    const close = async ({ timeout = this.#options.shutdownTimeout }: { timeout?: number | undefined } = {}): Promise<void> => {
      await this.#leave(timeout, 0);
      await local.closed;
    };
    return {
      url: local.url,
      address: local.address,
      role: 'worker',
      closed: local.closed,
      close,
      reload: () => Promise.reject(onlyInPrimary('reload')),
      status: () => this.status(),
      activity: () => this.activity(),
      stackOf: (pid, thread) => this.stackOf(pid, thread),
      [Symbol.asyncDispose]: () => close(),
    };
  }
}

function tellStatus(id: number, local: LocalServer): void {
  tell({ kind: 'status', id, status: local.status() });
}

async function tellSeen(id: number, thread: number | undefined, local: LocalServer): Promise<void> {
  tell({ kind: 'looked', id, seen: await (thread === undefined ? local.look() : local.stackOf(thread)) });
}

function tell(message: WorkerMessage): void {
  if (process.connected) process.send?.({ filrouge: message }, undefined, undefined, () => {}); // 'disconnect' tells of a primary that is gone
}

function onlyInPrimary(what: string): Error {
  return withCode(
    new Error(`Cannot ${what}: this is a worker; ask the server that startServer gave to the primary (role "primary")`),
    'bad-option',
  );
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
