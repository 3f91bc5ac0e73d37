/**
 * The status that a server reports of itself.
 *
 * @module
 */

/** What a server does: as a whole, and worker by worker. */
export interface ServerStatus {
  /** Counts the reloads, from 1. */
  readonly generation: number;
  /** Workers that were replaced because they died or were stuck. */
  readonly restarts: number;
  /**
   * Requests since the server started, including those of workers that have ended; of a worker that is killed the last second is not
   * counted.
   */
  readonly requests: number;
  readonly workers: readonly WorkerStatus[];
}

/** What one worker does; without workers, what the process does. */
export interface WorkerStatus {
  readonly pid: number;
  readonly generation: number;
  readonly connections: number;
  /** Since the worker started. */
  readonly requests: number;
  /** Requests that are not answered yet. */
  readonly inFlight: number;
  /** Of those, the requests that wait for a handler thread. */
  readonly queued: number;
  readonly threads: number;
  /** Resident memory, bytes. */
  readonly rss: number;
}
