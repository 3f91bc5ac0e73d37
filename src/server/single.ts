/**
 * A server without workers: this process listens and serves, and nothing replaces it.
 *
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Handler } from '../exchange/respond.ts';
import { withCode } from '../http/errors/error-codes.ts';
import { DURATION_BOUNDS } from '../process/durations.ts';
import { addTotals, NO_TOTALS, type ServerStatus } from '../process/server-status.ts';
import type { ServerActivity } from '../process/watching/server-activity.ts';
import { localGate } from './connection-gate.ts';
import type { LocalServer } from './host.ts';
import { logStarted } from './operator-log.ts';
import type { ResolvedOptions, RunningServer } from './options.ts';
import { sharedForAWhile } from './questions/shared-for-a-while.ts';
import { serveLocally } from './serve.ts';
import { AFTERMATH, drainOnSignals, endWithThreads } from './signals.ts';
import { removeStaleSocket } from './socket/socket-file.ts';

/** Serves in this process. */
export async function startSingle(handler: Handler, options: ResolvedOptions): Promise<RunningServer> {
  await removeStaleSocket(options);
  /** A call into the system holds a thread for ever. */
  let isHeld = false;
  const local: LocalServer = await serveLocally(handler, options, localGate(options.maxConnections), {
    hasPrimary: false,
    onUnstoppable: () => {
      isHeld = true; // it has been logged, and there is no primary to replace this process
    },
    onPoolSize: () => {}, // nor to get rid of what the threads have left behind
    onClose: (timeout) => void local.close(timeout === undefined ? {} : { timeout }),
    guard: (inner) => inner,
    status: async () => status(),
    activity: () => activity(),
    stackOf: (pid, thread) => stackOf(pid, thread),
  });
  const activity = sharedForAWhile(async (): Promise<ServerActivity> => {
    const { marks, ...told } = await local.look();
    return { workers: [{ pid: process.pid, generation: 1, ...told }], marks };
  });
  const stackOf = async (pid: number, thread: number): Promise<readonly string[] | undefined> =>
    pid === process.pid ? local.stackOf(thread) : undefined;
  const status = (): ServerStatus => {
    const own = { pid: process.pid, generation: 1, ...local.status() };
    return { generation: 1, restarts: 0, bounds: DURATION_BOUNDS, ...addTotals(NO_TOTALS, own), workers: [own] };
  };
  const stop = async (): Promise<void> => {
    local.announce();
    await pause(options.shutdownDelay);
    await local.close();
    if (isHeld) setTimeout(endWithThreads, AFTERMATH);
  };
  const endNow = (): void => (options.threads.max > 0 ? endWithThreads() : process.exit(1));
  const release = options.signals ? drainOnSignals((isUrgent) => (isUrgent ? endNow() : stop())) : () => {};
  void local.closed.then(release);
  logStarted(local.url, options);
  return {
    url: local.url,
    address: local.address,
    role: 'single',
    closed: local.closed,
    close: (how) => local.close(how),
    reload: () => Promise.reject(withCode(new Error('Cannot reload: this server has no workers'), 'bad-option')),
    status: async () => status(),
    activity,
    stackOf,
    [Symbol.asyncDispose]: () => local.close(),
  };
}
