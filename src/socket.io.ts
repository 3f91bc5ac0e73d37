/// <reference types="node" preserve="true" />
/**
 * The door `filrouge/socket.io`: a Socket.IO server over all workers. socket.io is loaded only by programs that import this door.
 *
 * @module
 */
import type { DefaultEventsMap } from 'socket.io';
import { type Bus, type Events, type SocketIOOptions, SocketIOServer, type Untyped } from './guests/socket-io.ts';
import { affinityKeyHere } from './helpers/affinity-key.ts';
import { createChannel } from './helpers/pubsub.ts';
import { MiB } from './http/errors/bad-option.ts';

export type { Events, SocketIOOptions, SocketIOServer, Untyped } from './guests/socket-io.ts';

/** How much of what was emitted elsewhere may wait here, bytes; then its publishers wait. */
const MAX_QUEUED: number = 8 * MiB;

/**
 * Creates a Socket.IO server (socket.io's `Server`) that is given its requests by a handler: long-polling and websockets, on the port of everything else.
 *
 * It is made once, outside of the handler and before `startServer`. Requests of a session reach the worker that holds it, and what is emitted reaches the
 * clients of all workers and handler threads, unless `adapter` says otherwise.
 *
 * @throws TypeError (code `bad-option`) for a wrong option. Error (code `bad-option`) for long-polling with several handler threads, and when several workers
 *   serve already.
 * @example
 * const io = createSocketIO({ path: '/chat' });
 * io.on('connection', (socket) => socket.on('say', (text, done) => done(io.emit('said', text))));
 *
 * startServer((request) => io.answer(request) ?? Response.empty(404));
 */
export function createSocketIO<
  ListenEvents extends Events = DefaultEventsMap,
  EmitEvents extends Events = ListenEvents,
  ServerSideEvents extends Events = DefaultEventsMap,
  SocketData = Untyped,
>(options: SocketIOOptions = {}): SocketIOServer<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
  return new SocketIOServer(options, { bus: channelOf, sessionId: () => affinityKeyHere() });
}

/** The way between the workers and handler threads of this server. */
function channelOf(path: string): Bus {
  const channel = createChannel<Uint8Array>(`socket.io:${path}`);
  return {
    publish: (bytes) => channel.publish(bytes),
    subscribe: (listener) => void channel.subscribe(listener, { maxQueued: MAX_QUEUED, overflow: 'wait' }),
  };
}
