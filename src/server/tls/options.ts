/**
 * The option `tls` of `startServer`: its meaning and its checks.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import type { SecureContextOptions } from 'node:tls';
import { badOption, kindOf } from '../../http/errors/bad-option.ts';

/** TLS: everything of `tls.createSecureContext`, with certificate and key as PEM text or as the path of a file. */
export interface TlsOptions extends Omit<SecureContextOptions, 'cert' | 'key'> {
  /** The certificate, with its chain: PEM text or a file's path. */
  cert?: string | undefined;
  /** Its private key: PEM text or a file's path. */
  key?: string | undefined;
}

/** The options with both files read. */
export type ResolvedTls = SecureContextOptions & { readonly cert: string; readonly key: string };

/**
 * Checks the options and reads the files that they name.
 *
 * @throws TypeError with code `bad-option`.
 */
export function resolveTls(tls: TlsOptions): ResolvedTls {
  if (typeof tls !== 'object' || tls === null) throw badTls(`tls is ${kindOf(tls)}, not an object with cert and key`);
  for (const name of ['alpn', 'names', 'clientCertificates', 'redirectHttp']) {
    if (name in tls) throw badTls(`tls.${name} is not available in this version`);
  }
  return { ...tls, cert: pemOf('cert', tls.cert), key: pemOf('key', tls.key) };
}

/** PEM text as it is, anything else as the path of a file that holds it. */
function pemOf(name: string, value: string | undefined): string {
  if (typeof value !== 'string') throw badTls(`tls.${name} is missing: give PEM text or the path of a file`);
  if (value.includes('-----BEGIN ')) return value;
  let text: string;
  try {
    text = readFileSync(value, 'utf8');
  } catch (cause) {
    throw badTls(`tls.${name} is neither PEM text nor a file that can be read: ${(cause as Error).message}`, cause);
  }
  if (!text.includes('-----BEGIN ')) throw badTls(`tls.${name} names a file that holds no PEM text`);
  return text;
}

/** @internal The error that says what is wrong with the option. */
export function badTls(why: string, cause?: unknown): Error {
  const error = badOption('Cannot start server', why);
  if (cause !== undefined) error.cause = cause;
  return error;
}
