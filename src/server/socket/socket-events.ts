/**
 * What a socket tells its connection.
 *
 * All listeners but that for bytes are the same functions for all sockets, and find the connection on the socket: a closure for each event of each
 * connection would make half a kilobyte of every idle one. Bytes lead to handlers, above which no more frames of ours are to stand than must.
 *
 * @module
 */
import type { Socket } from 'node:net';
import { readEvents, readShared } from './shared-read.ts';

/** The object that handles a socket's events. */
export interface SocketOwner {
  /** Bytes; or how many of them stand at the start of a buffer that the next read, of whatever connection, uses again. */
  readonly onRead: (bytes: Buffer | number, shared?: Buffer) => boolean;
  /** The client has ended its side. */
  onEnd(): void;
  /** The socket takes more again. */
  onDrain(): void;
  onClose(): void;
}

const OWNER: unique symbol = Symbol('connection');
type Owned = Socket & { [OWNER]: SocketOwner };

/** Tells the owner from now on. */
export function listen(socket: Socket, owner: SocketOwner): void {
  (socket as Owned)[OWNER] = owner;
  if (!readShared(socket, owner.onRead)) socket.on('data', owner.onRead);
  socket.on('end', tellEnd).on('drain', tellDrain).on('close', tellClose);
  socket.on('error', ignore); // 'close' follows, and a broken socket is nobody's error
}

/** Tells the owner nothing of the client's bytes any more: the socket has its `'data'` events for somebody else. */
export function stopReading(socket: Socket): void {
  socket.off('data', (socket as Owned)[OWNER].onRead);
  readEvents(socket);
}

/** Tells the owner only of the end: the socket is somebody else's. */
export function handOver(socket: Socket): void {
  stopReading(socket);
  socket.off('end', tellEnd).off('drain', tellDrain);
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
