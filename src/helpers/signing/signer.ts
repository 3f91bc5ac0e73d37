/**
 * Signatures of the values of cookies: HMAC with SHA-256 (RFC 2104), compared in constant time.
 *
 *     text . signature, 43 characters of base64url
 *
 * @module
 */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

/** A dot and 32 bytes as base64url. */
const SIGNATURE = /^\.[\w-]{43}$/;
const SIGNATURE_LENGTH = 44;

/** Signs texts with the first of its secrets, and recognises those signed with any of them. */
export class Signer {
  readonly #keys: readonly Buffer[];

  /** @param purpose What is signed: a signature made for another purpose does not hold. */
  constructor(secrets: readonly string[], purpose: string) {
    this.#keys = secrets.map((secret) => Buffer.from(hkdfSync('sha256', secret, '', purpose, 32)));
  }

  /** @param name Of the cookie: under another the signature does not hold. */
  sign(name: string, text: string): string {
    return `${text}.${signature(this.#keys[0] as Buffer, name, text).toString('base64url')}`; // there is a first: `checkedSecrets`
  }

  /** @returns The text; undefined when the signature is not ours. */
  verify(name: string, signed: string): string | undefined {
    const text = signed.slice(0, -SIGNATURE_LENGTH);
    const given = signed.slice(-SIGNATURE_LENGTH);
    if (!SIGNATURE.test(given)) return undefined;
    const bytes = Buffer.from(given.slice(1), 'base64url');
    return this.#keys.some((key) => timingSafeEqual(signature(key, name, text), bytes)) ? text : undefined;
  }
}

function signature(key: Buffer, name: string, text: string): Buffer {
  return createHmac('sha256', key).update(`${name}=${text}`).digest(); // a name holds no `=`
}
