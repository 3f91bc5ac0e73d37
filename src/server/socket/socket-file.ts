/**
 * The file of a unix socket: what a crash has left behind, and who may connect.
 *
 * The system makes the file with the rights that the umask of the process leaves, and from then on clients can connect. So the umask first takes away
 * what `pathMode` does not give, and what the umask had taken is given afterwards: at no moment has the file more rights than it should have.
 *
 * @module
 */
import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { isMainThread } from 'node:worker_threads';

/** A server that may listen on a unix socket. */
export interface SocketFile {
  readonly path: string | undefined;
  readonly pathMode: number | undefined;
}

/**
 * Removes the file of a unix socket on which no process listens any more, as a crash leaves it behind. The system refuses connections to any other
 * file in the same words, so what is not itself a socket stays as it is, and `listen` fails with EADDRINUSE.
 */
export async function removeStaleSocket({ path }: SocketFile): Promise<void> {
  if (path === undefined || lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return;
  const isStale = await new Promise<boolean>((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(false);
    });
    probe.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
  if (isStale) unlinkSync(path);
}

/**
 * Has the process make files with no more rights than the socket is to have. Threads beside the main one have no umask of their own to change.
 *
 * @returns A function that puts the umask back.
 */
export function tightenUmask({ pathMode }: SocketFile): () => void {
  if (pathMode === undefined || !isMainThread) return () => {};
  const before = process.umask(0o077); // to ask without setting would set it to 0 for a moment, for other threads as well
  process.umask(before | (0o777 & ~pathMode));
  return () => void process.umask(before);
}

/** Gives the file of a socket, once it is there, exactly the rights that were asked for. */
export function giveRights({ path, pathMode }: SocketFile): void {
  if (path !== undefined && pathMode !== undefined) chmodSync(path, pathMode);
}
