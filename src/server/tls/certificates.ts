/**
 * The certificates of a server: read and checked before it listens, chosen by the name that a client asks for, read again when their files change.
 *
 * A file that cannot be used changes nothing: what was read before stays. Certificate and key are two files, and for a moment one is new and the other
 * old; so a failure is told only when it lasts.
 *
 * Apart from the options, which every handler thread reads: node:tls is loaded only where there is a listener.
 *
 * @module
 */
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { log } from '../operator-log.ts';
import { badTls, type CertificateOptions, type ResolvedTls } from './options.ts';

/** A failure is told when the files have stayed as they are for so many looks after it. */
const PATIENCE = 2;
/** What every server asks for at least: older versions are deprecated (RFC 8996). */
const LEAST_VERSION = 'TLSv1.2';
const PEM = '-----BEGIN ';

/** A certificate that has been read. */
interface Loaded {
  readonly options: SecureContextOptions;
  readonly context: SecureContext;
  readonly leaf: X509Certificate | undefined;
  readonly staple: Buffer | undefined;
}

/** The certificates of one listener. */
export class Certificates {
  readonly #tls: ResolvedTls;
  readonly #files: readonly string[];
  #main: Loaded;
  #byName: ReadonlyMap<string, Loaded>;
  /** What the files were like when they were read last, and how often they have been looked at since a failure. */
  #marks: string;
  #failure: string | undefined;
  #looks = 0;

  /** @throws TypeError with code `bad-option` when a file cannot be read, or a certificate cannot be used. */
  constructor(tls: ResolvedTls) {
    this.#tls = tls;
    this.#files = filesOf(tls);
    this.#marks = marksOf(this.#files);
    this.#main = load('tls', tls.main);
    this.#byName = loadAll(tls);
  }

  /** Tells of certificates that have expired: clients refuse them, but somebody may want just that, or have set the clock. */
  warn(): void {
    for (const { leaf } of this.#all()) if (leaf) warnIfExpired(leaf);
  }

  /** What the server is made with: the certificate for clients that ask for no name that we have. */
  get main(): SecureContextOptions {
    return this.#main.options;
  }

  /** Tells those who vouch for clients from others: a session that is taken up again brings the certificate of its client along, unchecked. */
  get trust(): string {
    const { ca, crl, pfx } = this.#main.options;
    return createHash('sha256')
      .update(JSON.stringify([ca, crl, pfx]))
      .digest('base64url');
  }

  /** The certificate for a name; undefined: the main one. */
  contextFor(name: string): SecureContext | undefined {
    const lower = name.toLowerCase();
    const found = this.#byName.get(lower) ?? this.#byName.get(`*${lower.slice(lower.indexOf('.'))}`);
    return found?.context;
  }

  /** What is stapled to a handshake with a certificate. @param der The certificate. */
  stapleFor(der: Uint8Array): Buffer | undefined {
    const fingerprint = createHash('sha256').update(der).digest('hex');
    for (const { leaf, staple } of this.#all()) {
      if (leaf && staple && leaf.fingerprint256.replaceAll(':', '').toLowerCase() === fingerprint) return staple;
    }
    return undefined;
  }

  /** Reads the files again if they have changed. @returns Whether there are other certificates now. */
  refresh(): boolean {
    if (this.#files.length === 0) return false;
    const marks = marksOf(this.#files);
    if (marks === this.#marks) {
      if (this.#failure !== undefined && ++this.#looks === PATIENCE) {
        log('certificate-kept', `the changed certificate cannot be used, the old one stays: ${this.#failure}`);
      }
      return false;
    }
    this.#marks = marks;
    this.#looks = 0;
    try {
      const main = load('tls', this.#tls.main);
      this.#byName = loadAll(this.#tls);
      this.#main = main;
    } catch (error) {
      this.#failure = (error as Error).message;
      return false;
    }
    this.#failure = undefined;
    const serials = [...this.#all()].map(({ leaf }) => leaf?.serialNumber ?? 'unknown').join(', ');
    log('certificate-changed', `the certificate has changed: serial number ${serials}`, { serials });
    return true;
  }

  *#all(): Generator<Loaded> {
    yield this.#main;
    yield* this.#byName.values();
  }
}

/** Who vouches for clients does not depend on the name: without `ca` of their own, all authorities that Node knows would. */
function loadAll({ names, main, clientCertificates }: ResolvedTls): Map<string, Loaded> {
  const shared = clientCertificates === undefined ? {} : { ca: main.ca, crl: main.crl };
  return new Map([...names].map(([name, given]) => [name, load(`tls.names["${name}"]`, { ...given, ...shared })]));
}

/** @throws TypeError with code `bad-option`. */
function load(what: string, given: CertificateOptions): Loaded {
  const { cert, key, ca, ocsp, ...others } = given;
  const options: SecureContextOptions = { minVersion: LEAST_VERSION, ...others };
  const pem = cert === undefined ? undefined : pemOf(`${what}.cert`, cert);
  if (pem !== undefined) options.cert = pem;
  if (key !== undefined) options.key = pemOf(`${what}.key`, key);
  if (ca !== undefined) options.ca = pemOf(`${what}.ca`, ca);
  try {
    const leaf = pem === undefined ? undefined : new X509Certificate(pem);
    if (leaf && Date.parse(leaf.validFrom) > Date.now()) {
      throw new Error(`the certificate is not valid before ${leaf.validFrom}: look at the clock of this machine`);
    }
    const context = createSecureContext(options);
    return { options, context, leaf, staple: ocsp === undefined ? undefined : readFileSync(ocsp) };
  } catch (cause) {
    throw badTls(`${what}.cert and ${what}.key cannot be used: ${(cause as Error).message}`, cause);
  }
}

/** PEM as it is, any other text as the path of a file that holds it. */
function pemOf(name: string, value: string | Uint8Array): string {
  if (typeof value !== 'string') return Buffer.from(value).toString('latin1');
  if (value.includes(PEM)) return value;
  let text: string;
  try {
    text = readFileSync(value, 'utf8');
  } catch (cause) {
    throw badTls(`${name} is neither PEM text nor a file that can be read: ${(cause as Error).message}`, cause);
  }
  if (!text.includes(PEM)) throw badTls(`${name} names a file that holds no PEM text`);
  return text;
}

function filesOf({ main, names }: ResolvedTls): string[] {
  const files = [main, ...names.values()].flatMap(({ cert, key, ca, ocsp }) => [cert, key, ca].filter(isPath).concat(ocsp ?? []));
  return [...new Set(files)];
}

function isPath(value: string | Uint8Array | undefined): value is string {
  return typeof value === 'string' && !value.includes(PEM);
}

/** What tells a file from the one that was there before: also where a link leads now, as programs that renew certificates leave them. */
function marksOf(files: readonly string[]): string {
  return files.map(markOf).join();
}

function markOf(file: string): string {
  try {
    const { dev, ino, size, mtimeMs, ctimeMs } = statSync(file);
    return `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`;
  } catch {
    return 'gone';
  }
}

function warnIfExpired({ validTo, subject }: X509Certificate): void {
  if (Date.parse(validTo) > Date.now()) return;
  log('certificate-expired', `the certificate of ${subject.replaceAll('\n', ', ')} has expired on ${validTo}: clients will refuse it`);
}
