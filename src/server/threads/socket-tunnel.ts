/**
 * The main thread's end of an upgraded connection: the socket, which cannot leave that thread. At the other end is `inside/tunnel-socket.ts`.
 *
 * Bytes go both ways as messages. Each side reports what it has taken, so that a slow client or a slow thread fills a window and nothing else.
 *
 * @module
 */
import type { Duplex } from 'node:stream';
import { type ThreadLink, WINDOW } from './wire.ts';

/** The end in the main thread, which has the socket. */
export class SocketTunnel {
  readonly #thread: ThreadLink;
  readonly #id: number;
  readonly #socket: Duplex;
  /** Bytes that the thread has not taken yet. */
  #sent = 0;

  constructor(thread: ThreadLink, id: number, socket: Duplex, head: Uint8Array) {
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
