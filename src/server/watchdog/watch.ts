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
import { Worker } from 'node:worker_threads';
import { ownBoard } from '../../process/io-threads.ts';
import { OWN_CODE } from '../../process/own-code.ts';
import { log } from '../operator-log.ts';
import type { Service } from '../service.ts';
import type { Watched } from './message.ts';
import { THREAD_TEXT } from './thread-text.ts';

/** A process under watch. */
export interface Watch {
  /** To be called at each tick of the main thread's clock. */
  beat(): void;
  /** To be called when the clock stops: its counter stands still from then on. */
  stop(): void;
}

/** Starts to watch this process. */
export function watchMainThread(service: Service, hasPrimary: boolean): Watch {
  const { options } = service;
  const beat = new SharedArrayBuffer(4);
  const counter = new Int32Array(beat);
  const isInline = options.threads.max === 0;
  const data: Watched = {
    beat,
    waits: ownBoard().buffer,
    handlerTimeout: isInline ? options.handlerTimeout : 0,
    slowRequest: isInline ? options.slowRequest : 0,
    log: options.log,
    isInline,
    hasPrimary,
    own: OWN_CODE,
  };
  (globalThis as Record<symbol, unknown>)[Symbol.for('filrouge.service')] = service; // where the watching thread finds the current request
  const watcher = new Worker(THREAD_TEXT, {
    eval: true,
    workerData: { filrougeWatch: data },
    env: {},
    argv: [],
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8, stackSizeMb: 1 },
  });
  watcher.on('error', (error: unknown) => {
    const what = isInline ? 'handlerTimeout and slowRequest do nothing' : 'and if it is stuck it outlives its primary';
    log('unwatched', `nothing watches this process, ${what}: ${error instanceof Error ? error.message : String(error)}`);
  });
  watcher.unref();
  return {
    beat() {
      Atomics.add(counter, 0, 1);
    },
    stop() {
      void watcher.terminate();
    },
  };
}
