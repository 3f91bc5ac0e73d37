/**
 * The socket that a listener of node:http sees: it has everything that a net.Socket has, but for a descriptor.
 *
 * @module
 */
import { type AddressInfo, Socket } from 'node:net';
import type { Peer, Request } from '../../http/request.ts';

/** Called when what was written has been taken. */
export type Taken = (error?: Error | null) => void;

/** Takes what is written on a socket, and learns of its end. */
export interface SocketReader {
  /** The listener asks for the body of its request. */
  onRead(): void;
  /** The listener is about to end its response: what it writes now is the last. */
  onEnding(): void;
  /** @param pieces Text in its encoding, or bytes, in their order. */
  take(pieces: readonly WrittenPiece[], taken: Taken): void;
  /** The socket takes more, after it was full. */
  onDrain(): void;
  /** Nothing has happened for as long as the listener has asked for. @returns Whether somebody takes care of it. */
  onTimeout(): boolean;
  /** The listener has ended its response. */
  onEnd(): void;
  /** All of the response has been taken. */
  onFinish(): void;
  /** The socket is closed. */
  onClose(): void;
}

/** A piece that was written. */
export interface WrittenPiece {
  readonly chunk: Buffer | string;
  readonly encoding: BufferEncoding;
}

/** By connection of a client, a socket that no request uses. */
const idleSockets: WeakMap<Peer, GuestSocket> = new WeakMap();

/** Events of which a listener may want to know: there is one of ours for each. */
const USES: readonly string[] = ['close', 'error', 'drain'];

/** What listeners ask a socket for besides its bytes: all of it is about the client of the request. */
export class ClientSocket extends Socket {
  readonly encrypted: boolean;
  override readonly remoteAddress: string | undefined;
  override readonly remotePort: number | undefined;
  override readonly remoteFamily: string | undefined;
  override readonly pending = false;
  override bytesRead = 0;
  override bytesWritten = 0;

  constructor(request: Request) {
    super({ allowHalfOpen: true }); // as the sockets of a node:http server
    const { remoteAddress, remotePort, secure } = request;
    this.encrypted = secure;
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
    this.remoteFamily = remoteAddress === undefined ? undefined : remoteAddress.includes(':') ? 'IPv6' : 'IPv4';
    Object.defineProperty(this, 'localPort', { value: request.peer.port }); // declared as always there
  }

  override address(): AddressInfo | Record<string, never> {
    return {};
  }

  override ref(): this {
    return this;
  }

  override unref(): this {
    return this;
  }
}

/** The socket of a listener, which reads its request otherwise. */
export class GuestSocket extends ClientSocket {
  /** Who takes what is written; nobody between two requests. */
  reader: SocketReader | undefined;
  #isTimed = false;

  /** For a request: the socket of the request before it on its connection, or a new one. */
  static of(request: Request, reader: SocketReader): GuestSocket {
    const { peer } = request;
    const idle = idleSockets.get(peer);
    if (!idle?.writable) return new GuestSocket(request, reader); // a listener may have ended it, or destroyed it, when its response was over
    idleSockets.delete(peer); // over HTTP/2 there may be several at a time
    idle.reader = reader;
    return idle;
  }

  constructor(request: Request, reader: SocketReader) {
    super(request);
    this.reader = reader;
    this.on('close', closed).on('drain', drained).on('finish', ended);
    this.on('error', ignore); // what a listener destroys it with: 'close' follows
  }

  /**
   * The response is over: the socket waits for the next request on its connection, unless the listener has made use of it, or ended it.
   *
   * @param isFree Whether nothing is left that ends it: a message of node:http which is destroyed before its end takes its socket along.
   */
  rest({ peer }: Request, isFree: boolean): void {
    this.reader = undefined;
    if (!isFree || this.#isTimed || !this.writable || USES.some((event) => this.listenerCount(event) > 1)) this.destroy();
    else idleSockets.set(peer, this);
  }

  /** The bytes of the request do not come this way. */
  override resume(): this {
    return this;
  }

  override setTimeout(ms: number, callback?: () => void): this {
    if (!this.#isTimed) {
      this.#isTimed = true;
      this.on('timeout', timedOut);
    }
    return super.setTimeout(ms, callback);
  }

  override _read(): void {}

  override _write(chunk: Buffer | string, encoding: BufferEncoding, taken: Taken): void {
    this._writev([{ chunk, encoding }], taken);
  }

  override _writev(pieces: readonly WrittenPiece[], taken: Taken): void {
    if (this.reader) this.reader.take(pieces, taken);
    else taken(); // by a listener that goes on writing when its response is over
  }

  override _final(done: Taken): void {
    done();
  }
}

function closed(this: GuestSocket): void {
  this.reader?.onClose();
}

/** The listener has ended it, and all that it has written is taken: there is no client that would end the other side. */
function ended(this: GuestSocket): void {
  this.destroy();
}

function drained(this: GuestSocket): void {
  this.reader?.onDrain();
}

function timedOut(this: GuestSocket): void {
  if (this.reader?.onTimeout() !== true) this.destroy();
}

function ignore(): void {}
