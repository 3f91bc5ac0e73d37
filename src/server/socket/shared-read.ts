/**
 * One read buffer for all connections of a process, instead of the 64 KiB that `node:net` allocates for each read.
 *
 * Measured on hello-world requests, one at a time: 1.3 to 1.6 times as many. Node offers this (`onread`) only to sockets that connect, so
 * it is switched on here through two symbols and a method that accepted sockets have but do not document. All of that is checked once, when
 * this module is loaded; where anything is missing, and under TLS, the plain `'data'` events are used, and the same tests cover both.
 *
 * The callback's arguments are valid only while it runs.
 *
 * @module
 */
import { Socket } from 'node:net';

/** Receives `count` bytes at the start of `buffer`. */
export type OnRead = (count: number, buffer: Buffer) => boolean;

/** The most libuv asks the system for at a time, bytes. */
const SIZE = 64 * 1024;

/** The private parts of a socket that are used here. */
interface Internals {
  _handle?: { useUserBuffer?: (buffer: Buffer) => unknown };
  [symbol: symbol]: unknown;
}

const shared: Buffer = Buffer.allocUnsafeSlow(SIZE);
const symbols = Object.getOwnPropertySymbols(new Socket());
const BUFFER = symbols.find(({ description }) => description === 'kBuffer');
const CALLBACK = symbols.find(({ description }) => description === 'kBufferCb');
const isWanted = process.env['FILROUGE_PLAIN_READS'] !== '1';

/**
 * Switches a plain TCP or unix socket to the shared buffer.
 *
 * @returns Whether that was possible. If not, listen to `'data'`.
 */
export function readShared(socket: Socket, onRead: OnRead): boolean {
  const internals = socket as unknown as Internals;
  const handle = internals._handle;
  if (
    !isWanted ||
    BUFFER === undefined ||
    CALLBACK === undefined ||
    typeof handle?.useUserBuffer !== 'function' ||
    !(BUFFER in internals)
  ) {
    return false;
  }
  internals[BUFFER] = shared;
  internals[CALLBACK] = onRead;
  handle.useUserBuffer(shared);
  return true;
}

/** Restores the `'data'` events of a socket for its new owner: it flows as soon as there is a listener, even if it had been paused. */
export function readEvents(socket: Socket): void {
  (socket as { readableFlowing: boolean | null }).readableFlowing = null;
  const internals = socket as unknown as Internals;
  if (BUFFER === undefined || CALLBACK === undefined || internals[BUFFER] !== shared) return;
  internals[CALLBACK] = (count: number, buffer: Buffer) => socket.push(Buffer.from(buffer.subarray(0, count)));
}
