/**
 * Passes a request that offers an upgrade to a server of node:http.
 *
 * A handler of upgrades writes its answer as bytes, in whatever framing. So a server of node:http that listens nowhere receives one end of a
 * pair of streams as a connection, and a client of node:http speaks at the other, which reads that answer.
 *
 * @module
 */
import { ClientRequest, createServer, type IncomingMessage, type Server } from 'node:http';
import { Readable } from 'node:stream';
import { withoutConnection } from '../../exchange/outgoing.ts';
import type { Request } from '../../http/request.ts';
import { HttpError, Response } from '../../http/response.ts';
import { PairedSocket } from './pair.ts';
import { checkMethod, fieldsOf, targetOf } from './passed-head.ts';
import { TIME_TO_END, WrittenBody } from './written-body.ts';

/** Not a limit in practice: the fields have already passed those of our engine. */
const MAX_HEADER_SIZE = 16 * 1024 * 1024;

/** By connection, the function that receives what a listener has thrown. */
const visits: WeakMap<object, (error: Error) => void> = new WeakMap();

/** Whom a request is passed to. */
export interface Host {
  readonly server: Server;
  /** Called with the host's end of the connection, before it is opened. */
  onConnection?(far: PairedSocket): void;
  /** The fields of this hop: Connection and what goes with it. */
  readonly connection: readonly string[];
  /** What becomes of a connection that has switched protocols. @throws What the answer is rejected with. */
  onSwitch(switched: Switched): Response;
  /** What the answer is rejected with when the connection was broken off before its head. */
  brokenOff(cause: Error): Error;
}

/** A connection that has switched protocols. */
export interface Switched {
  readonly incoming: IncomingMessage;
  /** The host's end. */
  readonly far: PairedSocket;
  /** What has come behind the 101. */
  readonly early: Buffer;
}

/** Passes a request to a server of node:http that listens nowhere. @returns Its response, once the head is there. */
export function ask(request: Request, host: Host): Promise<Response> {
  return new Promise((resolve, reject) => {
    checkMethod(request);
    const far = new PairedSocket(request);
    const { near } = far;
    // Not by `request`, which tracers replace: to them this would be a call to the outside.
    const client = new ClientRequest({
      createConnection: () => near,
      method: request.method,
      path: targetOf(request),
      headers: fieldsOf(request, host.connection),
      maxHeaderSize: MAX_HEADER_SIZE,
    });
    let response: IncomingMessage | undefined;
    const end = (error: Error): void => void (response ?? client).destroy(error);
    let parting: NodeJS.Timeout | undefined;
    /** A listener that has sent its whole response may still have to end it: it is left to do so, but not for ever. */
    const leave = (): void => {
      if (response?.complete) {
        response.resume();
        if (!near.destroyed) parting ??= setTimeout(() => near.destroy(), TIME_TO_END).unref();
      } else end(new HttpError(503, undefined, { cause: request.signal.reason }));
    };
    client.on('response', (incoming) => {
      response = incoming;
      resolve(responseOf(request, incoming));
    });
    client.on('information', ({ statusCode, rawHeaders }) => {
      if (statusCode > 101) request.sendInterim(statusCode, withoutConnection(pairsOf(rawHeaders))); // 100 asks for a body, which we send anyway
    });
    let isSwitched = false;
    client.on('upgrade', (incoming, _socket, early) => {
      try {
        resolve(host.onSwitch({ incoming, far, early }));
        isSwitched = true;
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
    client.on('error', (error) => reject('code' in error && error.code === 'ECONNRESET' ? host.brokenOff(error) : error));
    client.on('close', () => {
      clearTimeout(parting);
      request.signal.removeEventListener('abort', leave);
      if (isSwitched) return; // the connection has another owner
      near.destroy();
      far.destroy();
    });
    far.on('error', ignore); // what a listener destroys its socket with: 'close' follows
    receiveErrors(far, end);
    if (request.signal.aborted) leave();
    else request.signal.addEventListener('abort', leave);
    request.onEnd(leave); // also when the handler has discarded the response
    host.onConnection?.(far);
    host.server.emit('connection', far);
    client.end(); // who offers an upgrade has no body
  });
}

/** A server without a listener of its own, and without time-outs: those of the client are watched on its own connection. */
export function silentServer(): Server {
  return createServer({ maxHeaderSize: MAX_HEADER_SIZE, requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 });
}

/**
 * Calls what others have written: what it throws, or rejects with, ends the visit that came over this connection, when the other end has read
 * what it has written before.
 */
export function guarded(far: object, call: () => unknown): void {
  const fail = (error: unknown): void => visits.get(far)?.(error instanceof Error ? error : new Error(String(error)));
  new Promise((resolve) => resolve(call())).catch(fail);
}

/** From now on, what is thrown over a connection is received by this function. */
export function receiveErrors(far: object, fail: (error: Error) => void): void {
  visits.set(far, fail);
}

function responseOf(request: Request, incoming: IncomingMessage): Response {
  const length = incoming.headers['content-length'];
  const headers = [
    ...withoutConnection(pairsOf(incoming.rawHeaders)),
    ...(length === undefined ? [] : [['Content-Length', length] as const]),
  ];
  const status = incoming.statusCode ?? 0;
  if (request.method === 'HEAD' || status === 204 || status === 304) {
    incoming.resume();
    // Without a length, HEAD must not announce one: that of GET is not known (RFC 9110 §8.6).
    return new Response(request.method === 'HEAD' && length === undefined ? Readable.from([]) : undefined, { status, headers });
  }
  return new Response(bodyOf(incoming), { status, headers });
}

/**
 * The body. `incoming` would drop what it holds when the listener breaks off, and would break the listener off when the response has been
 * sent: with the last announced byte that is done, and the listener may only now come to end it.
 */
function bodyOf(incoming: IncomingMessage): Readable {
  const body = new WrittenBody(undefined, () => {
    if (incoming.complete) incoming.resume();
    else incoming.destroy();
  });
  incoming.on('data', (piece: Buffer) => {
    body.push(piece, 'latin1');
    incoming.pause();
    body.whenTaken(() => void incoming.resume());
  });
  incoming.on('end', () => body.end());
  incoming.on('error', (error) => body.breakOff(error));
  return body.stream();
}

/** The fields of a message of node:http. */
export function pairsOf(raw: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) pairs.push([raw[i] ?? '', raw[i + 1] ?? '']);
  return pairs;
}

function ignore(): void {}
