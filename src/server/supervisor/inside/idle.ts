/**
 * Notices a worker whose script has run through without calling `startServer`, as behind `if (cluster.isPrimary)`. The channel to the primary
 * keeps such a process alive for ever, and nothing of it would ever be heard.
 *
 * Loaded by a worker before it has come to `startServer`. A script that waits for something first (a database, a file, a timer) is not idle:
 * what it waits for keeps the event loop alive as well. For a script that waits for ever there is the primary's patience.
 *
 * @module
 */
import cluster from 'node:cluster';
import { WORKER_ROLE } from '../../roles.ts';
import { NOT_CALLED, type WorkerMessage } from '../messages.ts';

/** How often to look, ms. The second time in a row counts: in between, what was done may have begun something. */
const INTERVAL = 500;
/** `node:cluster` itself listens once. */
const OWN_LISTENERS = 1;

/** Ends this worker, with a reason for the primary, when nothing is left that could make it call `startServer`. */
export function endWhenIdle(): void {
  let wasIdle = false;
  const timer = setInterval(() => {
    if (process.env[WORKER_ROLE] === undefined) return clearInterval(timer); // startServer has been called
    const isIdle = hasNothingToDo();
    if (isIdle && wasIdle) {
      clearInterval(timer);
      const message: WorkerMessage = { kind: 'failed', message: NOT_CALLED, code: undefined };
      process.send?.({ filrouge: message }, undefined, undefined, () => process.exit(1));
    }
    wasIdle = isIdle;
  }, INTERVAL);
  timer.unref();
}

/** Whether the channel to the primary is all that is open, and the program does not listen to it. */
function hasNothingToDo(): boolean {
  const open = process.getActiveResourcesInfo();
  if (open.length !== 1 || open[0] !== 'PipeWrap') return false;
  return process.listenerCount('message') <= OWN_LISTENERS && cluster.worker?.listenerCount('message') === 0;
}
