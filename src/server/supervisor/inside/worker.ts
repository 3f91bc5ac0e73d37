/**
 * A worker process: serves, tells the primary how it fares, and leaves when it is told to, when something escaped a handler, or when the primary is gone.
 *
 * It leaves by draining and then disconnecting: the process ends by itself when nothing is left to do.
 *
 * @module
 */
import cluster from 'node:cluster';
import type { Handler } from '../../../exchange/respond.ts';
import { withCode } from '../../../http/error-codes.ts';
import { countHitsWith } from '../../../process/hits.ts';
import { refuseSeveral } from '../../../process/one-memory.ts';
import type { ServerStatus } from '../../../process/server-status.ts';
import { HitAsker } from '../../hit-asker.ts';
import type { ResolvedOptions, RunningServer } from '../../options.ts';
import { Questions } from '../../questions.ts';
import { serveLocally } from '../../serve.ts';
import { LeaseGate } from '../lender.ts';
import { fromPrimary, type WorkerMessage } from '../messages.ts';
import { Recycling } from './recycling.ts';

/** How long a worker without a primary may take to finish what it has, ms. */
const ORPHAN_TIME = 5000;
/** The number of no question: what it has served in all. */
const LAST_STATUS = -1;
/** How long the process may live on after its last connection, ms: something a handler started may hold it. */
const AFTERMATH = 1000;

/** Starts to serve as a worker. */
export async function startWorker(handler: Handler, options: ResolvedOptions): Promise<RunningServer> {
  if (options.workers > 1) refuseSeveral(`${options.workers} workers`);
  /** A call into the system holds a thread for ever. */
  let isHeld = false;
  // Both are filled in as they come: it may be told to go before it listens, and then goes as soon as it does.
  const serving: { stop?: (timeout: number, code: number) => Promise<void> } = {};
  const leaving: { timeout: number; code: number; isTold: boolean } = { timeout: options.shutdownTimeout, code: 0, isTold: false };
  const leave = async (timeout: number, code: number): Promise<void> => {
    if (leaving.isTold) return;
    Object.assign(leaving, { timeout, code, isTold: true });
    recycling.goOn(true);
    tell({ kind: 'leaving', isRetiring: isHeld });
    await serving.stop?.(timeout, code);
  };

  const gate = new LeaseGate(
    () => tell({ kind: 'lease-wanted' }),
    (count) => tell({ kind: 'lease-returned', count }),
  );
  const recycling = new Recycling(options, {
    ask: (rss) => tell({ kind: 'recycle', rss, requests: local.status().requests }),
    mayAsk: () => local.takenOver === 0,
  });
  const hits = new HitAsker((id, questions) => tell({ kind: 'hits', id, questions }));
  const statuses = new Questions<ServerStatus>((id) => tell({ kind: 'server-status', id }));
  countHitsWith((key, window, limit) => hits.ask(key, window, limit));
  process.on('uncaughtException', (error) => {
    console.error(error);
    if (!serving.stop) {
      tell({ kind: 'failed', message: textOf(error), code: undefined });
      process.exit(1);
    }
    void leave(options.shutdownTimeout, 1);
  });
  process.on('message', (received) => {
    const message = fromPrimary(received);
    if (message?.kind === 'close') void leave(message.timeout, 0);
    else if (message?.kind === 'lease') gate.granted(message.count);
    else if (message?.kind === 'reclaim') gate.reclaimed();
    else if (message?.kind === 'go-on') recycling.goOn(false);
    else if (message?.kind === 'stopping') local.announce();
    else if (message?.kind === 'server-status') statuses.answered(message.id, message.status);
    else if (message?.kind === 'hits') hits.answered(message.id, message.answers);
    else if (message?.kind === 'status') {
      tellStatus(message.id);
    }
  });
  if (options.signals) {
    process.on('SIGINT', () => {}); // Ctrl-C reaches the whole group: the primary says what follows from it
    process.on('SIGTERM', () => void leave(options.shutdownTimeout, 0));
  }
  process.prependListener('disconnect', () => {
    hits.abandon();
    statuses.abandon('Cannot tell the status: the primary is gone');
    if (leaving.isTold || !cluster.worker) return;
    cluster.worker.exitedAfterDisconnect = true; // else node:cluster ends the process here and now, with requests in flight
    void leave(Math.min(options.shutdownTimeout, ORPHAN_TIME), 1);
  });

  const tellStatus = (id: number): void => tell({ kind: 'status', id, status: { ...local.status(), rss: process.memoryUsage.rss() } });
  const host = {
    hasPrimary: true,
    onUnstoppable: (): void => {
      isHeld = true;
      void leave(options.shutdownTimeout, 1);
    },
    onPoolSize: (isLeast: boolean): void => recycling.poolSize(isLeast),
    onClose: (timeout = options.shutdownTimeout): void => void leave(timeout, 0),
    guard: (inner: Handler) => recycling.guard(inner),
    status: () => statuses.ask(),
  };
  const local = await serveLocally(handler, options, gate, host).catch((error: unknown) => {
    const { message, code } = error as NodeJS.ErrnoException; // serveLocally throws nothing else
    tell({ kind: 'failed', message, code });
    throw error;
  });
  serving.stop = async (timeout, code) => {
    await local.close({ timeout });
    tellStatus(LAST_STATUS);
    if (isHeld) process.kill(process.pid, 'SIGKILL'); // an exit would wait for the thread that nothing can stop
    process.exitCode = code;
    cluster.worker?.disconnect();
    setTimeout(() => process.exit(), AFTERMATH).unref();
  };
  if (leaving.isTold) await serving.stop(leaving.timeout, leaving.code);

  recycling.start(() => local.status().requests);
  tell({ kind: 'ready', address: local.address, url: local.url });
  return {
    url: local.url,
    address: local.address,
    role: 'worker',
    closed: local.closed,
    close: ({ timeout = options.shutdownTimeout } = {}) => leave(timeout, 0).then(() => local.closed),
    reload: () => Promise.reject(onlyInPrimary('reload')),
    status: () => statuses.ask(),
    [Symbol.asyncDispose]: () => leave(options.shutdownTimeout, 0).then(() => local.closed),
  };
}

function tell(message: WorkerMessage): void {
  if (process.connected) process.send?.({ filrouge: message }, undefined, undefined, () => {}); // a primary that is gone is told of by 'disconnect'
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
