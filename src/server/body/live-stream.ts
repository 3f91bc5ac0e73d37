/**
 * A request body that its handler reads while it arrives (`streamBody`).
 *
 * @module
 */
import { Readable } from 'node:stream';
import type { Beginning } from '../../http/body/request-body.ts';

/** Most pieces of what is kept: a body that comes byte by byte must not cost an object for each. */
const MAX_PIECES = 64;

/** The stream a handler reads. Back-pressure goes through `wantsMore` to the socket. */
export class LiveStream extends Readable {
  #wantsMore = false;
  readonly #onDemand: () => void;
  readonly #keeps: number;
  #received = 0;
  /** What has come, up to what is kept. */
  #pieces: Buffer[] = [];

  /**
   * @param onDemand Called when the reader wants data: for the first time, or again after `wantsMore` was false.
   * @param keeps Bytes of its beginning that are kept until its exchange is over.
   */
  constructor(onDemand: () => void, keeps = 0) {
    super({ highWaterMark: 64 * 1024 });
    this.#onDemand = onDemand;
    this.#keeps = keeps;
    this.on('error', () => {}); // a client that leaves must not end the process when nobody reads
  }

  /** Whether the reader takes more. A destroyed stream takes everything and drops it. */
  get wantsMore(): boolean {
    return this.#wantsMore || this.destroyed;
  }

  override _read(): void {
    if (this.#wantsMore) return;
    this.#wantsMore = true;
    this.#onDemand();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    callback(error);
    this.#onDemand();
  }

  /** What has come; undefined when nothing is kept. */
  get kept(): Beginning | undefined {
    return this.#keeps === 0 ? undefined : { bytes: Buffer.concat(this.#pieces), received: this.#received };
  }

  /** Passes data on. */
  deliver(data: Buffer): void {
    if (this.#keeps > 0) this.#keep(data);
    if (!this.destroyed) this.#wantsMore = this.push(Buffer.from(data));
  }

  #keep(data: Buffer): void {
    const room = this.#keeps - this.#received;
    this.#received += data.length;
    if (room <= 0) return;
    this.#pieces.push(Buffer.from(data.subarray(0, room))); // its reader may change its own
    if (this.#pieces.length === MAX_PIECES) this.#pieces = [Buffer.concat(this.#pieces)];
  }

  /** Ends the stream: the body is complete. */
  finish(): void {
    if (!this.destroyed) this.push(null);
  }
}
