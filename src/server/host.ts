/**
 * What a server in one process and its surroundings know of each other: the types that `serve.ts`, the supervisor and the threads share.
 *
 * @module
 */
import type { Handler } from '../exchange/respond.ts';
import type { ServerStatus, WorkerStatus } from '../process/server-status.ts';

/** What serves with a local server, as it sees that. */
export interface ServerHost {
  /** Somebody replaces this process when it is told to. */
  readonly hasPrimary: boolean;
  /** A thread cannot be stopped: the process should be replaced. */
  onUnstoppable(): void;
  /** The pool begins to grow, or has its least number of threads again. */
  onPoolSize(isLeast: boolean): void;
  /** A script has called `close()` in its thread. */
  onClose(timeout: number | undefined): void;
  /** What stands before the handler: it may let requests wait. */
  guard(handler: Handler): Handler;
  /** What the whole server does: a script in a thread asks. */
  status(): Promise<ServerStatus>;
}

/** Where a server listens. */
export type Address = { host: string; port: number } | { path: string };

/** One process's server. */
export interface LocalServer {
  readonly address: Address;
  readonly url: string;
  /** Settles when the last connection has ended after `close`. */
  readonly closed: Promise<void>;
  /** Stops accepting, finishes what is in flight, cuts the rest after `timeout` ms (default: `shutdownTimeout`). */
  close(options?: { timeout?: number }): Promise<void>;
  /** From now on `readiness` says that the server stops; all else goes on. */
  announce(): void;
  /** Connections that were taken over, as by websockets. */
  readonly takenOver: number;
  status(): Omit<WorkerStatus, 'pid' | 'generation' | 'rss'>;
}
