/**
 * One read buffer for all connections of a process, instead of 64 KiB that `node:net` allocates for each read.
 *
 * Measured on hello-world requests, one at a time: 1.3 to 1.6 times as many. Node offers this (`onread`) only to sockets that connect, so it
 * is switched on here through two symbols and a method that accepted sockets have but do not document. All of that is checked once, when
 * this module is loaded; where anything is missing, and under TLS, the plain `'data'` events serve, and the same tests cover both.
 *
 * What the callback is given is valid only while it runs.
 *
 * @module
 */
import { Socket } from 'node:net';

/** Takes `count` bytes at the start of `buffer`. */
export type OnRead = (count: number, buffer: Buffer) => boolean;

/** As much as libuv asks the system for at a time. */
const SIZE = 64 * 1024;

/** A socket as it is seen from here. */
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
 * @returns Whether it could be done. If not, listen to `'data'`.
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

/** Gives a socket its `'data'` events back for its new owner: it flows as soon as there is a listener, even if it had been paused. */
export function readEvents(socket: Socket): void {
  (socket as { readableFlowing: boolean | null }).readableFlowing = null;
  const internals = socket as unknown as Internals;
  if (BUFFER === undefined || CALLBACK === undefined || internals[BUFFER] !== shared) return;
  internals[CALLBACK] = (count: number, buffer: Buffer) => socket.push(Buffer.from(buffer.subarray(0, count)));
}
