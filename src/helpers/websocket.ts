/**
 * Websockets (RFC 6455): the handshake is a request like any other and is answered like any other; what comes after it is a connection
 * with messages instead of responses.
 *
 * The frames are the work of `ws`. Added here are the limits that it leaves open: who may connect, how large a message may be,
 * how much may wait in either direction, and how long a silent peer is kept.
 *
 * @module
 */
import { checkFunction } from '../http/errors/bad-option.ts';
import type { Request } from '../http/request.ts';
import { Response } from '../http/response.ts';
import { adoptSocket } from './websocket/adopt-socket.ts';
import { Connection, type WebSocketConnection } from './websocket/connection.ts';
import { acceptHandshake } from './websocket/handshake.ts';
import { resolveOptions, type WebSocketOptions } from './websocket/options.ts';

export type { Closing, WebSocketConnection } from './websocket/connection.ts';
export type { WebSocketOptions } from './websocket/options.ts';

/**
 * Answers the opening handshake of a websocket (RFC 6455 §4.2).
 *
 * `onOpen` may register the connection and return, or stay with it: `for await (const message of socket)`. Messages that come before it has
 * done either wait. What it throws, or rejects with, ends the connection with 1011, and `onError` sees it once. When the server stops, each
 * connection is closed with 1001.
 *
 * @param onOpen Called when the connection is open.
 * @returns 101; 426 for a request that does not ask for a websocket or asks for a version other than 13, 405 for a method other than GET, 400 for a
 *   malformed handshake or subprotocols that are not spoken here (code `bad-handshake`), 403 (code `bad-origin`) for a page of another origin.
 * @throws TypeError or RangeError (code `bad-option`) for a wrong option, and for an `onOpen` that is no function.
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
  checkFunction('Cannot open websocket', 'onOpen', onOpen);
  const resolved = resolveOptions(options);
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
