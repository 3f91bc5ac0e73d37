/**
 * Which protocol a client speaks in the clear: HTTP/2 when it begins with the preface, which it then does with prior knowledge (RFC 9113 §3.3);
 * else HTTP/1.1. A line like those of the preface in which no version of HTTP stands is of neither: HTTP/2 has an error for it (RFC 9113 §3.4).
 *
 * @module
 */
import type { Socket } from 'node:net';
import { PREFACE } from '../../h2/frames.ts';
import type { Peer } from '../../http/request.ts';
import { tellOpened } from '../connection/opened.ts';
import { Patience } from '../connection/patience.ts';
import { Http1Connection } from '../http1/connection.ts';
import type { ManagedConnection, Service } from '../service.ts';
import { listen, pass, type SocketOwner } from '../socket/socket-events.ts';
import { Http2Connection } from './connection.ts';

const NOTHING: Buffer = Buffer.alloc(0);
/** Three words or more. */
const LIKE_A_PREFACE = /^\S+ \S+ \S/;
const VERSION = / http\//i;

/** A connection whose first bytes have not come. */
export class PlaintextChoice implements ManagedConnection, SocketOwner {
  readonly protocol = undefined;
  readonly exchanges: { readonly open: readonly [] } = { open: [] };
  readonly #socket: Socket;
  readonly #peer: Peer;
  readonly #service: Service;
  readonly #patience: Patience;
  /** What has come, when it may still be either. */
  #begun: Buffer = NOTHING;

  constructor(socket: Socket, peer: Peer, service: Service) {
    this.#socket = socket;
    this.#peer = peer;
    this.#service = service;
    this.#patience = new Patience(service);
    service.connections.add(this);
    listen(socket, this);
  }

  readonly onRead = (bytes: Buffer | number, shared?: Buffer): boolean => {
    const read = typeof bytes === 'number' ? (shared as Buffer).subarray(0, bytes) : bytes;
    const all = this.#begun.length === 0 ? read : Buffer.concat([this.#begun, read]);
    const count = Math.min(all.length, PREFACE.length);
    const isPreface = all.compare(PREFACE, 0, count, 0, count) === 0;
    if (isPreface && count < PREFACE.length) this.#begun = Buffer.from(all);
    else this.#choose(isPreface || isBrokenPreface(all)).onRead(Buffer.from(all)); // its own copy: what follows may be read before it has been used up
    return true;
  };

  #choose(isHttp2: boolean): SocketOwner {
    this.#service.connections.delete(this);
    pass(this.#socket);
    tellOpened(this.#socket, this.#peer, isHttp2 ? 'h2' : 'http/1.1');
    return new (isHttp2 ? Http2Connection : Http1Connection)(this.#socket, this.#peer, this.#service);
  }

  /** The client has ended its side before it was known what it speaks: as over HTTP/1.1, where that is answered if it can be. */
  onEnd(): void {
    const owner = this.#choose(false);
    if (this.#begun.length > 0) owner.onRead(this.#begun);
    owner.onEnd();
  }

  onDrain(): void {}

  onClose(): void {
    this.#service.connections.delete(this);
  }

  tick(now: number): void {
    if (this.#patience.isDue(now, 0, false)) this.destroy();
  }

  drain(): void {
    this.#patience.shorten();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

function isBrokenPreface(bytes: Buffer): boolean {
  const line = bytes.toString('latin1', 0, bytes.indexOf('\n') + 1);
  return LIKE_A_PREFACE.test(line) && !VERSION.test(line);
}
