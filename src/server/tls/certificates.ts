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
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { log } from '../operator-log.ts';
import { badTls, type CertificateOptions, isList, type Pem, type ResolvedTls } from './options.ts';

/** A failure is told when the files have stayed as they are for so many looks after it. */
const PATIENCE = 2;
/** What every server asks for at least: older versions are deprecated (RFC 8996). */
const LEAST_VERSION = 'TLSv1.2';
const PEM = '-----BEGIN ';

/** A certificate that has been read, or some for the same names. */
interface Loaded {
  readonly options: SecureContextOptions;
  /** One for each certificate. */
  readonly contexts: readonly SecureContext[];
  /** None of what a `pfx` holds. */
  readonly leaves: readonly X509Certificate[];
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
    this.#byName = loadAll(tls, this.#main);
  }

  /** Tells of certificates that have expired: clients refuse them, but somebody may want just that, or have set the clock. */
  warn(): void {
    for (const { leaves } of this.#all()) leaves.forEach(warnIfExpired);
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

  /** The certificates for a name, one of each kind of key; none: the main ones. */
  contextsFor(name: string): readonly SecureContext[] {
    const lower = name.toLowerCase();
    const found = this.#byName.get(lower) ?? this.#byName.get(`*${lower.slice(lower.indexOf('.'))}`);
    return found?.contexts ?? [];
  }

  /** What is stapled to a handshake with a certificate. @param der The certificate. */
  stapleFor(der: Uint8Array): Buffer | undefined {
    const fingerprint = createHash('sha256').update(der).digest('hex');
    for (const { leaves, staple } of this.#all()) {
      if (staple && leaves.some((leaf) => leaf.fingerprint256.replaceAll(':', '').toLowerCase() === fingerprint)) return staple;
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
      this.#byName = loadAll(this.#tls, main);
      this.#main = main;
    } catch (error) {
      this.#failure = (error as Error).message;
      return false;
    }
    this.#failure = undefined;
    const serials = [...this.#all()].flatMap(serialsOf).join(', ');
    log('certificate-changed', `the certificate has changed: serial number ${serials}`, { serials });
    return true;
  }

  *#all(): Generator<Loaded> {
    yield this.#main;
    yield* this.#byName.values();
  }
}

/** Who vouches for clients does not depend on the name: without `ca` of their own, all authorities that Node knows would. */
function loadAll({ names, main, clientCertificates }: ResolvedTls, loaded: Loaded): Map<string, Loaded> {
  const shared = clientCertificates === undefined ? {} : { ca: main.ca, crl: main.crl };
  const all = new Map<string, Loaded>();
  for (const [name, given] of names) {
    const what = `tls.names["${name}"]`;
    const own = load(what, { ...given, ...shared });
    checkKinds(what, own, loaded);
    all.set(name, own);
  }
  return all;
}

/**
 * Node.js puts the certificate for a name in the place of the main one of its kind, and leaves those of other kinds where they are
 * (https://github.com/nodejs/node/issues/54235): a client that likes another kind better would get the main one for the name.
 */
function checkKinds(what: string, own: Loaded, main: Loaded): void {
  if (own.leaves.length === 0) return;
  const kinds = new Set(own.leaves.map(kindOf));
  for (const kind of main.leaves.map(kindOf)) {
    if (!kinds.has(kind)) {
      throw badTls(`${what} has no certificate with a key of the kind ${kind}, as tls.cert has: some clients would get that of tls.cert`);
    }
  }
}

function kindOf({ publicKey }: X509Certificate): string | undefined {
  return publicKey.asymmetricKeyType;
}

/** @throws TypeError with code `bad-option`. */
function load(what: string, given: CertificateOptions): Loaded {
  const { cert, key, ca, ocsp, ...others } = given;
  const options: SecureContextOptions = { minVersion: LEAST_VERSION, ...others };
  if (ca !== undefined) options.ca = pemOf(`${what}.ca`, ca);
  if (isList(cert) && isList(key)) return loadList(what, cert, key, options);
  if (cert !== undefined) options.cert = pemOf(`${what}.cert`, cert as Pem);
  if (key !== undefined) options.key = pemOf(`${what}.key`, key as Pem);
  return use(`${what}.cert and ${what}.key`, options, ocsp);
}

/** Each is checked with its key alone: put together, OpenSSL fits keys to certificates by their kinds, and the last one of a kind takes its place. */
function loadList(what: string, certs: readonly Pem[], keys: readonly Pem[], common: SecureContextOptions): Loaded {
  const pairs = certs.map((given, at) => {
    const pair = { cert: pemOf(`${what}.cert[${at}]`, given), key: pemOf(`${what}.key[${at}]`, keys[at] as Pem) };
    return use(`${what}.cert[${at}] and ${what}.key[${at}]`, { ...common, ...pair });
  });
  const leaves = pairs.flatMap((pair) => pair.leaves);
  const kinds = leaves.map(kindOf);
  for (const [at, kind] of kinds.entries()) {
    const first = kinds.indexOf(kind);
    if (first === at) continue;
    throw badTls(`${what}.cert[${first}] and ${what}.cert[${at}] both have keys of the kind ${kind}: clients would only ever get one`);
  }
  const cert = pairs.flatMap(({ options }) => options.cert ?? []);
  const key = pairs.flatMap(({ options }) => (options.key ?? []) as string);
  return { options: { ...common, cert, key }, contexts: pairs.flatMap(({ contexts }) => contexts), leaves, staple: undefined };
}

/** @throws TypeError with code `bad-option` when OpenSSL does not take it, its key is another's, or it is not valid yet. */
function use(what: string, options: SecureContextOptions, ocsp?: string): Loaded {
  const { cert, key, passphrase } = options;
  try {
    const leaf = cert === undefined ? undefined : new X509Certificate(cert as string);
    if (leaf && Date.parse(leaf.validFrom) > Date.now()) {
      throw new Error(`the certificate is not valid before ${leaf.validFrom}: look at the clock of this machine`);
    }
    const context = createSecureContext(options); // takes a key of another kind than the certificate's
    if (leaf && key !== undefined && !leaf.checkPrivateKey(createPrivateKey({ key: key as string, passphrase }))) {
      throw new Error('the key is not that of the certificate');
    }
    const staple = ocsp === undefined ? undefined : readFileSync(ocsp);
    return { options, contexts: [context], leaves: leaf ? [leaf] : [], staple };
  } catch (cause) {
    throw badTls(`${what} cannot be used: ${(cause as Error).message}`, cause);
  }
}

/** PEM as it is, any other text as the path of a file that holds it. */
function pemOf(name: string, value: Pem): string {
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
  const files = [main, ...names.values()].flatMap(({ cert, key, ca, ocsp }) =>
    [cert, key, ca]
      .flat()
      .filter(isPath)
      .concat(ocsp ?? []),
  );
  return [...new Set(files)];
}

function isPath(value: Pem | undefined): value is string {
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

function serialsOf({ leaves }: Loaded): string[] {
  return leaves.length === 0 ? ['unknown'] : leaves.map(({ serialNumber }) => serialNumber);
}

function warnIfExpired({ validTo, subject }: X509Certificate): void {
  if (Date.parse(validTo) > Date.now()) return;
  log('certificate-expired', `the certificate of ${subject.replaceAll('\n', ', ')} has expired on ${validTo}: clients will refuse it`);
}
