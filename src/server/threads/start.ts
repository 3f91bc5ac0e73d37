/**
 * Starts the handler threads of a process, or what stands for them in tests.
 *
 * @module
 */
import { close } from 'node:fs';
import nodeModule from 'node:module';
import { resolve as absolute } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type MessagePort, Worker } from 'node:worker_threads';
import type { Handler } from '../../exchange/respond.ts';
import { callsFor, linksFor } from '../../process/io-threads.ts';
import { homeText } from '../../process/place/slots.ts';
import { farewellTime } from '../../process/watching/farewell.ts';
import type { ServerHost } from '../host.ts';
import type { ResolvedOptions } from '../options.ts';
import { checkScript, THREAD_ROLE } from '../roles.ts';
import { Board } from './board.ts';
import type { StartBacking } from './handler-thread.ts';
import { ThreadPool } from './pool.ts';

/** How long after `terminate` a thread counts as held by something that no interrupt reaches, ms. */
const TERMINATION_TIME = 2000;

/**
 * With this variable a thread is only played, in the process's own thread, but over the same messages. So everything that is tested inline can be
 * tested through them, with handlers that share the variables of their test.
 */
const isPlayed = process.env['FILROUGE_PLAYED_THREADS'] === '1';

/** @throws TypeError (code `bad-option`) when the process runs no script; an error when its script does not come to `startServer` in a thread. */
export async function startPool(handler: Handler, options: ResolvedOptions, host: ServerHost): Promise<ThreadPool> {
  const start = isPlayed ? await played(handler, options) : startWorkerThread(scriptPath(), { [THREAD_ROLE]: homeText() });
  const pool = new ThreadPool(options, start, host);
  await pool.start();
  return pool;
}

function scriptPath(): string {
  const script = absolute(checkScript('threads'));
  // `node server` means server.js. Not `createRequire` by name: bundlers are told to put one of that name at the top of an ES module.
  return nodeModule.createRequire(script).resolve(script);
}

async function played(handler: Handler, options: ResolvedOptions): Promise<StartBacking> {
  const { openSide } = await import('./inside/start.ts'); // only here: a main thread does not load what runs in a handler thread
  return ({ port, shared }) => {
    const { answering } = openSide(handler, options, port, new Board(shared));
    const endCalls = callsFor({ isBusy: () => answering.current !== undefined, id: () => -1 });
    return {
      worker: undefined,
      async stop() {
        port.close();
        endCalls();
        return true;
      },
    };
  };
}

/** Starts a real thread: the same script, which will come to `startServer` there as well. */
function startWorkerThread(script: string, env: Readonly<Record<string, string>>): StartBacking {
  return ({ port, shared, root }, waits, onExit) => {
    const io = linksFor(waits);
    const worker = new Worker(script, {
      argv: process.argv.slice(2),
      env: { ...process.env, ...env },
      workerData: { filrouge: { port, shared, root }, filrougeIo: io },
      trackUnmanagedFds: false, // see process/place/held-files.ts
      transferList: [port, ...(Object.values(io?.ports ?? {}) as MessagePort[])],
    });
    let why = 'it ended';
    worker.on('error', (error: unknown) => {
      why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    });
    const exited = new Promise<true>((resolve) => {
      worker.on('exit', (code) => {
        resolve(true);
        onExit(code === 0 || why !== 'it ended' ? why : `it ended with code ${code}`);
        for (const descriptor of new Board(shared).files) close(descriptor, () => {}); // after onExit: nothing of them can be taken over any more
      });
    });
    worker.unref();
    return {
      worker,
      async stop(isIdle) {
        if (isIdle && farewellTime() > 0) {
          worker.ref(); // nothing else may keep the process alive
          await Promise.race([exited, pause(farewellTime(), undefined, { ref: false })]);
        }
        void worker.terminate();
        const overdue = new Promise<false>((resolve) => setTimeout(() => resolve(false), TERMINATION_TIME).unref());
        return Promise.race([exited, overdue]);
      },
    };
  };
}
