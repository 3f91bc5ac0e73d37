/**
 * What a process, the thread that watches it, and its primary tell each other.
 *
 * @module
 */
import type { LogFormat } from '../operator-log.ts';

/** The descriptor of a worker's pipe to the primary. */
export const WATCH_PIPE = 4;

/** The data that the thread is started with. */
export interface Watched {
  readonly beat: SharedArrayBuffer;
  /** Of the board that says what the main thread waits for. */
  readonly waits: SharedArrayBuffer;
  readonly handlerTimeout: number;
  readonly slowRequest: number;
  readonly log: LogFormat;
  /** Whether there is a primary to notify. */
  readonly hasPrimary: boolean;
  /** The folder of our own code, see own-code.ts. */
  readonly own: string | undefined;
}

/** A message over the pipe, as one line of JSON. */
export interface StuckMessage {
  readonly what: string;
}
