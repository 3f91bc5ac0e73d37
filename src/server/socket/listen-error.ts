/**
 * Why a server cannot listen, in a sentence that says what to do.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { withoutStack } from '../operator-log.ts';

/** Where a server was to listen. */
export interface Place {
  readonly host: string;
  readonly port: number;
  readonly path: string | undefined;
}

/** Ports below this are for those with the right to bind them, on most systems. */
const FIRST_FREE_PORT = 1024;

/** Explains an error of the system. The new one has its code, or a truer one, and has it as its cause. */
export function listenError(error: NodeJS.ErrnoException, place: Place): Error {
  const { path } = place;
  const isWithoutFolder = path !== undefined && error.code === 'EACCES' && !existsSync(dirname(path)); // libuv says EACCES for ENOENT, as Windows does
  const code = isWithoutFolder ? 'ENOENT' : (error.code ?? 'unknown');
  const why = path === undefined ? ofPort(code, place.host, place.port) : ofPath(code, path);
  const message = `Cannot start server: ${why ?? `listening failed: ${error.message}`}`;
  return withoutStack(Object.assign(new Error(message, { cause: error }), { code }));
}

function ofPort(code: string, host: string, port: number): string | undefined {
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} of ${host} is in use (${code}): end the program that listens there, or choose another port`;
    case 'EACCES':
      return port < FIRST_FREE_PORT
        ? `this user may not listen on port ${port} (${code}): choose a port from ${FIRST_FREE_PORT} on, or give the program the right to (CAP_NET_BIND_SERVICE)`
        : `this user may not listen on port ${port} (${code}): choose another port`;
    case 'EADDRNOTAVAIL':
      return `host ${host} is not an address of this machine (${code}): choose one that is, or 0.0.0.0 for all of them`;
    case 'EAFNOSUPPORT':
      return `this machine has no addresses of the family of host ${host} (${code}): choose 0.0.0.0 or :: instead`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `host ${host} cannot be resolved to an address (${code}): choose localhost, an address of this machine, or 0.0.0.0 for all of them`;
    default:
      return undefined;
  }
}

function ofPath(code: string, path: string): string | undefined {
  switch (code) {
    case 'EADDRINUSE':
      return `${path} is in use (${code}): end the server that listens there, or remove the file if it is none, or choose another path`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `this user may not make a socket at ${path} (${code}): make its folder writable, or choose another path`;
    case 'ENOENT':
    case 'ENOTDIR':
      return `there is no folder for the socket ${path} (${code}): create it, or choose another path`;
    default:
      return undefined;
  }
}
