/**
 * The `req` and `res` that a listener of node:http is called with: genuine ones, which no parser has made and no server looks after.
 *
 * What they do otherwise are properties of their own, not of a subclass: Express puts prototypes of its own under both.
 *
 * @module
 */
import { IncomingMessage, ServerResponse } from 'node:http';
import type { GuestSocket, SocketReader } from './socket.ts';

/** What the parser and the server of node:http call. */
interface Internals {
  _addHeaderLines?(flat: readonly string[], count: number): void;
  _dump?(): void;
}

/** By which node:http remembers that somebody waits for 'drain'. */
const NEEDS_DRAIN: symbol | undefined = symbolOf(new ServerResponse(new IncomingMessage(undefined as never)), 'kNeedDrain');
/** In newer versions: how `req.signal` lets go of the socket. */
const DETACH_SIGNAL: symbol | undefined = symbolOf(IncomingMessage.prototype, 'kDetachAbortSignal');

/** Who looks after a message. Its socket has another reader when it is over, which what a listener still does with it must not reach. */
const READER: unique symbol = Symbol('reader');

/** A message of ours. */
interface Looked {
  [READER]?: SocketReader | undefined;
}

function symbolOf(holder: object, description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(holder).find((symbol) => symbol.description === description);
}

/** A request as the listener sees it. @param flat The fields: names and values by turns. */
export function requestOf(socket: GuestSocket, method: string, url: string, flat: readonly string[]): IncomingMessage {
  const req = new IncomingMessage(socket);
  req.method = method;
  req.url = url;
  req.httpVersionMajor = 1;
  req.httpVersionMinor = 1;
  req.httpVersion = '1.1';
  const internals = req as Internals;
  if (internals._addHeaderLines) internals._addHeaderLines(flat, flat.length);
  else joinFields(req, flat);
  req._read = read;
  (req as Looked)[READER] = socket.reader;
  return req;
}

function read(this: IncomingMessage, size: number): void {
  IncomingMessage.prototype._read.call(this, size);
  (this as Looked)[READER]?.onRead();
}

/** For versions of Node.js whose messages do not join fields by themselves. */
function joinFields(req: IncomingMessage, flat: readonly string[]): void {
  req.rawHeaders = [...flat];
  const headers: Record<string, string | string[]> = {};
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const name = (flat[i] ?? '').toLowerCase();
    const value = flat[i + 1] ?? '';
    const known = headers[name];
    if (name === 'set-cookie') headers[name] = [...(Array.isArray(known) ? known : []), value];
    else headers[name] = known === undefined ? value : `${String(known)}${name === 'cookie' ? '; ' : ', '}${value}`;
  }
  req.headers = headers;
}

/** The response is finished, and nobody has asked for the body of the request. */
export function dropRest(req: IncomingMessage): void {
  if (req.readableFlowing === true) return;
  const internals = req as Internals;
  if (internals._dump) internals._dump();
  else req.removeAllListeners('data').resume();
}

/** The connection is gone before the response was finished. */
export function breakOff(req: IncomingMessage): void {
  req.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }));
}

/** A response as the listener sees it. Its body is written as it is, whatever its head says of the framing. */
export function responseOf(req: IncomingMessage, socket: GuestSocket): ServerResponse {
  const res = new ServerResponse(req);
  res.shouldKeepAlive = false;
  res.writeHead = writeHead;
  res.end = end;
  res.assignSocket(socket);
  res.on('finish', finished);
  return res;
}

/** What node:http does, by whatever arguments. */
const GENUINE = ServerResponse.prototype as unknown as Record<'writeHead' | 'end', (...given: readonly unknown[]) => unknown>;

function writeHead(this: ServerResponse, ...given: readonly unknown[]): ServerResponse {
  Reflect.apply(GENUINE.writeHead, this, given);
  this.chunkedEncoding = false; // the engine frames the body
  return this;
}

function end(this: ServerResponse, ...given: readonly unknown[]): ServerResponse {
  const reader = (this.req as Looked)[READER];
  reader?.onEnding();
  Reflect.apply(GENUINE.end, this, given);
  reader?.onEnd();
  return this;
}

function finished(this: ServerResponse): void {
  if (DETACH_SIGNAL) (this.req as unknown as Record<symbol, () => void>)[DETACH_SIGNAL]?.();
  (this.req as Looked)[READER]?.onFinish();
}

/** The exchange is over, and the socket goes on: what node:http does then. */
export function close(res: ServerResponse): void {
  const state = res as ServerResponse & { _closed?: boolean };
  if (state._closed === true) return;
  res.destroyed = true;
  state._closed = true;
  res.emit('close');
}

/** Whether the listener waits for 'drain', which is due now. */
export function isDrained(res: ServerResponse): boolean {
  if (!res.writableNeedDrain) return false;
  if (NEEDS_DRAIN) Object.assign(res, { [NEEDS_DRAIN]: false });
  return true;
}
