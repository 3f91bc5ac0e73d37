/**
 * The body of one request on its way in.
 *
 * What comes is added as the disk, or the handler that reads it, takes it; what cannot be added yet waits. The client hears of more window only for
 * what has been dealt with, so that no more can wait than the window of the stream.
 *
 * @module
 */
import type { IncomingBody } from '../body/incoming-body.ts';
import { Patience, READING_BODY } from '../connection/patience.ts';
import type { Service } from '../service.ts';

/** A body that comes in over a stream. */
export class Inflow {
  readonly body: IncomingBody;
  /** Whether the client still has to be asked for it with 100 (Continue). */
  waits: boolean;
  /** Whether the client has sent all of it. */
  isEnded = false;
  /** Whether all of it was passed on. */
  isDone = false;
  /** Whether what comes is of no use any more. */
  isRefused = false;
  /** What could not be added yet. */
  #waiting: Buffer[] = [];
  /** Bytes that were added and are not dealt with. */
  #owed = 0;
  /** Made when the body is not complete at a tick: few are not. */
  #patience: Patience | undefined;

  constructor(body: IncomingBody, waits: boolean) {
    this.body = body;
    this.waits = waits;
  }

  /** Whether all that has come has been added, and none of it is on its way to disk. */
  get isSettled(): boolean {
    return this.#waiting.length === 0 && !this.body.isWriting;
  }

  /**
   * Takes bytes, which are copied.
   *
   * @returns Bytes that have been dealt with: for these the client gets window.
   * @throws ProtocolError when the body is too large, or there is no room for it.
   */
  take(data: Buffer): number {
    if (this.isRefused) return 0; // no window: what is still to come is not wanted
    if (this.#waiting.length === 0 && !this.body.isBusy) return this.#add(data);
    this.#waiting.push(Buffer.from(data));
    return 0;
  }

  /** Goes on after a write to disk, or when the handler reads on. @returns See `take`. @throws as `take`. */
  goOn(): number {
    if (this.isRefused || this.body.isBusy) return 0;
    if (this.#waiting.length === 0) return this.#settle();
    const data = this.#waiting.length === 1 ? (this.#waiting[0] as Buffer) : Buffer.concat(this.#waiting);
    this.#waiting = [];
    return this.#add(data);
  }

  /** Drops what waits, and what comes from now on. */
  refuse(): void {
    this.isRefused = true;
    this.#waiting = [];
  }

  /** Whether the client brings too little of it. @param isHeldUp Whether we read nothing of the whole connection. */
  isTooSlow(now: number, isHeldUp: boolean, service: Service): boolean {
    if (this.isEnded || this.isRefused) return false;
    if (!this.#patience) {
      this.#patience = new Patience(service);
      this.#patience.watch(READING_BODY);
    }
    return this.#patience.isDue(now, this.body.received, isHeldUp || this.waits || this.body.isBusy);
  }

  #add(data: Buffer): number {
    this.body.add(data);
    this.#owed += data.length;
    return this.body.isBusy ? 0 : this.#settle();
  }

  #settle(): number {
    const owed = this.#owed;
    this.#owed = 0;
    return owed;
  }
}
