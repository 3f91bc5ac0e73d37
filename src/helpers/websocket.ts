/**
 * Websockets (RFC 6455): the handshake is a request like any other and is answered like any other; what comes after it is a connection
 * with messages instead of responses.
 *
 * The frames are the work of `ws`. What is added here are the bounds that it leaves open: who may connect, how large a message may be,
 * how much may wait in either direction, and how long a silent peer is believed to be there.
 *
 * @module
 */
import { checkInteger, checkOptions, MAX_TIMER, MiB } from '../http/bad-option.ts';
import type { Request } from '../http/request.ts';
import { Response } from '../http/response.ts';
import { adoptSocket } from './websocket/adopt-socket.ts';
import { Connection } from './websocket/connection.ts';
import { acceptHandshake } from './websocket/handshake.ts';
import { checkOrigins } from './websocket/origin.ts';
import { checkProtocols } from './websocket/subprotocol.ts';

/** How a connection ended. */
export interface Closing {
  /**
   * What the peer said: 1000 is the ordinary end. 1005: a close without a code; 1006: no close at all; 1002, 1007, 1008, 1009: what we said to a
   * peer that broke the protocol or a limit (RFC 6455 §7.4.1).
   */
  readonly code: number;
  /** What was said beside it; our own words when it was we who gave up. */
  readonly reason: string;
}

/** An open websocket. Messages are text (`string`) or bytes (`Buffer`), whole, in the order they were sent. */
export interface WebSocketConnection extends AsyncIterable<string | Buffer> {
  /** The subprotocol agreed on; empty when there is none. */
  readonly protocol: string;
  /** Settles when the connection has ended, however it ended. It never rejects. */
  readonly closed: Promise<Closing>;
  /**
   * Sends a message: text, or bytes, which must not be changed until they are out. After the end it does nothing.
   *
   * It never waits. A peer that takes so little that more than `maxQueued` bytes wait for it is cut off: wait for `drained()` to send much.
   */
  send(data: string | Uint8Array): void;
  /** Resolves when the system has taken what was sent, or when the connection has ended. */
  drained(): Promise<void>;
  /** Sends a ping now, beside those of `pingInterval`. */
  ping(): void;
  /**
   * Says goodbye. No message is delivered after it.
   *
   * @param code Default 1000; 3000 to 4999 are yours (RFC 6455 §7.4.2).
   * @param reason At most 123 bytes.
   * @throws RangeError (code `bad-option`) for a code that may not be sent, or a reason that is too long.
   */
  close(code?: number, reason?: string): void;
  /**
   * Has a function called with each message, those that wait included. It takes them as they come; `for await` takes no more than it can handle.
   * What it throws, or rejects with, ends the connection with 1011. A second call replaces the function.
   */
  onMessage(f: (data: string | Buffer) => void | Promise<void>): void;
}

/** Options of `websocket`. */
export interface WebSocketOptions {
  /** Subprotocols that are spoken here, the best first. A client that offers others only is refused with 400. Default: none, and offers are ignored. */
  protocols?: readonly string[];
  /** Largest message, bytes; a larger one ends the connection with 1009. Default 1 MiB. */
  maxMessageSize?: number;
  /** Most bytes that may wait for a slow peer when the next message is sent to it; beyond, it is cut off. Default 16 MiB. */
  maxQueued?: number;
  /** Pages that may connect, `https://app.example` as browsers write it; `*` for all. Default: only pages of this origin. Clients that are no browser name none, and may always. */
  origins?: readonly string[] | '*';
  /** Milliseconds between pings; a peer that is not heard of for that long after one is cut off. 0 sends none. Default 30,000. */
  pingInterval?: number;
}

/** The options with every default filled in. */
export interface ResolvedWebSocketOptions {
  readonly protocols: readonly string[];
  readonly maxMessageSize: number;
  readonly maxQueued: number;
  readonly origins: readonly string[] | '*' | undefined;
  readonly pingInterval: number;
}

const SUBJECT = 'Cannot open websocket';
const KNOWN: ReadonlySet<string> = new Set(['protocols', 'maxMessageSize', 'maxQueued', 'origins', 'pingInterval']);

/**
 * Answers the opening handshake of a websocket (RFC 6455 §4.2).
 *
 * `onOpen` may register the connection and return, or stay with it: `for await (const message of socket)`. Messages that come before it has
 * done either wait. What it throws, or rejects with, ends the connection with 1011, and `onError` sees it once. When the server stops, each
 * connection is closed with 1001.
 *
 * @param onOpen Called when the connection is open.
 * @returns 101; 426 for a request that asks for no websocket or for another version than 13, 405 for another method than GET, 400 for a
 *   malformed handshake or subprotocols that are not spoken here (code `bad-handshake`), 403 (code `bad-origin`) for a page of another origin.
 * @throws TypeError or RangeError (code `bad-option`) for an option that cannot be.
 * @example
 * startServer((request) => {
 *   if (match(request, 'GET /echo')) return websocket(request, (socket) => socket.onMessage((data) => socket.send(data)));
 *   return Response.empty(404);
 * });
 */
export function websocket(
  request: Request,
  onOpen: (socket: WebSocketConnection) => void | Promise<void>,
  options: WebSocketOptions = {},
): Response {
  const resolved = resolve(options);
  const accepted = acceptHandshake(request, resolved);
  if (accepted instanceof Response) return accepted;
  return Response.upgrade(
    'websocket',
    (socket, head, takeover) => {
      const ws = adoptSocket(socket, head, accepted.key, resolved.maxMessageSize);
      if (ws) new Connection(ws, socket, accepted.protocol, resolved, takeover).run(onOpen);
    },
    accepted.headers,
  );
}

function resolve(options: WebSocketOptions): ResolvedWebSocketOptions {
  checkOptions(SUBJECT, options, KNOWN);
  const { protocols = [], maxMessageSize = MiB, maxQueued = 16 * MiB, origins, pingInterval = 30_000 } = options;
  checkProtocols(protocols);
  checkOrigins(origins);
  checkInteger(SUBJECT, 'maxMessageSize', maxMessageSize, 1, 1024 * MiB);
  checkInteger(SUBJECT, 'maxQueued', maxQueued, 0, Number.MAX_SAFE_INTEGER);
  checkInteger(SUBJECT, 'pingInterval', pingInterval, 0, MAX_TIMER);
  return { protocols, maxMessageSize, maxQueued, origins, pingInterval };
}
