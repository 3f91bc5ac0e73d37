/**
 * `(req, res)`: a handler as a listener of node:http, and a listener, or an Express application, as an answer.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { whileAsked } from '../http/request/while-asked.ts';
import type { Request } from '../http/request.ts';
import type { Response } from '../http/response.ts';
import type { GuestHandler, GuestOptions } from './guest.ts';
import { listenerOf } from './node/listener.ts';
import { visit } from './node/visit.ts';

/** The function that `node:http`, Express and supertest call. */
export type NodeListener = (req: IncomingMessage, res: ServerResponse) => void;

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
