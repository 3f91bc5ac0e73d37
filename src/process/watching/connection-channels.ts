/**
 * The channels of node:diagnostics_channel on which connections are watched, and the streams of those that speak HTTP/2.
 *
 * @module
 */
import { type Channel, channel } from 'node:diagnostics_channel';

/** A connection: one object as long as it lasts. */
export interface Connection {
  /** Unlike that of any other in its process. */
  readonly id: number;
  /** The other end, which may be a proxy; undefined on a unix socket. */
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  /** Ours. */
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  readonly protocol: 'http/1.1' | 'h2';
  readonly isSecure: boolean;
  /** As `performance.now()` tells it in the thread that has the connection, ms. */
  readonly openedAt: number;
  /** Goes with its requests into handler threads: whoever hears of `open` may push there what a tracer passes on, such as `traceparent`. */
  readonly fields: [name: string, value: string][];
}

/** What comes on the channels of connections. */
export interface ConnectionMessage {
  readonly connection: Connection;
}

/** What comes on the channels of streams: one object for each stream. */
export interface StreamMessage {
  /** Its number on its connection (RFC 9113 §5.1.1). */
  readonly id: number;
  /** Undefined when nobody watched as it was opened. */
  readonly connection: Connection | undefined;
}

/** A connection speaks HTTP from now on: behind its handshake, and once its protocol is known. */
export const connectionOpened: Channel = channel('filrouge.connection:open');
/** Its socket is closed, whatever it spoke last. */
export const connectionClosed: Channel = channel('filrouge.connection:close');
/** A stream of HTTP/2 has a request. */
export const streamOpened: Channel = channel('filrouge.stream:open');
/** Nothing more comes or goes on it. */
export const streamClosed: Channel = channel('filrouge.stream:close');

let lastId = 0;

/** A socket, as far as it matters here. */
interface Wire {
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remotePort?: number | undefined;
  once(event: 'close', listener: () => void): unknown;
}

/** Whether anybody watches connections. */
export function areConnectionsWatched(): boolean {
  return connectionOpened.hasSubscribers || connectionClosed.hasSubscribers;
}

/** Tells those who watch of a connection, and later of its end. */
export function openConnection(
  wire: Wire,
  about: Pick<Connection, 'remoteAddress' | 'protocol' | 'isSecure'>,
  openedAt: number,
): Connection {
  const { localAddress, localPort, remotePort } = wire;
  const connection: Connection = { id: ++lastId, ...about, remotePort, localAddress, localPort, openedAt, fields: [] };
  const message: ConnectionMessage = { connection };
  connectionOpened.publish(message);
  wire.once('close', () => connectionClosed.publish(message));
  return connection;
}
