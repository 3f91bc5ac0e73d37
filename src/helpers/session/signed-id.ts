/**
 * The names of sessions in a store: random, and signed, so that a name a client made up is never looked up.
 *
 * @module
 */
import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';

/** 192 bits: 32 characters. */
const ID_BYTES = 24;
const SIGNED = /^([\w-]{32})\.([\w-]{43})$/;

/** Creates a name. */
export function createId(): string {
  return randomBytes(ID_BYTES).toString('base64url');
}

/** Signs names with the first of the secrets, and recognises names signed with any of them. */
export class IdSigner {
  readonly #keys: readonly Buffer[];

  constructor(secrets: readonly string[]) {
    this.#keys = secrets.map((secret) => Buffer.from(hkdfSync('sha256', secret, '', 'filrouge session, signed', 32)));
  }

  /** @param name Of the cookie: under another the signature does not hold. */
  sign(name: string, id: string): string {
    return `${id}.${signature(this.#keys[0] as Buffer, name, id).toString('base64url')}`;
  }

  /** @returns The name; undefined when the signature is not ours. */
  verify(name: string, text: string): string | undefined {
    const [, id, signed] = SIGNED.exec(text) ?? [];
    if (id === undefined || signed === undefined) return undefined;
    const given = Buffer.from(signed, 'base64url'); // 43 characters are 32 bytes
    return this.#keys.some((key) => timingSafeEqual(signature(key, name, id), given)) ? id : undefined;
  }
}

function signature(key: Buffer, name: string, id: string): Buffer {
  return createHmac('sha256', key).update(`${name}=${id}`).digest();
}
