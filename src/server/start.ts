/**
 * `startServer`: finds out which part this process plays, and plays it.
 *
 * The same script runs in the primary and in every worker. What a part needs is loaded when it is played: a program that only makes
 * requests and responses loads neither node:cluster nor node:child_process.
 *
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises';
import { withCode } from '../http/error-codes.ts';
import type { ServerStatus } from '../http/server-status.ts';
import { localGate } from './gate.ts';
import { removeStaleSocket } from './listener.ts';
import { type LocalServer, serveLocally } from './local.ts';
import { logAs } from './operator-log.ts';
import { type Handler, type ResolvedOptions, type RunningServer, resolveOptions, type ServerOptions } from './options.ts';
import { THREAD_ROLE, takeRole, WORKER_ROLE } from './roles.ts';
import { drainOnSignals } from './signals.ts';

/** What the primary has told this worker; undefined in a process that no primary of ours has started. */
let role: { readonly generation: number; readonly port: number } | undefined;
let isThread = false;
/** A server with workers or threads has been started here: they run this script, and can tell one server from another no more than that. */
let isStarted = false;

/**
 * Starts the server: forks `workers` processes, each running this same script, and hands every parsed request to `handler`.
 *
 * In the primary it resolves when every worker listens; in a worker, when that worker listens.
 *
 * @param handler Called once for each request, with its body. Returns a Response, or a promise of one.
 * @param options See `ServerOptions`. All have defaults that are safe on the open internet.
 * @throws TypeError or RangeError (code `bad-option`) for a wrong option, before anything is started. An error of the system when the port
 *   is in use or may not be bound: nothing is left running. An error with code `worker-failed` when a worker cannot start.
 * @example
 * startServer((request) => Response.text(`hello, ${request.remoteAddress}`), { port: 8000 });
 */
export async function startServer(handler: Handler, options?: ServerOptions): Promise<RunningServer> {
  if (typeof handler !== 'function') {
    throw withCode(new TypeError(`Cannot start server: the handler is ${typeof handler}, not a function`), 'bad-option');
  }
  const resolved = resolveOptions(options);
  readRoles();
  logAs(resolved.log);
  if (role === undefined && !isThread && resolved.workers === 0 && resolved.threads.max === 0) return startSingle(handler, resolved);
  if (isStarted) {
    const hint = 'use one handler for both, or workers: 0 in scripts of their own';
    throw withCode(new Error(`Cannot start server: this process serves with workers or threads already; ${hint}`), 'already-started');
  }
  isStarted = true;
  try {
    if (isThread) {
      const { startThread } = await import('./threads/start-thread.ts');
      return await startThread(handler, resolved);
    }
    if (role === undefined && resolved.workers === 0) return await startSingle(handler, resolved);
    if (role !== undefined) {
      const { startWorker } = await import('./supervisor/worker.ts');
      return await startWorker(handler, resolved.port === 0 ? { ...resolved, port: role.port } : resolved);
    }
    const { startPrimary } = await import('./supervisor/primary.ts');
    return await startPrimary(resolved);
  } catch (error) {
    isStarted = false;
    throw error;
  }
}

function readRoles(): void {
  isThread ||= takeRole(THREAD_ROLE) !== undefined;
  const text = takeRole(WORKER_ROLE);
  if (text === undefined) return;
  const [generation, port] = text.split(':').map(Number);
  role = { generation: generation ?? 1, port: port ?? 0 };
}

/** Serves in this process. */
async function startSingle(handler: Handler, options: ResolvedOptions): Promise<RunningServer> {
  await removeStaleSocket(options);
  const local: LocalServer = await serveLocally(handler, options, localGate(options.maxConnections), {
    hasPrimary: false,
    onUnstoppable: () => {}, // it has been logged, and nobody is there who could replace this process
    onClose: (timeout) => void local.close(timeout === undefined ? {} : { timeout }),
    guard: (inner) => inner,
    status: async () => status(),
  });
  const status = (): ServerStatus => {
    const own = { pid: process.pid, generation: 1, ...local.status(), rss: process.memoryUsage.rss() };
    return { generation: 1, restarts: 0, requests: own.requests, workers: [own] };
  };
  const stop = async (): Promise<void> => {
    local.announce();
    await pause(options.shutdownDelay);
    await local.close();
  };
  const release = options.signals ? drainOnSignals((isUrgent) => (isUrgent ? process.exit(1) : stop())) : () => {};
  void local.closed.then(release);
  return {
    url: local.url,
    address: local.address,
    role: 'single',
    closed: local.closed,
    close: (how) => local.close(how),
    reload: () => Promise.reject(withCode(new Error('Cannot reload: this server has no workers'), 'bad-option')),
    status: async () => status(),
    [Symbol.asyncDispose]: () => local.close(),
  };
}
