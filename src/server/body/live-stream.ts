/**
 * A request body that its handler reads while it arrives (`streamBody`).
 *
 * @module
 */
import { Readable } from 'node:stream';

/** The stream a handler reads. Back-pressure goes through `wantsMore` to the socket. */
export class LiveStream extends Readable {
  #wantsMore = false;
  readonly #onDemand: () => void;

  /** @param onDemand Called when the reader wants data: for the first time, or again after `wantsMore` was false. */
  constructor(onDemand: () => void) {
    super({ highWaterMark: 64 * 1024 });
    this.#onDemand = onDemand;
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

  /** Passes data on. */
  deliver(data: Buffer): void {
    if (!this.destroyed) this.#wantsMore = this.push(Buffer.from(data));
  }

  /** Ends the stream: the body is complete. */
  finish(): void {
    if (!this.destroyed) this.push(null);
  }
}
