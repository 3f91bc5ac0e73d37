/**
 * Sealing: text that only a holder of the secret can read or make.
 *
 * The key is derived from the secret once (HKDF, RFC 5869); each text has a random nonce of 24 bytes, and XAES-256-GCM derives a key for it,
 * so that no number of texts wears a secret out. Its first half serves for a few texts, which have second halves of their own. The cookie's name and the end of its life are bound in: neither can be changed.
 *
 *     2. nonce (24) · expires (6, seconds since 1970) · begun (6), data: encrypted · tag (16)
 *
 * The first version had no `2.` and derived key and nonce with HKDF for each text, as RFC 8188 does. It is opened, and made no more:
 *
 *     salt (16) · expires (6) · begun (6), data: encrypted with AES-256-GCM · tag (16)
 *
 * @module
 */
import { createDecipheriv, hkdfSync, randomFillSync } from 'node:crypto';
import type { KeptSession } from './draft.ts';
import { OpenedTexts } from './opened.ts';
import { type DerivedKey, XAES_HALF, XAES_NONCE, XAES_TAG, Xaes } from './xaes.ts';

const VERSION = '2.';
const FORM = /^(?:2\.)?[\w-]+$/;
const TIME = 6;
const KEY = 32;
const PURPOSE = 'filrouge session, sealed, version 2';
/**
 * So many texts share a first half, and the key that it derives; the system is asked for random bytes once for all of them. For each text alone
 * both would cost as much as its encryption. That two of 64 random second halves are the same has a chance of 2^-85; XAES-256-GCM itself
 * allows one of 2^-32 over all texts of a key, which so many sets reach after 2^59 texts.
 */
const SET = 64;
const FIRST_SALT = 16;
const FIRST_NONCE = 12;
const FIRST_PURPOSE = 'filrouge session, sealed';

interface Secret {
  readonly text: string;
  readonly key: Xaes;
}

/** Seals sessions with the first of its secrets, and opens those sealed with any of them. */
export class Sealer {
  readonly #secrets: readonly Secret[];
  readonly #opened = new OpenedTexts();
  /** The first half of the nonces of a set, and its second halves. */
  readonly #halves = Buffer.alloc((1 + SET) * XAES_HALF);
  #used = SET;
  /** Of the set, from the first secret. */
  #derived: DerivedKey | undefined;

  constructor(secrets: readonly string[]) {
    this.#secrets = secrets.map((text) => ({ text, key: new Xaes(Buffer.from(hkdfSync('sha256', text, '', PURPOSE, KEY))) }));
  }

  /**
   * Seals a session.
   *
   * @param name Of the cookie: under another it does not open.
   * @returns The version, and base64url.
   */
  seal(name: string, kept: KeptSession): string {
    const derived = this.#nextKey();
    const size = Buffer.byteLength(kept.data);
    const sealed = Buffer.allocUnsafe(XAES_NONCE + TIME + TIME + size + XAES_TAG); // every byte of it is written
    this.#halves.copy(sealed, 0, 0, XAES_HALF);
    this.#halves.copy(sealed, XAES_HALF, this.#used * XAES_HALF, (this.#used + 1) * XAES_HALF);
    sealed.writeUIntBE(kept.expires, XAES_NONCE, TIME);
    const inside = sealed.subarray(XAES_NONCE + TIME, -XAES_TAG);
    inside.writeUIntBE(kept.begun, 0, TIME);
    inside.write(kept.data, TIME, 'utf8');
    const [encrypted, tag] = derived.encrypt(sealed.subarray(XAES_HALF, XAES_NONCE), inside, bound(name, sealed, XAES_NONCE));
    encrypted.copy(inside);
    tag.copy(sealed, sealed.length - XAES_TAG);
    const text = textOf(sealed);
    this.#opened.set(name, text, kept);
    return text;
  }

  /**
   * Opens what `seal` has made.
   *
   * @returns The session; undefined when none of our secrets made the text, or it was changed.
   */
  open(name: string, text: string): KeptSession | undefined {
    const known = this.#opened.get(name, text);
    if (known !== undefined) return known;
    if (!FORM.test(text)) return undefined;
    const isFirst = !text.startsWith(VERSION);
    const bytes = Buffer.from(isFirst ? text : text.slice(VERSION.length), 'base64url');
    const head = isFirst ? FIRST_SALT : XAES_NONCE;
    if (bytes.length < head + TIME + TIME + XAES_TAG) return undefined;
    const tied = bound(name, bytes, head);
    for (const secret of this.#secrets) {
      const plain = isFirst ? openFirst(secret.text, bytes, tied) : openWith(secret.key, bytes, tied);
      if (!plain) continue;
      const kept = { begun: plain.readUIntBE(0, TIME), expires: bytes.readUIntBE(head, TIME), data: plain.toString('utf8', TIME) };
      if (!isFirst) this.#opened.set(name, textOf(bytes), kept); // `text` is a slice of all that the client sent
      return kept;
    }
    return undefined;
  }

  /** The key for the next text; `#used` counts its second half. */
  #nextKey(): DerivedKey {
    this.#used++;
    if (this.#derived === undefined || this.#used > SET) {
      randomFillSync(this.#halves);
      this.#used = 1; // the first half lies before the second ones
      this.#derived = (this.#secrets[0] as Secret).key.derive(this.#halves); // there is a first secret: `checkedSecrets`
    }
    return this.#derived;
  }
}

function textOf(sealed: Buffer): string {
  return VERSION + sealed.toString('base64url');
}

function openWith(key: Xaes, bytes: Buffer, tied: Buffer): Buffer | undefined {
  const inside = bytes.subarray(XAES_NONCE + TIME, -XAES_TAG);
  return key.derive(bytes).decrypt(bytes.subarray(XAES_HALF, XAES_NONCE), inside, bytes.subarray(-XAES_TAG), tied);
}

function openFirst(secret: string, bytes: Buffer, tied: Buffer): Buffer | undefined {
  const derived = Buffer.from(hkdfSync('sha256', secret, bytes.subarray(0, FIRST_SALT), FIRST_PURPOSE, KEY + FIRST_NONCE));
  const nonce = derived.subarray(KEY);
  const decipher = createDecipheriv('aes-256-gcm', derived.subarray(0, KEY), nonce, { authTagLength: XAES_TAG }).setAAD(tied);
  decipher.setAuthTag(bytes.subarray(-XAES_TAG));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(FIRST_SALT + TIME, -XAES_TAG)), decipher.final()]); // throws when the tag is not right
  } catch {
    return undefined;
  }
}

/** What a text is bound to: its end, and the cookie's name. */
function bound(name: string, bytes: Buffer, at: number): Buffer {
  const tied = Buffer.allocUnsafe(TIME + Buffer.byteLength(name)); // every byte of it is written
  bytes.copy(tied, 0, at, at + TIME);
  tied.write(name, TIME);
  return tied;
}
