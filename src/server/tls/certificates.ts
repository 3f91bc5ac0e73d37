/**
 * The certificate of a server, tried before it listens.
 *
 * Apart from the options, which every handler thread reads: node:tls is loaded only where there is a listener.
 *
 * @module
 */
import { createSecureContext } from 'node:tls';
import { badTls, type ResolvedTls } from './options.ts';

/** @throws TypeError with code `bad-option` when certificate and key do not fit together, or are not what they should be. */
export function checkCertificate(tls: ResolvedTls): void {
  try {
    createSecureContext(tls);
  } catch (cause) {
    throw badTls(`tls.cert and tls.key cannot be used: ${(cause as Error).message}`, cause);
  }
}
