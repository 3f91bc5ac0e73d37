/**
 * Socket.IO servers and clients for tests.
 *
 * @module
 */
import { io as connect, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { onTestFinished } from 'vitest';
import { Response } from '../../../src/index.ts';
import type { ServerOptions } from '../../../src/server/options.ts';
import { createSocketIO, type SocketIOOptions, type SocketIOServer } from '../../../src/socket.io.ts';
import { type Served, serve } from '../../support/serve.ts';

/** How a client may connect. */
export const WAYS: readonly [string, readonly string[]][] = [
  ['by polling only', ['polling']],
  ['by websocket only', ['websocket']],
  ['by polling, upgraded to websocket', ['polling', 'websocket']],
];

/** A Socket.IO server that runs until the test ends. */
export interface ServedIO extends Served {
  readonly io: SocketIOServer;
  /** What `onError` has seen. */
  readonly errors: unknown[];
}

/** Starts a server. What is not Socket.IO's is answered with `other`. */
export async function serveIO(options: SocketIOOptions = {}, server: ServerOptions = {}): Promise<ServedIO> {
  const io = createSocketIO(options);
  const errors: unknown[] = [];
  const served = await serve((request) => io.answer(request) ?? Response.text('other'), {
    onError: (error) => void errors.push(error),
    ...server,
  });
  onTestFinished(() => io.close());
  return { ...served, io, errors };
}

/** A client, which is disconnected when the test ends. */
export function clientOf(port: number, options: Partial<ManagerOptions & SocketOptions> = {}, namespace = '/'): Socket {
  const socket = connect(`http://127.0.0.1:${port}${namespace}`, {
    forceNew: true,
    reconnectionDelay: 50,
    randomizationFactor: 0,
    ...options,
  });
  onTestFinished(() => void socket.disconnect());
  return socket;
}

/** The arguments of the next event. */
export function next(socket: { once(event: string, listener: (...args: unknown[]) => void): unknown }, event: string): Promise<unknown[]> {
  return new Promise((resolve) => socket.once(event, (...args) => resolve(args)));
}

/** A client that is connected. */
export async function connected(port: number, options: Partial<ManagerOptions & SocketOptions> = {}, namespace = '/'): Promise<Socket> {
  const socket = clientOf(port, options, namespace);
  await next(socket, 'connect');
  return socket;
}
