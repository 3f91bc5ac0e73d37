/**
 * Sealing: text that only a holder of the secret can read or make.
 *
 * AES-256-GCM. Each sealed text has 16 random bytes of salt; key and nonce are derived from the secret with it (HKDF, RFC 5869), as RFC 8188
 * does, so that no number of texts wears a secret out. The cookie's name and the end of its life are bound in: neither can be changed.
 *
 *     salt (16) · expires (6, seconds since 1970) · begun (6), data: encrypted · tag (16)
 *
 * @module
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { KeptSession } from './draft.ts';

const SALT = 16;
const TIME = 6;
const TAG = 16;
const KEY = 32;
const NONCE = 12;
const CIPHER = 'aes-256-gcm';

/**
 * Seals a session.
 *
 * @param name Of the cookie: under another it does not open.
 * @returns base64url.
 */
export function seal(secret: string, name: string, kept: KeptSession): string {
  const salt = randomBytes(SALT);
  const expires = timeBytes(kept.expires);
  const { key, nonce } = keyOf(secret, salt);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG }).setAAD(bound(name, expires));
  const parts = [
    salt,
    expires,
    cipher.update(timeBytes(kept.begun)),
    cipher.update(kept.data, 'utf8'),
    cipher.final(),
    cipher.getAuthTag(),
  ];
  return Buffer.concat(parts).toString('base64url');
}

/**
 * Opens what `seal` has made with any of the secrets.
 *
 * @returns The session; undefined when none of them made the text, or it was changed.
 */
export function unseal(secrets: readonly string[], name: string, text: string): KeptSession | undefined {
  if (!/^[\w-]+$/.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length < SALT + TIME + TIME + TAG) return undefined;
  for (const secret of secrets) {
    const kept = unsealWith(secret, name, bytes);
    if (kept) return kept;
  }
  return undefined;
}

function unsealWith(secret: string, name: string, bytes: Buffer): KeptSession | undefined {
  const expires = bytes.subarray(SALT, SALT + TIME);
  const { key, nonce } = keyOf(secret, bytes.subarray(0, SALT));
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG }).setAAD(bound(name, expires));
  decipher.setAuthTag(bytes.subarray(-TAG));
  try {
    const plain = Buffer.concat([decipher.update(bytes.subarray(SALT + TIME, -TAG)), decipher.final()]); // throws when the tag is not right
    return { begun: plain.readUIntBE(0, TIME), expires: expires.readUIntBE(0, TIME), data: plain.toString('utf8', TIME) };
  } catch {
    return undefined;
  }
}

function keyOf(secret: string, salt: Buffer): { key: Buffer; nonce: Buffer } {
  const bytes = Buffer.from(hkdfSync('sha256', secret, salt, 'filrouge session, sealed', KEY + NONCE));
  return { key: bytes.subarray(0, KEY), nonce: bytes.subarray(KEY) };
}

function bound(name: string, expires: Buffer): Buffer {
  return Buffer.concat([expires, Buffer.from(name)]);
}

function timeBytes(seconds: number): Buffer {
  const bytes = Buffer.alloc(TIME);
  bytes.writeUIntBE(seconds, 0, TIME);
  return bytes;
}
