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
  /** What was refused since the server started, counted in the same way. */
  readonly refused: Refused;
  readonly workers: readonly WorkerStatus[];
}

/**
 * How often something was refused before a handler saw it, by what it was answered: `{ '400': 3, '503': 1 }`. What occurs has a name; what does
 * not has none.
 *
 * `400` to `507`: requests that the engine itself answered. `503` are the connections beyond `maxConnections`; under TLS they are only closed.
 * `tls`: handshakes that failed. `accept`: how often the system had no descriptor or memory for a connection.
 */
export type Refused = Readonly<Record<string, number>>;

/** What one worker does; without workers, what the process does. */
export interface WorkerStatus {
  readonly pid: number;
  readonly generation: number;
  readonly connections: number;
  /** Since the worker started. */
  readonly requests: number;
  /** Since the worker started. */
  readonly refused: Refused;
  /** Requests that are not answered yet. */
  readonly inFlight: number;
  /** Of those, the requests that wait for a handler thread. */
  readonly queued: number;
  readonly threads: number;
  /** How many threads wait for a call of `filrouge/blocking`, by its name: `{ 'database.person': 3 }`. */
  readonly waiting: Readonly<Record<string, number>>;
  /** Resident memory, bytes. */
  readonly rss: number;
}

/** The figures that outlive a worker. */
export type Totals = Pick<WorkerStatus, 'requests' | 'refused'>;

/** Those of a server that has served nobody. */
export const NO_TOTALS: Totals = { requests: 0, refused: {} };

/** The sum of the figures of two workers. */
export function addTotals(a: Totals, b: Totals): Totals {
  const refused: Record<string, number> = { ...a.refused };
  for (const [what, count] of Object.entries(b.refused)) refused[what] = (refused[what] ?? 0) + count;
  return { requests: a.requests + b.requests, refused };
}
