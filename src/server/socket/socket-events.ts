/**
 * The events that a socket passes to its connection.
 *
 * All listeners but the one for bytes are shared by all sockets, and find the connection on the socket: a closure for each event of each
 * connection would cost half a kilobyte for every idle one. Bytes have a listener of their own, since they lead to handlers and as few
 * frames of ours as possible should be above those on the stack.
 *
 * @module
 */
import type { Socket } from 'node:net';
import { readEvents, readShared } from './shared-read.ts';

/** The object that handles a socket's events. */
export interface SocketOwner {
  /** Receives bytes, or their number at the start of a buffer that the next read, on any connection, reuses. */
  readonly onRead: (bytes: Buffer | number, shared?: Buffer) => boolean;
  /** The client has ended its side. */
  onEnd(): void;
  /** The socket can be written to again. */
  onDrain(): void;
  onClose(): void;
}

const OWNER: unique symbol = Symbol('connection');
type Owned = Socket & { [OWNER]: SocketOwner };

/** Passes events to the owner from now on. */
export function listen(socket: Socket, owner: SocketOwner): void {
  (socket as Owned)[OWNER] = owner;
  if (!readShared(socket, owner.onRead)) socket.on('data', owner.onRead);
  socket.on('end', tellEnd).on('drain', tellDrain).on('close', tellClose);
  socket.on('error', ignore); // 'close' follows, and a broken socket is not an error to report
}

/** Stops passing bytes to the owner: the socket has its `'data'` events for somebody else. */
export function stopReading(socket: Socket): void {
  socket.off('data', (socket as Owned)[OWNER].onRead);
  readEvents(socket);
}

/** Stops passing events, so that another owner can `listen`. */
export function pass(socket: Socket): void {
  socket.off('data', (socket as Owned)[OWNER].onRead);
  socket.off('end', tellEnd).off('drain', tellDrain).off('close', tellClose).off('error', ignore);
}

/**
 * Passes only the close to the owner: the socket now belongs to somebody else, who hears of the end of its input even when that has come
 * already.
 */
export function handOver(socket: Socket): void {
  stopReading(socket);
  socket.off('end', tellEnd).off('drain', tellDrain);
  if (socket.readableEnded) process.nextTick(() => socket.emit('end'));
}

function tellEnd(this: Socket): void {
  (this as Owned)[OWNER].onEnd();
}

function tellDrain(this: Socket): void {
  (this as Owned)[OWNER].onDrain();
}

function tellClose(this: Socket): void {
  (this as Owned)[OWNER].onClose();
}

function ignore(): void {}
