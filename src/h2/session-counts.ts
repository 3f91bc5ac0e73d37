/**
 * What happens on connections of HTTP/2, counted over all of them.
 *
 * @module
 */
import { errorName } from './errors.ts';

/** The counts; those of GOAWAY by the name of their code. */
export interface SessionCounts {
  /** Streams that clients have opened with a request that could be read. */
  streams: number;
  resetsReceived: number;
  resetsSent: number;
  readonly goAwaysReceived: Record<string, number>;
  /** Of the two that end a connection without need, only the last. */
  readonly goAwaysSent: Record<string, number>;
}

/** Counts a GOAWAY. */
export function countGoAway(counts: Record<string, number>, code: number): void {
  const name = errorName(code);
  counts[name] = (counts[name] ?? 0) + 1;
}

/** Counts of which nothing has happened yet. */
export function noCounts(): SessionCounts {
  return { streams: 0, resetsReceived: 0, resetsSent: 0, goAwaysReceived: {}, goAwaysSent: {} };
}
