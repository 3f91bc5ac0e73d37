/**
 * The option `tls` of `startServer`: its meaning and its checks. The files that it names are read where there is a listener.
 *
 * @module
 */
import type { SecureContextOptions } from 'node:tls';
import { badOption, checkInteger, checkOptions, checkString, kindOf } from '../../http/errors/bad-option.ts';

/** PEM, as text or bytes, or a file's path. */
export type Pem = string | Uint8Array;

/** A certificate, with everything else that `tls.createSecureContext` takes. */
export interface CertificateOptions extends Omit<SecureContextOptions, 'cert' | 'key' | 'ca'> {
  /**
   * The certificate, with its chain: PEM, as text or bytes, or a file's path. Or a list of such, each with another kind of key, for the same names: a
   * client gets one whose signatures it can check (RFC 8446 §4.4.2.2).
   *
   * @example
   * ```ts
   * startServer(handler, { tls: { cert: ['ecdsa.pem', 'rsa.pem'], key: ['ecdsa.key', 'rsa.key'] } });
   * ```
   */
  cert?: Pem | readonly Pem[] | undefined;
  /** Its private key: PEM, as text or bytes, or a file's path. With a list of certificates, the list of their keys in the same order. */
  key?: Pem | readonly Pem[] | undefined;
  /** Certificates of those who may sign certificates of clients: PEM or a file's path, as above. Default: those that Node knows. */
  ca?: Pem | undefined;
  /**
   * A file with the answer of the certificate's OCSP responder, DER (RFC 6960), stapled to handshakes whose client asks for it. Something else keeps it
   * up to date; it is read again when it changes. Not with a list of certificates: Node.js does not tell which of them a client gets.
   */
  ocsp?: string | undefined;
}

/** TLS: the certificate that everybody gets for whom there is no other, and what holds for the whole server. */
export interface TlsOptions extends CertificateOptions {
  /**
   * Other certificates by the host name that a client asks for (SNI, RFC 6066 §3): `example.org`, or `*.example.org` for all names with one label more.
   */
  names?: Readonly<Record<string, CertificateOptions>> | undefined;
  /**
   * Asks clients for certificates. `ask`: `request.clientCertificate` has it, if the client gives one that `ca` vouches for. `require`: the handshake fails
   * for all others. `ca` and `crl` then hold for all `names`, which have none of their own. Default: clients are not asked.
   */
  clientCertificates?: 'ask' | 'require' | undefined;
  /**
   * A second port, in the clear, which redirects to this server (308). With `acme` it serves the challenges of a program such as certbot as well (RFC 8555
   * §8.3). Default: there is none.
   */
  redirectHttp?: number | RedirectOptions | undefined;
}

/** Options of `redirectHttp`. */
export interface RedirectOptions {
  /** The port in the clear, commonly 80. The host is that of the server. */
  readonly port: number;
  /** The port that clients are sent to. Default: the one that this server listens on. */
  readonly to?: number | undefined;
  /** A webroot: files in `.well-known/acme-challenge/` beneath it are served. */
  readonly acme?: string | undefined;
}

/** The options, checked. */
export interface ResolvedTls {
  readonly main: CertificateOptions;
  readonly names: ReadonlyMap<string, CertificateOptions>;
  readonly clientCertificates: 'ask' | 'require' | undefined;
  readonly redirect: RedirectOptions | undefined;
  /** What session tickets are derived from, the same in all processes of a server; see tickets.ts. Empty until there is one. */
  readonly ticketSecret: string;
}

const SUBJECT = 'Cannot start server';
const OF_REDIRECT: ReadonlySet<string> = new Set(['port', 'to', 'acme']);
/** A host name, or one with an asterisk for its first label. */
const NAME = /^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/;

/**
 * Checks the options.
 *
 * @throws TypeError with code `bad-option`.
 */
export function resolveTls(tls: TlsOptions): ResolvedTls {
  if (typeof tls !== 'object' || tls === null) throw badTls(`tls is ${kindOf(tls)}, not an object with cert and key`);
  if ('alpn' in tls) throw badTls('tls.alpn is not an option: see http2');
  const { names = {}, clientCertificates, redirectHttp, ...main } = tls;
  checkGiven('tls', main);
  if (typeof names !== 'object' || names === null) {
    throw badTls(`tls.names is ${kindOf(names)}, not an object with a certificate for each name`);
  }
  const byName = new Map<string, CertificateOptions>();
  for (const [name, given] of Object.entries(names)) {
    const lower = name.toLowerCase();
    if (!NAME.test(lower)) throw badTls(`tls.names holds ${JSON.stringify(name)}, which is not a host name`);
    if (typeof given !== 'object' || given === null) {
      throw badTls(`tls.names["${name}"] is ${kindOf(given)}, not an object with cert and key`);
    }
    checkGiven(`tls.names["${name}"]`, given);
    if (clientCertificates !== undefined) checkShared(`tls.names["${name}"]`, given);
    byName.set(lower, given);
  }
  if (clientCertificates !== undefined && clientCertificates !== 'ask' && clientCertificates !== 'require') {
    throw badTls(`tls.clientCertificates is neither 'ask' nor 'require'`);
  }
  return {
    main,
    names: byName,
    clientCertificates,
    redirect: redirectHttp === undefined ? undefined : resolveRedirect(redirectHttp),
    ticketSecret: '',
  };
}

function checkGiven(what: string, { cert, key, ca, pfx, ocsp }: CertificateOptions): void {
  for (const [name, value] of Object.entries({ cert, key })) {
    if (value !== undefined || pfx === undefined) checkPems(`${what}.${name}`, value);
  }
  if (ca !== undefined) checkPem(`${what}.ca`, ca);
  if (lengthOf(cert) !== lengthOf(key)) {
    throw badTls(`${what}.cert and ${what}.key are not lists of the same length: each certificate needs its key`);
  }
  if (ocsp === undefined) return;
  checkString(SUBJECT, `${what}.ocsp`, ocsp);
  if (isList(cert)) {
    throw badTls(`${what}.ocsp is not possible with a list of certificates: Node.js does not tell which of them a client gets`);
  }
}

function checkPems(name: string, value: CertificateOptions['cert']): void {
  if (!isList(value)) return checkPem(name, value);
  if (value.length === 0) throw badTls(`${name} is an empty list`);
  for (const [at, one] of value.entries()) checkPem(`${name}[${at}]`, one);
}

function checkPem(name: string, value: unknown): void {
  if (typeof value === 'string' || value instanceof Uint8Array) return;
  throw badTls(`${name} is ${value === undefined ? 'missing' : kindOf(value)}: give PEM text or the path of a file`);
}

/** @internal Whether it is given as a list. */
export function isList(value: CertificateOptions['cert']): value is readonly Pem[] {
  return Array.isArray(value);
}

/** Undefined: no list. */
function lengthOf(value: CertificateOptions['cert']): number | undefined {
  return isList(value) ? value.length : undefined;
}

/** A client may name one host in its handshake and another in its request: one that was vouched for on the first would be believed on the second. */
function checkShared(what: string, { ca, crl }: CertificateOptions): void {
  for (const [name, value] of Object.entries({ ca, crl })) {
    if (value !== undefined) throw badTls(`${what}.${name} is not possible with tls.clientCertificates: tls.${name} holds for all names`);
  }
}

function resolveRedirect(given: NonNullable<TlsOptions['redirectHttp']>): RedirectOptions {
  const redirect: RedirectOptions = typeof given === 'object' ? given : { port: given };
  checkOptions(SUBJECT, redirect, OF_REDIRECT, 'tls.redirectHttp');
  const { port, to, acme } = redirect;
  checkInteger(SUBJECT, 'tls.redirectHttp', port, 0, 65_535);
  if (to !== undefined) checkInteger(SUBJECT, 'tls.redirectHttp.to', to, 1, 65_535);
  if (acme !== undefined) checkString(SUBJECT, 'tls.redirectHttp.acme', acme);
  return redirect;
}

/** @internal The error that says what is wrong with the option. */
export function badTls(why: string, cause?: unknown): Error {
  const error = badOption(SUBJECT, why);
  if (cause !== undefined) error.cause = cause;
  return error;
}
