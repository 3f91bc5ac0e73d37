/**
 * Starts the handler threads of a process, or what stands for them in tests.
 *
 * @module
 */
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import type { Handler } from '../../exchange/respond.ts';
import { withCode } from '../../http/error-codes.ts';
import type { ServerHost } from '../host.ts';
import type { ResolvedOptions } from '../options.ts';
import { THREAD_ROLE } from '../roles.ts';
import { type StartVessel, startWorkerThread } from './handler-thread.ts';
import { ThreadEnd } from './inside/thread.ts';
import { ThreadPool } from './pool.ts';
import { Board } from './wire.ts';

/**
 * With this variable a thread is only played, in the process's own thread, but over the same messages. So everything that is tested inline can be
 * tested through them, with handlers that share the variables of their test.
 */
const isPlayed = process.env['FILROUGE_PLAYED_THREADS'] === '1';

/** @throws TypeError (code `bad-option`) when the process runs no script; an error when its script does not come to `startServer` in a thread. */
export async function startPool(handler: Handler, options: ResolvedOptions, host: ServerHost): Promise<ThreadPool> {
  const pool = new ThreadPool(options, isPlayed ? played(handler, options) : startWorkerThread(scriptPath(), { [THREAD_ROLE]: '1' }), host);
  await pool.start();
  return pool;
}

function scriptPath(): string {
  const script = process.argv[1];
  if (script !== undefined) return createRequire(import.meta.url).resolve(resolve(script)); // `node server` means server.js
  throw withCode(new TypeError('Cannot start server: threads run the script of the process, and there is none'), 'bad-option');
}

function played(handler: Handler, options: ResolvedOptions): StartVessel {
  return ({ port, shared }) => {
    new ThreadEnd({ handler, options, requests: 0, current: undefined }, port, new Board(shared));
    return {
      worker: undefined,
      async stop() {
        port.close();
        return true;
      },
    };
  };
}
