/**
 * Watches a worker from a thread beside its main thread, which may be stuck in a handler and then sees nothing itself.
 *
 * Two things are watched. Whether the primary is still there: an orphan stuck in a handler would live for ever. And whether the main
 * thread's event loop turns:
 *
 *     main thread     clock ticks ─▶ counter + 1 (shared memory)
 *     this thread     counter moved?   yes ─▶ begin anew
 *                                      no, for longer than slowRequest ─────▶ log where it is, once
 *                                      no, for longer than handlerTimeout ──▶ notify the primary, once ─▶ successor, SIGKILL
 *
 * The counter moves with every tick, even when there is nothing to do, so a counter that stands still means a loop that stands still. The
 * inspector finds out which request holds it, and at which line (place.ts). The primary is notified over a separate pipe, because the IPC
 * channel belongs to the main thread. Without a primary the finding is only logged.
 *
 * The counter is all that this costs the main thread. With handler threads the pool watches them, and here only the primary is watched.
 *
 * @module
 */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { LogFormat } from '../operator-log.ts';
import type { Service } from '../service.ts';

/** The descriptor of a worker's pipe to the primary. */
export const WATCH_PIPE = 4;

/** The data that the thread is started with. */
export interface Watched {
  readonly beat: SharedArrayBuffer;
  readonly handlerTimeout: number;
  readonly slowRequest: number;
  readonly log: LogFormat;
  /** Whether there is a primary to notify. */
  readonly hasPrimary: boolean;
}

/** A message over the pipe, as one line of JSON. */
export interface StuckMessage {
  readonly what: string;
}

/**
 * Starts to watch this process.
 *
 * @returns A function to be called at each tick of the main thread's clock.
 */
export function watchMainThread(service: Service, hasPrimary: boolean): () => void {
  const { options } = service;
  const beat = new SharedArrayBuffer(4);
  const counter = new Int32Array(beat);
  const isInline = options.threads.max === 0;
  const data: Watched = {
    beat,
    handlerTimeout: isInline ? options.handlerTimeout : 0,
    slowRequest: isInline ? options.slowRequest : 0,
    log: options.log,
    hasPrimary,
  };
  (globalThis as Record<symbol, unknown>)[Symbol.for('filrouge.service')] = service; // where the watching thread finds the current request
  const watcher = new Worker(new URL(`./watch-thread${extname(import.meta.url)}`, import.meta.url), {
    workerData: { filrougeWatch: data },
    env: {},
    argv: [],
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8, stackSizeMb: 1 },
  });
  watcher.on('error', () => {}); // then nothing is watched; that must not end the process
  watcher.unref();
  return () => {
    Atomics.add(counter, 0, 1);
  };
}
