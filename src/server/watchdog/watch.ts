/**
 * Watches a worker from a thread beside its main thread, which may be stuck in a handler and then sees nothing itself.
 *
 * Two things are watched. Whether the primary is still there: an orphan that a handler holds would live for ever. And whether the main thread's loop
 * turns: it moves a counter in shared memory with each tick of its clock. When it stands still for longer than a handler may take, the thread looks
 * by which request and at which line, and tells the primary over a pipe of their own, since the main thread cannot.
 *
 * Nothing of this costs the main thread more than the counter.
 *
 * @module
 */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { LogFormat } from '../operator-log.ts';
import type { Service } from '../service.ts';

/** The place of the pipe to the primary among a worker's descriptors. */
export const WATCH_PIPE = 4;
/** What the thread is started with. */
export interface Watched {
  readonly beat: SharedArrayBuffer;
  readonly handlerTimeout: number;
  readonly slowRequest: number;
  readonly log: LogFormat;
  /** Whether there is a primary to tell. */
  readonly hasPrimary: boolean;
}

/** What the primary is told. */
export interface StuckMessage {
  readonly what: string;
}

/**
 * Starts to watch this process.
 *
 * @param service With handler threads its main thread is watched for a primary that is gone, and for nothing else.
 * @returns Is to be called at each tick of the main thread's clock.
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
  watcher.on('error', () => {}); // nobody is then watched; that must not end the process
  watcher.unref();
  return () => {
    Atomics.add(counter, 0, 1);
  };
}
