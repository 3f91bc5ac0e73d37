/**
 * Listening sockets: TCP, unix and TLS; admission of connections; and which protocol each one speaks.
 *
 * A connection goes this way:
 *
 *     accepted, paused ─▶ fair share ─▶ gate ─▶ entered ─▶ (TLS handshake) ─▶ served ─▶ closed: the gate hears of it
 *                         may hold      │ no
 *                         us still      └─▶ refused: 503 in the clear, or closed
 *
 * Nothing is read before the gate has answered: until then a connection costs a descriptor and no memory of ours. A connection counts from its entry to
 * its close, whatever it speaks, also during the handshake. A socket may have gone while the gate was asked: the place is given back at once.
 *
 * HTTP/1.1 is the only protocol so far: the choice by ALPN belongs in `#serve`.
 *
 * @module
 */
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { CLOSE, serializeHead } from '../h1/serializer.ts';
import { unmapped } from '../http/address.ts';
import { bytesOf } from '../http/body/response-body.ts';
import type { Peer } from '../http/request.ts';
import type { ConnectionGate } from './connection-gate.ts';
import { FairShare } from './fair-share.ts';
import { Http1Connection } from './http1/connection.ts';
import type { Service } from './service.ts';
import { linger } from './socket/linger.ts';
import { listenError } from './socket/listen-error.ts';
import { giveRights, tightenUmask } from './socket/socket-file.ts';

/** Longest TLS handshake, ms. */
const HANDSHAKE_TIME = 10_000;
/** Refused connections that linger at the same time; beyond, they are closed without an answer. */
const MAX_REFUSED = 512;
/** Connections the kernel queues before we accept them; it may allow less (`net.core.somaxconn`). */
const BACKLOG = 4096;

/** Accepts connections for a service. */
export class Listener {
  readonly server: Server;
  /** Every open socket, whatever it speaks. */
  readonly sockets: Set<Socket> = new Set();
  readonly #service: Service;
  readonly #gate: ConnectionGate;
  /** Only where other processes accept from the same socket. */
  readonly #share: FairShare | undefined;
  #refused = 0;

  constructor(service: Service, gate: ConnectionGate) {
    this.#service = service;
    this.#gate = gate;
    this.#share = service.options.workers > 1 ? new FairShare() : undefined;
    const { tls } = service.options;
    const options = { allowHalfOpen: true, noDelay: true, pauseOnConnect: true };
    this.server = createServer(options, (socket) => this.#admit(socket));
    if (tls) {
      // The TLS server never listens: it gets the sockets that were admitted, so that handshakes count as connections.
      const secure = createTlsServer({
        ...tls,
        allowHalfOpen: true,
        ALPNProtocols: ['http/1.1'],
        handshakeTimeout: Math.min(HANDSHAKE_TIME, service.options.headersTimeout),
      });
      secure.on('secureConnection', (socket) => {
        socket.allowHalfOpen = true; // from here on a client may end its side and read its answer
        this.#serve(socket, true);
      });
      secure.on('tlsClientError', (error, socket) => {
        service.refusals.handshakeFailed(addressUnder(socket), error);
        socket.destroy();
      });
      this.#open = (socket) => {
        addressOf(socket); // the socket remembers it: after a failure there is no peer to ask for
        socket.allowHalfOpen = false; // inside a handshake the end of the client's side is the end: the TLS socket does as this one
        secure.emit('connection', socket);
      };
    }
  }

  /** Resolves when connections are accepted; rejects with the error of the system, explained. */
  listen(): Promise<void> {
    const { options } = this.#service;
    const { host, port, path } = options;
    const where: ListenOptions = path === undefined ? { host, port, backlog: BACKLOG } : { path, backlog: BACKLOG };
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => reject(listenError(error, options));
      this.server.once('error', fail);
      const restoreUmask = tightenUmask(options);
      this.server.listen(where, () => {
        this.server.off('error', fail);
        giveRights(options);
        this.server.on('error', (error) => this.#service.refusals.acceptFailed(error));
        resolve();
      });
      restoreUmask(); // without a primary the file is there by now; else the primary makes it, and does the same
    });
  }

  /** Stops accepting. */
  close(): void {
    this.server.close();
  }

  #admit(socket: Socket): void {
    socket.on('error', ignore);
    this.#share?.accepted(this.sockets.size);
    const verdict = this.#gate.enter();
    if (verdict === true) this.#enter(socket);
    else if (verdict === false) this.#refuse(socket);
    else void verdict.then((isAdmitted) => (isAdmitted ? this.#enter(socket) : this.#refuse(socket)));
  }

  #enter(socket: Socket): void {
    if (socket.destroyed) return this.#gate.leave();
    this.sockets.add(socket);
    socket.on('close', () => {
      this.sockets.delete(socket);
      this.#gate.leave();
    });
    this.#open(socket);
  }

  readonly #open: (socket: Socket) => void = (socket) => this.#serve(socket, false);

  #serve(socket: Socket, secure: boolean): void {
    new Http1Connection(socket, peerOf(socket, secure, this.#service), this.#service);
    socket.resume();
  }

  /** Answers 503 and closes. In the clear only: clients that are turned away are not worth a handshake. */
  #refuse(socket: Socket): void {
    if (socket.destroyed) return;
    const { options, refusals, clock } = this.#service;
    const response = refusals.turnAway(this.#service, addressOf(socket), options.tls === undefined && this.#refused < MAX_REFUSED);
    const body = response && bytesOf(response.content);
    if (!response || !body) return void socket.destroy();
    this.#refused++;
    socket.on('close', () => this.#refused--);
    const head = serializeHead(response.status, response.list.wire, clock.dateLine, body.length, CLOSE);
    socket.write(Buffer.concat([Buffer.from(head, 'latin1'), body]));
    linger(socket);
  }
}

function peerOf(socket: Socket, secure: boolean, server: Service): Peer {
  return {
    remoteAddress: addressOf(socket),
    remotePort: socket.remotePort,
    secure,
    host: undefined,
    port: server.port,
    readAt: Number.NaN,
    server,
  };
}

function addressOf({ remoteAddress }: Socket): string | undefined {
  return remoteAddress && unmapped(remoteAddress); // an IPv4 client of an IPv6 socket
}

/** The address of a TLS socket's client, also after its end. Taken from the socket beneath it, a private field: without it there is none. */
function addressUnder(socket: Socket): string | undefined {
  return addressOf((socket as { readonly _parent?: Socket | null })._parent ?? socket);
}

function ignore(): void {}
