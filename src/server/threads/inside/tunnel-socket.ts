/**
 * A handler thread's end of an upgraded connection, which the handler takes for the socket. At the other end is `socket-tunnel.ts`.
 *
 * @module
 */
import { Duplex } from 'node:stream';
import type { FromThread } from '../wire.ts';

/** What stands for the socket. */
export class TunnelSocket extends Duplex {
  readonly #id: number;
  readonly #post: (item: FromThread) => void;
  /** Writes that the socket has not taken, oldest first. */
  readonly #writes: (() => void)[] = [];

  constructor(id: number, post: (item: FromThread) => void) {
    super({ allowHalfOpen: true, highWaterMark: 64 * 1024 });
    this.#id = id;
    this.#post = post;
    this.on('error', () => {}); // a client that resets must not end the thread when nobody listens
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.#writes.push(callback);
    this.#post(['data', this.#id, chunk]);
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
