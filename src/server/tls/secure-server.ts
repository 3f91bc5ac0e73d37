/**
 * The TLS side of a listener. Its server never listens: it gets the sockets that were admitted, so that handshakes count as connections.
 *
 * Whatever a client does in a handshake, and whatever the choice of a certificate throws, costs that connection only.
 *
 * @module
 */
import type { Socket } from 'node:net';
import { createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls';
import type { Service } from '../service.ts';
import { addressUnder } from '../socket/address-of.ts';
import type { Certificates } from './certificates.ts';
import type { ResolvedTls } from './options.ts';
import { endHandshake } from './plain-request.ts';
import { createTicketSecret, ticketKeys } from './tickets.ts';

/** Longest TLS handshake, ms. */
const HANDSHAKE_TIME = 10_000;
/** How often the files of certificates are looked at, ms: a stat for each. */
const REFRESH_INTERVAL = 1000;

/** Turns admitted sockets into TLS sockets. */
export class SecureServer {
  readonly #server: Server;
  readonly #certificates: Certificates;
  readonly #secret: string;
  #keys: Buffer;
  readonly #timer: NodeJS.Timeout;

  /**
   * @param protocols What is spoken, in the order of preference (ALPN, RFC 7301).
   * @param onSecure Gets the socket when the handshake is done.
   */
  constructor(
    tls: ResolvedTls,
    certificates: Certificates,
    service: Service,
    protocols: readonly string[],
    onSecure: (socket: TLSSocket) => void,
  ) {
    this.#certificates = certificates;
    this.#secret = tls.ticketSecret || createTicketSecret();
    this.#keys = ticketKeys(this.#secret, certificates.trust);
    const { clientCertificates } = tls;
    this.#server = createServer({
      ...this.#certificates.main,
      ticketKeys: this.#keys,
      allowHalfOpen: true,
      ALPNProtocols: [...protocols],
      handshakeTimeout: Math.min(HANDSHAKE_TIME, service.options.headersTimeout),
      requestCert: clientCertificates !== undefined,
      rejectUnauthorized: clientCertificates === 'require',
      SNICallback: chooser((name) => certificates.contextsFor(name)),
    });
    this.#server.on('secureConnection', (socket) => {
      service.traffic.handshakes++;
      if (socket.isSessionReused()) service.traffic.resumed++;
      socket.allowHalfOpen = true; // from here on a client may end its side and read its answer
      onSecure(socket);
    });
    this.#server.on('OCSPRequest', (der: Buffer, _issuer: Buffer, done: (error: Error | null, staple: Buffer | null) => void) => {
      done(null, this.#certificates.stapleFor(der) ?? null);
    });
    this.#server.on('tlsClientError', (error, socket) => {
      service.refusals.handshakeFailed(addressUnder(socket), error);
      endHandshake(error, socket);
    });
    this.#timer = setInterval(() => this.#refresh(), REFRESH_INTERVAL).unref();
  }

  /** Begins a handshake. */
  accept(socket: Socket): void {
    socket.allowHalfOpen = false; // inside a handshake the end of the client's side is the end: the TLS socket does as this one
    this.#server.emit('connection', socket);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #refresh(): void {
    const hasChanged = this.#certificates.refresh();
    const keys = ticketKeys(this.#secret, this.#certificates.trust);
    if (hasChanged) {
      const context = { ...this.#certificates.main, ticketKeys: keys }; // the type does not know them here, the function does
      this.#server.setSecureContext(context);
    } else if (!keys.equals(this.#keys)) this.#server.setTicketKeys(keys);
    this.#keys = keys;
  }
}

/**
 * Puts the certificates for a name in the place of the main ones. Node.js takes one by the callback, of which it also takes `ca`, and the others by the
 * socket, which is `this`.
 */
function chooser(contextsFor: (name: string) => readonly SecureContext[]) {
  return function choose(this: TLSSocket, name: string, done: (error: Error | null, context?: SecureContext) => void): void {
    let contexts: readonly SecureContext[];
    try {
      contexts = contextsFor(name);
      for (const context of contexts.slice(1)) this.setKeyCert(context);
    } catch (error) {
      return done(error as Error); // thrown, it would end the process (CVE-2026-21637)
    }
    done(null, contexts[0]);
  };
}
