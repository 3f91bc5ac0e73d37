/** Certificates for tests, made by openssl: an authority, and what it has signed. */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Certificate and key, as paths. */
export interface Files {
  readonly cert: string;
  readonly key: string;
}

/** Puts a certificate and its key where others are, or none yet. */
export function copyPair(from: Files, to: Files): void {
  copyFileSync(from.cert, to.cert);
  copyFileSync(from.key, to.key);
}

/** What a certificate says. */
interface Wishes {
  /** Host names. Default: `localhost`. */
  readonly names?: readonly string[];
  /** `YYMMDDHHMMSSZ`. Default: yesterday and tomorrow. */
  readonly from?: string;
  readonly to?: string;
  /** The kind of its key. Default: `ec`. */
  readonly kind?: keyof typeof KEYS;
}

const KEYS = {
  ec: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
  rsa: ['-newkey', 'rsa:2048', '-nodes'],
};

/** Signs certificates, in a folder of its own. */
export class Authority {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'filrouge-certificates-'));

  constructor() {
    writeFileSync(join(this.folder, 'index.txt'), '');
    writeFileSync(join(this.folder, 'serial'), '01\n');
    writeFileSync(
      join(this.folder, 'ca.cnf'),
      [
        '[ca]',
        'default_ca = own',
        '[own]',
        `dir = ${this.folder}`,
        'database = $dir/index.txt',
        'serial = $dir/serial',
        'new_certs_dir = $dir',
        'certificate = $dir/ca.pem',
        'private_key = $dir/ca.key',
        'default_md = sha256',
        'policy = any',
        'unique_subject = no',
        'email_in_dn = no',
        'copy_extensions = copy',
        '[any]',
        'commonName = supplied',
      ].join('\n'),
    );
    this.#openssl(
      'req',
      '-x509',
      ...KEYS.ec,
      '-days',
      '2',
      '-subj',
      '/CN=authority',
      '-keyout',
      this.#path('ca.key'),
      '-out',
      this.#path('ca.pem'),
    );
  }

  /** Its own certificate, for those who trust it. */
  get pem(): string {
    return readFileSync(this.#path('ca.pem'), 'utf8');
  }

  /** Makes a certificate. @param name Of its files, and its common name. */
  issue(name: string, { names = ['localhost'], from = day(-1), to = day(1), kind = 'ec' }: Wishes = {}): Files {
    const [cert, key, wish] = [`${name}.pem`, `${name}.key`, `${name}.csr`].map((file) => this.#path(file)) as [string, string, string];
    const alternatives = `subjectAltName=${names.map((host) => `DNS:${host}`).join()}`;
    this.#openssl('req', '-new', ...KEYS[kind], '-subj', `/CN=${name}`, '-addext', alternatives, '-keyout', key, '-out', wish);
    this.#openssl(
      'ca',
      '-batch',
      '-notext',
      '-config',
      this.#path('ca.cnf'),
      '-startdate',
      from,
      '-enddate',
      to,
      '-in',
      wish,
      '-out',
      cert,
    );
    return { cert, key };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  #path(file: string): string {
    return join(this.folder, file);
  }

  #openssl(...args: string[]): void {
    execFileSync('openssl', args, { stdio: 'ignore' });
  }
}

/** The serial number of a certificate, from its file. */
export function serialOf({ cert }: Files): string {
  return new X509Certificate(readFileSync(cert)).serialNumber;
}

/** So many days from now, as openssl writes it. */
export function day(offset: number): string {
  const at = new Date(Date.now() + offset * 86_400_000).toISOString();
  return `${at.slice(2, 19).replaceAll(/[-:T]/g, '')}Z`;
}
