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
 * Under TLS the client names its protocol (ALPN, RFC 7301); in the clear it is HTTP/1.1, unless `h2c` has us look at its first bytes. What serves
 * HTTP/2 is loaded when it is first needed: the socket waits meanwhile, paused.
 *
 * @module
 */
import type { X509Certificate } from 'node:crypto';
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { printError } from '../exchange/print-error.ts';
import { CLOSE, serializeHead } from '../h1/serializer.ts';
import { bytesOf } from '../http/body/response-body.ts';
import type { Peer } from '../http/request.ts';
import { tellOpened } from './connection/opened.ts';
import type { ConnectionGate } from './connection-gate.ts';
import { FairShare } from './fair-share.ts';
import { Http1Connection } from './http1/connection.ts';
import type { PlaintextChoice } from './http2/plaintext.ts';
import type { Service } from './service.ts';
import { addressOf } from './socket/address-of.ts';
import { linger } from './socket/linger.ts';
import { listenError } from './socket/listen-error.ts';
import { giveRights, tightenUmask } from './socket/socket-file.ts';
import type { Certificates } from './tls/certificates.ts';
import { SecureServer } from './tls/secure-server.ts';

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
  /** What serves connections in the clear. */
  #InTheClear: typeof Http1Connection | typeof PlaintextChoice = Http1Connection;

  /** @param certificates For the option `tls`. */
  constructor(service: Service, gate: ConnectionGate, certificates?: Certificates) {
    this.#service = service;
    this.#gate = gate;
    this.#share = service.options.workers > 1 ? new FairShare() : undefined;
    const { tls } = service.options;
    const options = { allowHalfOpen: true, noDelay: true, pauseOnConnect: true };
    this.server = createServer(options, (socket) => this.#admit(socket));
    this.#open = (socket) => this.#serve(socket, false);
    if (!tls || !certificates) return;
    const protocols = service.options.http2 ? ['h2', 'http/1.1'] : ['http/1.1'];
    const secure = new SecureServer(tls, certificates, service, protocols, (socket) => {
      if (socket.alpnProtocol === 'h2') void this.#serveHttp2(socket);
      else this.#serve(socket, true);
    });
    this.server.once('close', () => secure.close());
    this.#open = (socket) => {
      addressOf(socket); // the socket remembers it: after a failure there is no peer to ask for
      secure.accept(socket);
    };
  }

  /** Resolves when connections are accepted; rejects with the error of the system, explained. */
  async listen(): Promise<void> {
    const { options } = this.#service;
    if (options.h2c) this.#InTheClear = (await import('./http2/plaintext.ts')).PlaintextChoice;
    const { host, port, path } = options;
    const where: ListenOptions = path === undefined ? { host, port, backlog: BACKLOG } : { path, backlog: BACKLOG };
    await new Promise<void>((resolve, reject) => {
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

  readonly #open: (socket: Socket) => void;

  #serve(socket: Socket, secure: boolean): void {
    const peer = peerOf(socket, secure, this.#service);
    const Kind = secure ? Http1Connection : this.#InTheClear;
    if (Kind === Http1Connection) tellOpened(socket, peer, 'http/1.1'); // else it is not known yet
    new Kind(socket, peer, this.#service);
    socket.resume();
  }

  async #serveHttp2(socket: Socket): Promise<void> {
    try {
      const { Http2Connection } = await import('./http2/connection.ts');
      if (socket.destroyed) return;
      const early = socket.read() as Buffer | null; // has come while the code was loaded: the stream keeps it, and `listen` would pass it by
      const peer = peerOf(socket, true, this.#service);
      tellOpened(socket, peer, 'h2');
      const connection = new Http2Connection(socket, peer, this.#service);
      if (early) connection.onRead(early);
      socket.resume();
    } catch (error) {
      printError('Cannot load what serves HTTP/2', error); // the files of the package are gone: a rejection would end the process
      socket.destroy();
    }
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
    connection: undefined,
    clientCertificate: secure ? certificateOf(socket as TLSSocket, server) : undefined,
  };
}

/** The certificate of a client, if it was asked for one and somebody vouches for it. */
function certificateOf(socket: TLSSocket, { options }: Service): X509Certificate | undefined {
  return options.tls?.clientCertificates !== undefined && socket.authorized ? socket.getPeerX509Certificate() : undefined;
}

function ignore(): void {}
