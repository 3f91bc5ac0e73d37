/**
 * `startServer`: finds out which part this process plays, and plays it.
 *
 * The same script runs in the primary, in every worker and in every handler thread. Each part loads its code when it is played: a program that only
 * makes requests and responses loads neither node:cluster nor node:child_process, and a thread, which must start fast, loads no listener.
 *
 * @module
 */

import type { Handler } from '../exchange/respond.ts';
import { checkFunction } from '../http/errors/bad-option.ts';
import { withCode } from '../http/errors/error-codes.ts';
import { keysOf } from '../process/place/affinities.ts';
import { settleIn } from '../process/place/slots.ts';
import { logAs } from './operator-log.ts';
import { type ResolvedOptions, type RunningServer, resolveOptions, type ServerOptions } from './options.ts';
import { THREAD_ROLE, takeRole, WORKER_ROLE } from './roles.ts';
import type { ResolvedTls } from './tls/options.ts';

/** What the primary gave this worker; undefined in a process that no primary of ours has started. */
let role: { readonly generation: number; readonly port: number; readonly ticketSecret: string; readonly root: string } | undefined;
let isThread = false;
// Another runtime may have no `process`, or guard its environment: only in a child of Node is it looked at.
if (typeof (globalThis as { process?: NodeJS.Process }).process?.send === 'function' && process.env[WORKER_ROLE] !== undefined) {
  void import('./supervisor/inside/idle.ts').then(({ endWhenIdle }) => endWhenIdle()); // its script may never come to `startServer`
}

/** A server with workers or threads has been started here. They run this same script, and could not tell a second server from the first. */
let isStarted = false;

/**
 * Starts the server: forks `workers` processes, each running this same script, and hands every parsed request to `handler`.
 *
 * In the primary the promise resolves when every worker listens; in a worker, when that worker listens.
 *
 * @param handler Called once for each request, with its body. Returns a Response, or a promise of one.
 * @param options See `ServerOptions`. All have defaults that are safe on the open internet.
 * @throws TypeError or RangeError (code `bad-option`) for a wrong option, before anything is started. An error of the system when the port
 *   is in use or may not be bound (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, `ENOTFOUND`), with a message that says what to do: nothing is left running,
 *   and a program that does not catch it ends with that message and exit code 1. An error with code `worker-failed` when a worker cannot start, and
 *   with `unsupported-runtime` where no such server can run.
 * @example
 * startServer((request) => Response.text(`hello, ${request.remoteAddress}`), { port: 8000 });
 */
export async function startServer(handler: Handler, options?: ServerOptions): Promise<RunningServer> {
  checkFunction('Cannot start server', 'the handler', handler);
  const checked = resolveOptions(options);
  const resolved = { ...checked, affinity: keysOf(checked.affinity, checked.workers) };
  checkRuntime(resolved.workers);
  readRoles();
  logAs(resolved.log);
  if (role === undefined && !isThread && resolved.workers === 0 && resolved.threads.max === 0) return single(handler, resolved);
  if (isStarted) {
    const hint = 'use one handler for both, or workers: 0 in scripts of their own';
    throw withCode(new Error(`Cannot start server: this process serves with workers or threads already; ${hint}`), 'already-started');
  }
  isStarted = true;
  try {
    if (isThread) {
      const { startThread } = await import('./threads/inside/start.ts');
      return await startThread(handler, resolved);
    }
    if (role === undefined && resolved.workers === 0) return await single(handler, resolved);
    if (role !== undefined) {
      const { startWorker } = await import('./supervisor/inside/worker.ts');
      return await startWorker(handler, asWorker(resolved, role), role.root);
    }
    const { startPrimary } = await import('./supervisor/primary.ts');
    return await startPrimary(resolved.tls ? await prepareTls(resolved, resolved.tls) : resolved);
  } catch (error) {
    isStarted = false;
    throw error;
  }
}

/** What a worker takes from the primary: the port that all of them use, and what session tickets are derived from. */
function asWorker(options: ResolvedOptions, { port, ticketSecret }: NonNullable<typeof role>): ResolvedOptions {
  return { ...options, port: options.port || port, tls: options.tls && { ...options.tls, ticketSecret } };
}

/** Tries the certificates before anything is forked, and makes what the workers have in common. */
async function prepareTls(options: ResolvedOptions, tls: ResolvedTls): Promise<ResolvedOptions> {
  const [{ Certificates }, { createTicketSecret }] = await Promise.all([import('./tls/certificates.ts'), import('./tls/tickets.ts')]);
  new Certificates(tls).warn();
  return { ...options, tls: { ...tls, ticketSecret: createTicketSecret() } };
}

/** Refuses what this runtime cannot do, where it is not Node; docs/bundles.md has the table. */
function checkRuntime(workers: number): void {
  const { navigator } = globalThis as { readonly navigator?: { readonly userAgent?: string } }; // Node 20 has none
  const name = navigator?.userAgent ?? '';
  if (name.startsWith('Cloudflare-Workers')) throw unsupported('in workerd no program listens; export { fetch: toFetch(handler) }');
  if (name.startsWith('Deno') && workers > 0) {
    throw unsupported('a worker under Deno outlives a primary that dies, and can have no threads; set workers to 0');
  }
}

function unsupported(why: string): Error {
  return withCode(new Error(`Cannot start server: ${why}`), 'unsupported-runtime');
}

function readRoles(): void {
  const thread = takeRole(THREAD_ROLE);
  isThread ||= thread !== undefined;
  if (thread) settleIn(thread);
  const text = takeRole(WORKER_ROLE);
  if (text === undefined) return;
  const [generation, port, ticketSecret = '', root = '', ...slots] = text.split(':');
  settleIn(slots.join(':'));
  role = { generation: Number(generation ?? 1), port: Number(port ?? 0), ticketSecret, root };
}

async function single(handler: Handler, options: ResolvedOptions): Promise<RunningServer> {
  const { startSingle } = await import('./single.ts');
  return startSingle(handler, options);
}
