/**
 * Passes a request of ours to a listener of node:http.
 *
 * A listener expects an IncomingMessage and a ServerResponse that behave in every detail like those of node:http. So it gets real ones: a
 * node:http server that listens nowhere receives one end of a pair of streams as a connection, and a node:http client speaks at the other.
 *
 * @module
 */
import {
  type ClientRequest,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  METHODS,
  type Server,
  type ServerResponse,
} from 'node:http';
import { Readable } from 'node:stream';
import { withoutConnection } from '../../exchange/outgoing.ts';
import type { Request } from '../../http/request.ts';
import { HttpError, Response } from '../../http/response.ts';
import { encodePath } from '../../http/target.ts';
import { GuestSocket } from './pair.ts';

type Listener = (req: IncomingMessage, res: ServerResponse) => void;

/** The server of each listener, collected together with it. */
const servers: WeakMap<Listener, Server> = new WeakMap();

/** Not a limit in practice: the fields have already passed those of our engine. */
const MAX_HEADER_SIZE = 16 * 1024 * 1024;

/** How long a listener may take to end a response whose announced bytes have all been sent, ms. */
const TIME_TO_END = 5000;

/** By connection, the function that receives what a listener has thrown. */
const visits: WeakMap<object, (error: Error) => void> = new WeakMap();

/** Passes a request to a listener. @returns Its response, once the head is there. */
export function visit(request: Request, listener: Listener): Promise<Response> {
  return new Promise((resolve, reject) => {
    if (!METHODS.includes(request.method)) throw new HttpError(501, `node:http does not know the method ${request.method}`);
    const far = new GuestSocket(request);
    const { near } = far;
    const client = httpRequest({
      createConnection: () => near,
      method: request.method,
      path: targetOf(request),
      headers: fieldsOf(request),
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
    client.on('upgrade', (_incoming, socket) => {
      socket.destroy();
      reject(new Error('Cannot answer with a listener: it has switched protocols'));
    });
    client.on('error', (error) => reject('code' in error && error.code === 'ECONNRESET' ? brokenOff(error) : error));
    client.on('close', () => {
      clearTimeout(parting);
      request.signal.removeEventListener('abort', leave);
      near.destroy();
      far.destroy();
    });
    far.on('error', ignore); // what a listener destroys its socket with: 'close' follows
    visits.set(far, end);
    if (request.signal.aborted) leave();
    else request.signal.addEventListener('abort', leave);
    request.onEnd(leave); // also when the handler has discarded the response
    serverOf(listener).emit('connection', far);
    sendBody(request, client);
  });
}

function serverOf(listener: Listener): Server {
  const known = servers.get(listener);
  if (known) return known;
  // No time-outs: those of the client are watched on its own connection.
  const server = createServer({ maxHeaderSize: MAX_HEADER_SIZE, requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 }, (req, res) => {
    const fail = (error: unknown): void => visits.get(req.socket)?.(error instanceof Error ? error : new Error(String(error)));
    try {
      Promise.resolve(listener(req, res) as unknown).catch(fail);
    } catch (error) {
      fail(error); // thrown from here, it would end the process
    }
  });
  Object.assign(server, { httpAllowHalfOpen: true }); // the client ends its side when it has the response, which the listener may not have ended yet
  servers.set(listener, server);
  return server;
}

function brokenOff(cause: Error): Error {
  return new Error('Cannot answer with a listener: it has broken off the connection', { cause });
}

/** The canonical target, so that the listener routes on what our guards have seen. */
function targetOf(request: Request): string {
  if (request.path === '*') return '*';
  return encodePath(request.path) + (request.rawQuery === '' ? '' : `?${request.rawQuery}`);
}

/** The fields as they came, in their order, with the framing of this hop. */
function fieldsOf(request: Request): string[] {
  const pairs = withoutConnection(request.headers).filter(([name]) => name.toLowerCase() !== 'expect' && name.toLowerCase() !== 'host');
  const flat = ['Host', request.host ?? '', ...pairs.flat()];
  const { size } = request.body;
  const mayHaveBody = size !== 0 || request.header('content-length') !== undefined || request.header('transfer-encoding') !== undefined;
  if (mayHaveBody) flat.push(...(size < 0 ? ['Transfer-Encoding', 'chunked'] : ['Content-Length', String(size)]));
  return [...flat, 'Connection', 'close'];
}

function sendBody(request: Request, client: ClientRequest): void {
  if (request.body.size === 0) {
    client.end();
    return;
  }
  const body = request.body.stream();
  body.on('error', (error) => client.destroy(error));
  client.on('close', () => body.destroy());
  if (!request.body.isInMemory) client.flushHeaders(); // a listener may answer before the body comes
  body.pipe(client);
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

/** How much of a body waits here, bytes: what a listener has written before it breaks off is still sent, as from the buffer of a socket. */
const MOST_WAITING = 64 * 1024;

/**
 * The body. `incoming` would drop what it holds when the listener breaks off, and would break the listener off when the response has been
 * sent: with the last announced byte that is done, and the listener may only now come to end it.
 */
function bodyOf(incoming: IncomingMessage): Readable {
  let broken: Error | undefined;
  const body = new Readable({
    highWaterMark: 0, // asks only when nothing is left
    read() {
      if (broken) body.destroy(broken);
      else incoming.resume();
    },
    destroy(error, done) {
      if (incoming.complete) incoming.resume();
      else incoming.destroy();
      done(error);
    },
  });
  incoming.on('data', (piece: Buffer) => {
    body.push(piece);
    if (body.readableLength >= MOST_WAITING) incoming.pause();
  });
  incoming.on('end', () => body.push(null));
  incoming.on('error', (error) => {
    broken = error;
    if (body.readableLength === 0) body.destroy(error);
  });
  body.on('error', ignore); // the sender of the body sees it; without a reader it must not end the process
  return body;
}

function pairsOf(raw: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) pairs.push([raw[i] ?? '', raw[i + 1] ?? '']);
  return pairs;
}

function ignore(): void {}
