/**
 * What a process, the thread that watches it, and its primary tell each other.
 *
 * @module
 */
import type { LogFormat } from '../operator-log.ts';

/** The descriptor of a worker's pipe to the primary. */
export const WATCH_PIPE = 4;

/**
 * How long an inspector may take to say where a thread stands, ms. A busy machine takes a while to list all scripts; and a large function that V8
 * interprets and that spends its time in calls such as JSON.parse is interrupted only once in some thousand turns of its loop.
 */
export const INSPECTION_TIME = 2500;

/** The data that the thread is started with. */
export interface Watched {
  readonly beat: SharedArrayBuffer;
  /** Of the board that says what the main thread waits for. */
  readonly waits: SharedArrayBuffer;
  readonly handlerTimeout: number;
  readonly slowRequest: number;
  readonly log: LogFormat;
  /** Whether the main thread calls handlers itself. If not, it looks into its handler threads: a process that is inspected from two sides may crash. */
  readonly isInline: boolean;
  /** Whether there is a primary to notify. */
  readonly hasPrimary: boolean;
  /** The folder of our own code, see own-code.ts. */
  readonly own: string | undefined;
}

/** From the watching thread, over the pipe, as one line of JSON: that the main thread is stuck, or the answer to a question. */
export type WatchMessage = { readonly what: string } | { readonly id: number; readonly standing: Standing | undefined };

/** From the primary, over the same pipe: where does the main thread stand? */
export interface WatchQuestion {
  readonly id: number;
}

/** Where a main thread stands that does not answer itself. */
export interface Standing {
  /** How long its event loop has stood still, ms. */
  readonly ms?: number | undefined;
  /** The request whose handler is being called. */
  readonly request?: { readonly method: string; readonly path: string } | undefined;
  readonly waitsIn?: string | undefined;
  readonly place: string | undefined;
  readonly stack: readonly string[];
}

/** The lines of a pipe, as the pieces of it come. */
export class Lines {
  #rest = '';

  take(piece: Buffer): string[] {
    const lines = (this.#rest + piece.toString()).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines;
  }
}
