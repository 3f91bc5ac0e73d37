/**
 * A handler thread's end of an upgraded connection, which the handler takes for the socket. At the other end is `socket-tunnel.ts`.
 *
 * @module
 */
import { Duplex } from 'node:stream';
import type { FromThread } from '../wire.ts';

/** Bytes of the writes that leave together as one, and that wait on either side. */
const TOGETHER = 64 * 1024;

/** What stands for the socket. */
export class TunnelSocket extends Duplex {
  readonly #id: number;
  readonly #post: (item: FromThread) => void;
  /** Writes that the socket has not taken, oldest first. */
  readonly #writes: (() => void)[] = [];

  constructor(id: number, post: (item: FromThread) => void) {
    super({ allowHalfOpen: true, highWaterMark: TOGETHER });
    this.#id = id;
    this.#post = post;
    this.on('error', () => {}); // a client that resets must not end the thread when nobody listens
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.#writes.push(callback);
    this.#post(['data', this.#id, chunk]);
  }

  /** Writes that came while others were on their way, or that answer what came in one read: each message is a round trip. */
  override _writev(chunks: { chunk: Buffer }[], callback: () => void): void {
    let from = 0;
    while (from < chunks.length) {
      const to = endOfPiece(chunks, from);
      const piece = to === from + 1 ? chunks[from]?.chunk : Buffer.concat(chunks.slice(from, to).map(({ chunk }) => chunk));
      this._write(piece as Buffer, 'buffer' as BufferEncoding, to === chunks.length ? callback : nothing);
      from = to;
    }
  }

  /** What was written before leaves first, as it does with a socket. */
  override destroy(error?: Error): this {
    while (!this.destroyed && this.writableCorked > 0) this.uncork();
    return super.destroy(error);
  }

  override _final(callback: () => void): void {
    this.#post(['end', this.#id]);
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#post(['failed', this.#id]);
    callback(error);
  }

  /** Bytes from the client. What the handler does not read waits in the stream's buffer, and is reported as taken once it does. */
  deliver(bytes: Uint8Array): void {
    const size = bytes.length;
    this.cork(); // the answers to what it brings leave together
    process.nextTick(uncork, this);
    if (this.push(Buffer.from(bytes.buffer, bytes.byteOffset, size))) this.#post(['taken', this.#id, size]);
    else this.#owed += size;
  }

  #owed = 0;

  override read(size?: number): Buffer | null {
    const chunk = super.read(size) as Buffer | null;
    if (this.#owed > 0 && this.readableLength < this.readableHighWaterMark) {
      this.#post(['taken', this.#id, this.#owed]);
      this.#owed = 0;
    }
    return chunk;
  }

  /** The client has ended its side. */
  finish(): void {
    this.push(null);
  }

  /** The socket has taken a write. */
  taken(): void {
    this.#writes.shift()?.();
  }
}

/** Where a piece ends that begins at `from`: one write, or several that are not too long together. */
function endOfPiece(chunks: readonly { chunk: Buffer }[], from: number): number {
  let to = from;
  let size = 0;
  do {
    size += chunks[to]?.chunk.length ?? 0;
    to++;
  } while (to < chunks.length && size + (chunks[to]?.chunk.length ?? 0) <= TOGETHER);
  return to;
}

function uncork(socket: Duplex): void {
  socket.uncork();
}

function nothing(): void {}
