/**
 * XAES-256-GCM (C2SP, v1): AES-256-GCM with nonces of 24 bytes, which may be random for any number of texts.
 *
 * The first half of the nonce derives a key of its own with two AES blocks (the KDF of NIST SP 800-108r1 over CMAC), the second half is the
 * nonce of AES-256-GCM under that key.
 *
 *     L = AES(K, 0) · K1 = L doubled in GF(2^128) · Kx = AES(K, 0 1 'X' 0 N[0..12] ⊕ K1) AES(K, 0 2 'X' 0 N[0..12] ⊕ K1)
 *
 * @module
 */
import { type Cipher, createCipheriv, createDecipheriv } from 'node:crypto';

/** Bytes of a nonce, and of each of its halves. */
export const XAES_NONCE = 24;
export const XAES_HALF = 12;
/** Bytes by which a sealed text is longer. */
export const XAES_TAG = 16;
const BLOCK = 16;
const PREFIX = 4;
const GCM = { authTagLength: XAES_TAG };

/** One key, ready to derive others from. */
export class Xaes {
  /** Block by block, without a state: one serves for all nonces. A cipher for each would cost more than its two blocks. */
  readonly #blocks: Cipher;
  /** `0 1 'X' 0` and `0 2 'X' 0`, a block each, added to K1. */
  readonly #template: Buffer;

  /** @param key 32 bytes. */
  constructor(key: Uint8Array) {
    this.#blocks = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
    const k1 = doubled(this.#blocks.update(Buffer.alloc(BLOCK)));
    this.#template = Buffer.concat([k1, k1]);
    xorInto(this.#template, 0, [0, 1, 0x58, 0]); // X
    xorInto(this.#template, BLOCK, [0, 2, 0x58, 0]);
  }

  /** Derives the key of all nonces with the same first half. @param half 12 bytes; a longer nonce is taken by its first 12. */
  derive(half: Uint8Array): DerivedKey {
    const blocks = Buffer.from(this.#template);
    for (let i = 0; i < XAES_HALF; i++) {
      const byte = half[i] as number; // it has 12 bytes
      (blocks[PREFIX + i] as number) ^= byte;
      (blocks[BLOCK + PREFIX + i] as number) ^= byte;
    }
    return new DerivedKey(this.#blocks.update(blocks));
  }
}

/** A derived key: AES-256-GCM, with the second half of a nonce. */
export class DerivedKey {
  readonly #key: Buffer;

  /** @internal */
  constructor(key: Buffer) {
    this.#key = key;
  }

  /**
   * Encrypts.
   *
   * @param half 12 bytes, never used before with this key: random ones.
   * @param bound What the text is bound to, and does not contain.
   * @returns The text encrypted, as long as it was, and a tag of 16 bytes.
   */
  encrypt(half: Uint8Array, text: Uint8Array, bound: Uint8Array): readonly [Buffer, Buffer] {
    const cipher = createCipheriv('aes-256-gcm', this.#key, half, GCM);
    const encrypted = cipher.setAAD(bound).update(text);
    cipher.final(); // nothing is left: GCM has no blocks to fill
    return [encrypted, cipher.getAuthTag()];
  }

  /** @returns The text; undefined when it was not encrypted with this key, nonce and `bound`. */
  decrypt(half: Uint8Array, encrypted: Uint8Array, tag: Uint8Array, bound: Uint8Array): Buffer | undefined {
    const decipher = createDecipheriv('aes-256-gcm', this.#key, half, GCM);
    const text = decipher.setAAD(bound).setAuthTag(tag).update(encrypted);
    try {
      decipher.final(); // throws when the tag is not right
      return text;
    } catch {
      return undefined;
    }
  }
}

/** A block times x in GF(2^128), as NIST SP 800-38B §6.1 derives its subkeys. */
function doubled(block: Buffer): Buffer {
  const result = Buffer.alloc(BLOCK);
  let carry = 0;
  for (let i = BLOCK - 1; i >= 0; i--) {
    const byte = block[i] as number;
    result[i] = ((byte << 1) & 0xff) | carry;
    carry = byte >> 7;
  }
  (result[BLOCK - 1] as number) ^= carry * 0x87; // x^128 = x^7 + x^2 + x + 1
  return result;
}

function xorInto(target: Buffer, at: number, bytes: readonly number[]): void {
  bytes.forEach((byte, i) => {
    (target[at + i] as number) ^= byte;
  });
}
