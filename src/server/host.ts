/**
 * What a server in one process and its surroundings know about each other: the types that `serve.ts`, the supervisor and the threads share.
 *
 * @module
 */
import type { Handler } from '../exchange/respond.ts';
import type { LocalStatus } from '../process/server-status.ts';
import type { LocalActivity, ObservedServer } from '../process/watching/server-activity.ts';
import type { AffinityTable } from './affinity/table.ts';

/** The surroundings of a local server, as it sees them; and the whole server, for scripts in a thread. */
export interface ServerHost extends ObservedServer {
  /** Where requests may be answered by other workers. */
  readonly affinity?: AffinityHost | undefined;
  /** Whether there is a primary, which replaces this process when needed. */
  readonly hasPrimary: boolean;
  /** A thread cannot be stopped: the process should be replaced. */
  onUnstoppable(): void;
  /** The pool begins to grow, or is back to its least number of threads. */
  onPoolSize(isLeast: boolean): void;
  /** A script has called `close()` in its thread. */
  onClose(timeout: number | undefined): void;
  /** Wraps the handler: requests may have to wait before they reach it. */
  guard(handler: Handler): Handler;
}

/** The place of a worker among the others. */
export interface AffinityPlace {
  readonly id: number;
  readonly slot: number;
  /** Where each listens to the others, on a socket with its id for a name. */
  readonly directory: string;
  /** What opens a connection to one. */
  readonly secret: Buffer;
}

/** Who tells workers of each other. */
export interface AffinityHost {
  /** Asks for a place. @param onTable Called with every table; what begins after it goes by that table. */
  join(onTable: (table: AffinityTable) => void): Promise<AffinityPlace>;
}

/** Where a server listens. */
export type Address = { host: string; port: number } | { path: string };

/** The server of one process. */
export interface LocalServer {
  readonly address: Address;
  readonly url: string;
  /** Settles when the last connection has ended after `close`. */
  readonly closed: Promise<void>;
  /**
   * Stops accepting, finishes what is in flight, cuts the rest after `timeout` ms (default: `shutdownTimeout`). Called
   * again it can only end sooner.
   *
   * @param options.isSucceeded Whether another process serves in its place already. Default false.
   */
  close(options?: { timeout?: number | undefined; isSucceeded?: boolean | undefined }): Promise<void>;
  /** From now on `readiness` says that the server stops; nothing else changes. */
  announce(): void;
  /** Connections that were taken over, as by websockets. */
  readonly takenOver: number;
  /** Requests handed to the handler. */
  readonly requests: number;
  /** Changes whenever something has happened that a status tells and that outlives the server. */
  readonly activity: number;
  status(): LocalStatus;
  /** What its threads are doing now. */
  look(): Promise<LocalActivity>;
  /** Where a thread stands, see `ObservedServer.stackOf`. */
  stackOf(thread: number): Promise<readonly string[] | undefined>;
}
