/**
 * An upgraded connection between its socket, which cannot leave the main thread, and the handler thread that has taken it over.
 *
 * Bytes go both ways as messages. Each side says what it has taken, so that a slow client or a slow thread fills a window and nothing else.
 *
 * @module
 */
import { Duplex } from 'node:stream';
import type { HandlerThread } from './handler-thread.ts';
import { type FromThread, WINDOW } from './wire.ts';

/** The end in the main thread, which has the socket. */
export class SocketTunnel {
  readonly #thread: HandlerThread;
  readonly #id: number;
  readonly #socket: Duplex;
  /** Bytes that the thread has not taken yet. */
  #sent = 0;

  constructor(thread: HandlerThread, id: number, socket: Duplex, head: Uint8Array) {
    this.#thread = thread;
    this.#id = id;
    this.#socket = socket;
    thread.post(['opened', id, head]);
    socket.on('data', (bytes: Buffer) => {
      this.#sent += bytes.length;
      thread.post(['data', id, bytes]);
      if (this.#sent > WINDOW) socket.pause();
    });
    socket.on('end', () => thread.post(['end', id]));
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => {
      thread.post(['failed', id, ['The client has closed the connection', undefined, undefined]]);
      thread.forget(id);
    });
    socket.resume();
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes, () => this.#thread.post(['taken', this.#id, bytes.length]));
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  taken(count: number): void {
    this.#sent -= count;
    if (this.#sent <= WINDOW && this.#socket.isPaused()) this.#socket.resume();
  }
}

/** The end in the handler thread, which the handler takes for the socket. */
export class TunnelEnd extends Duplex {
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

  /** Bytes from the client. What the handler does not read waits in the stream's buffer, and is told as taken when it does. */
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
