/**
 * Notices a worker whose script has run through without calling `startServer`, as behind `if (cluster.isPrimary)`. The channel to the primary
 * keeps such a process alive for ever, and nothing would ever be heard of it.
 *
 * Loaded by a worker before it has come to `startServer`. Until then the channel does not keep the process alive. So when nothing else does, the event
 * loop ends, and Node says so (`beforeExit`): a script that waits for a database, a file or a timer is not meant, whatever waits for it, native code
 * included. For a script that waits for ever there is the primary's patience.
 *
 * @module
 */
import cluster from 'node:cluster';
import { WORKER_ROLE } from '../../roles.ts';
import { NOT_CALLED, type WorkerMessage } from '../messages.ts';

/** `node:cluster` itself listens once. */
const OWN_LISTENERS = 1;

/** Ends this worker, with a reason for the primary, when nothing is left that could make it call `startServer`. */
export function endWhenIdle(): void {
  if (process.env[WORKER_ROLE] === undefined) return; // startServer was faster than the loading of this file
  process.channel?.unref();
  process.once('beforeExit', () => {
    process.channel?.ref();
    if (process.env[WORKER_ROLE] === undefined || listens()) return; // it has been called meanwhile, or the primary's word may bring it about
    const message: WorkerMessage = { kind: 'failed', message: NOT_CALLED, code: undefined };
    process.send?.({ filrouge: message }, undefined, undefined, () => process.exit(1));
  });
}

/** Whether the program itself listens to the primary. */
function listens(): boolean {
  return process.listenerCount('message') > OWN_LISTENERS || cluster.worker?.listenerCount('message') !== 0;
}
