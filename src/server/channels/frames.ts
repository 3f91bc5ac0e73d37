/**
 * The messages of channels as bytes, for the pipe between a worker and the primary.
 *
 *     4 bytes   length of what follows
 *     1 byte    kind
 *     1 byte    length of the name
 *               name, ASCII
 *               payload; of `missed` the count, 4 bytes
 *
 * Both ends are of one version: the workers run the script of the primary.
 *
 * @module
 */

/** What a frame says: a message; a channel is wanted or not wanted any more; messages were lost. */
export type FrameKind = 'message' | 'want' | 'unwant' | 'missed';

const KINDS: readonly FrameKind[] = ['message', 'want', 'unwant', 'missed'];
const PREFIX = 4;
const HEAD = 2;

/** Serializes a frame. */
export function serializeFrame(kind: FrameKind, name: string, payload: Uint8Array): Buffer {
  const length = HEAD + name.length + payload.length;
  const bytes = Buffer.allocUnsafe(PREFIX + length);
  bytes.writeUInt32LE(length, 0);
  bytes[PREFIX] = KINDS.indexOf(kind);
  bytes[PREFIX + 1] = name.length;
  bytes.write(name, PREFIX + HEAD, 'latin1');
  bytes.set(payload, PREFIX + HEAD + name.length);
  return bytes;
}

/** The payload of `missed`. */
export function countBytes(count: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32LE(Math.min(count, 0xffffffff), 0);
  return bytes;
}

/** The count of `missed`. */
export function countFrom(payload: Uint8Array): number {
  return Buffer.from(payload.buffer, payload.byteOffset, payload.length).readUInt32LE(0);
}

/** Bytes in, frames out. */
export class FrameReader {
  readonly #onFrame: (kind: FrameKind, name: string, payload: Uint8Array) => void;
  #pieces: Buffer[] = [];
  #size = 0;
  /** How many bytes there must be before it is worth looking. */
  #wanted = PREFIX;

  /** @param onFrame Gets payloads in a memory of their own: one that is kept holds on to nothing else. */
  constructor(onFrame: (kind: FrameKind, name: string, payload: Uint8Array) => void) {
    this.#onFrame = onFrame;
  }

  read(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#size += piece.length;
    if (this.#size < this.#wanted) return;
    const bytes = this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces);
    let at = 0;
    this.#wanted = PREFIX;
    while (bytes.length - at >= PREFIX) {
      const end = at + PREFIX + bytes.readUInt32LE(at);
      if (end > bytes.length) {
        this.#wanted = end - at;
        break;
      }
      this.#readFrame(bytes.subarray(at + PREFIX, end));
      at = end;
    }
    this.#pieces = at === bytes.length ? [] : [bytes.subarray(at)];
    this.#size = bytes.length - at;
  }

  #readFrame(frame: Buffer): void {
    const start = HEAD + (frame[1] as number); // it has a head
    this.#onFrame(KINDS[frame[0] as number] as FrameKind, frame.toString('latin1', HEAD, start), new Uint8Array(frame.subarray(start)));
  }
}
