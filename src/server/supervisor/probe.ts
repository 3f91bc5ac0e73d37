/**
 * The port, tried before anything is forked.
 *
 * @module
 */
import { createServer } from 'node:net';
import type { ResolvedOptions } from '../options.ts';
import { listenError } from '../socket/listen-error.ts';
import { tightenUmask } from '../socket/socket-file.ts';

/**
 * Listens for a moment where the workers will, so that an error of the system shows before anything is forked.
 *
 * @returns The port: with `port: 0` the one that all workers use, including those forked when none of the first is left.
 */
export function probe(options: ResolvedOptions): Promise<number> {
  const { host, port, path } = options;
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => reject(listenError(error, options)));
    const restoreUmask = tightenUmask(options);
    server.listen(path === undefined ? { host, port } : { path }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
    restoreUmask();
  });
}
