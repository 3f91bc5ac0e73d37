/**
 * `(req, res)`: a handler as a listener of node:http, and a listener, or an Express application, as an answer.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { checkFunction } from '../http/errors/bad-option.ts';
import { offeredUpgrade } from '../http/request/offered-upgrade.ts';
import { whileAsked } from '../http/request/while-asked.ts';
import type { Request } from '../http/request.ts';
import { HttpError, Response } from '../http/response.ts';
import type { GuestHandler, GuestOptions } from './guest.ts';
import { listenerOf } from './node/listener.ts';
import { visitUpgrade } from './node/upgrade.ts';
import { visit } from './node/visit.ts';

/** The function that `node:http`, Express and supertest call. */
export type NodeListener = (req: IncomingMessage, res: ServerResponse) => void;

/**
 * What node:http calls with its event `upgrade`. It writes its own answer to the socket, head and all; `head` is what the client has sent behind the
 * request already.
 */
export type NodeUpgradeHandler = (req: IncomingMessage, socket: Duplex, head: Buffer) => unknown;

/**
 * Turns a handler into a listener for `http.createServer`, Express (`app.use`), or supertest.
 *
 * The other server owns the connections and their time-outs. The path is canonical, the body is complete when the handler runs, and errors
 * are answered as in `startServer`. Mount it before anything that reads bodies. A websocket cannot be opened through it: the client gets
 * 426.
 *
 * @returns The listener. It answers every request; Express's `next` is never called.
 * @throws TypeError (code `bad-option`) for a wrong option.
 * @example
 * createServer(toNodeListener(handler)).listen(8000);
 */
export function toNodeListener(handler: GuestHandler, options: GuestOptions = {}): NodeListener {
  return listenerOf(handler, options);
}

/**
 * Answers with a listener of node:http: a whole Express application can be one route of ours.
 *
 * The listener sees the canonical path, the same that our routes and guards have seen. Both bodies are streamed; when the client leaves,
 * `req` is closed, and when the response is not wanted, `res` is.
 *
 * @param listener An Express application is one.
 * @returns The response, once its head is there. It rejects when the listener breaks off the connection or its response before that.
 * @example
 * startServer((request) => (request.path.startsWith('/old/') ? answerWithNode(request, app) : answer(request)));
 */
export function answerWithNode(request: Request, listener: NodeListener): Promise<Response> {
  return whileAsked(request, visit(request, listener));
}

/**
 * Answers with a handler of node:http's event `upgrade`: the `handleUpgrade` of ws and of engine.io, the HMR of Vite, tRPC's, y-websocket's, a proxy's.
 *
 * The handler writes its 101 to the socket as it does anywhere, and speaks its protocol there; bytes pass as they are, no faster than the other end reads
 * them. Or it refuses with a head of its own and closes the connection. It may be called in a handler thread, over TLS, and over HTTP/2, where its
 * 101 becomes the 200 of an extended CONNECT (RFC 8441). When the server stops, the socket ends as if the client had ended it.
 *
 * @param handler Called with real objects of node:http. What it throws, or rejects with, is a 500 before its head, and closes the connection after it.
 * @returns 101; what the handler has refused with; 400 (code `upgrade-refused`) when it closes the socket without an answer; 426 for a request that
 *   offers no upgrade, or has a body.
 * @throws TypeError (code `bad-option`) for a handler that is no function.
 * @example
 * const wss = new WebSocketServer({ noServer: true });
 * startServer((request) => {
 *   if (request.path !== '/ws') return Response.empty(404);
 *   return upgradeWithNode(request, (req, socket, head) => wss.handleUpgrade(req, socket, head, (ws) => wss.emit('connection', ws, req)));
 * });
 */
export function upgradeWithNode(request: Request, handler: NodeUpgradeHandler): Response | Promise<Response> {
  checkFunction('Cannot upgrade', 'the handler', handler);
  const protocols = offeredUpgrade(request);
  if (protocols === undefined || request.body.size !== 0) {
    const headers = { Upgrade: 'websocket' }; // a 426 must name one (RFC 9110 §15.5.22)
    return Response.fromError(new HttpError(426, 'This resource is reached by an upgrade', { code: 'bad-handshake', headers }), request);
  }
  return whileAsked(request, visitUpgrade(request, protocols, handler));
}
