/**
 * Messages between Socket.IO servers as bytes: what a client would be sent, and nothing else, in pieces that a channel carries.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';

/** Largest piece, bytes: channels carry up to 1 MiB. */
const PIECE: number = 512 * 1024;
/** Before each piece: the message it belongs to, its number, and how many there are. */
const ID_SIZE = 8;
const HEAD_SIZE: number = ID_SIZE + 8;
/** Messages of which something is still to come. When pieces were lost, they never end: the oldest is given up. */
const MOST_OPEN = 64;

/** Makes bytes of a message. What it holds becomes what JSON makes of it, as on its way to a client, but bytes stay bytes. */
export function pack(message: object): Buffer {
  return serialize(plain(message));
}

/** @returns The message, whose bytes are Buffers. */
export function unpack(bytes: Uint8Array): unknown {
  return deserialize(bytes);
}

/** What JSON makes of a value: `toJSON` is called, functions and symbols are left out. */
function plain(value: unknown): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer) return Buffer.from(value);
  if ('toJSON' in value && typeof value.toJSON === 'function') return plain((value as { toJSON(): unknown }).toJSON());
  if (Array.isArray(value)) return value.map((item) => plain(item) ?? null);
  const made: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value)) {
    const kept = plain(item);
    if (kept !== undefined) made[name] = kept;
  }
  return made;
}

/** Cuts a message into pieces, each with a head. */
export function piecesOf(message: Buffer): Buffer[] {
  const id = randomBytes(ID_SIZE);
  const count = Math.ceil(message.length / PIECE);
  return Array.from({ length: count }, (_, i) => {
    const head = Buffer.alloc(HEAD_SIZE);
    id.copy(head);
    head.writeUInt32LE(i, ID_SIZE);
    head.writeUInt32LE(count, ID_SIZE + 4);
    return Buffer.concat([head, message.subarray(i * PIECE, (i + 1) * PIECE)]);
  });
}

/** Puts messages together again. */
export class Pieces {
  readonly #open: Map<string, Buffer[]> = new Map();

  /** Takes a piece. @returns The message, when it was the last of it. */
  take(bytes: Uint8Array): Buffer | undefined {
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const body = piece.subarray(HEAD_SIZE);
    const [index, count] = [piece.readUInt32LE(ID_SIZE), piece.readUInt32LE(ID_SIZE + 4)];
    if (count === 1) return body;
    const id = piece.toString('latin1', 0, ID_SIZE);
    const pieces = this.#open.get(id) ?? [];
    if (index !== pieces.length) {
      this.#open.delete(id); // one before it was lost
      return undefined;
    }
    pieces.push(body);
    this.#open.delete(id);
    if (index === count - 1) return Buffer.concat(pieces);
    this.#open.set(id, pieces);
    const [oldest] = this.#open.keys();
    if (this.#open.size > MOST_OPEN && oldest !== undefined) this.#open.delete(oldest);
    return undefined;
  }
}
