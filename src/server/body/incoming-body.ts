/**
 * Collects the body of one request: in memory while it is small, on disk above that, or straight through to a handler that streams.
 *
 * @module
 */

import { tooLargeMessage } from '../../exchange/body-limit.ts';
import { RequestBody } from '../../http/body/request-body.ts';
import { ProtocolError } from '../../http/errors/protocol-error.ts';
import type { DiskBudget } from './disk-budget.ts';
import { LiveStream } from './live-stream.ts';
import { Spool } from './spool.ts';

/** Most pieces kept apart: a body that comes byte by byte must not cost an object for each. */
const MAX_PIECES = 64;

/** A body on its way in. */
export class IncomingBody {
  /** Bytes received. */
  received = 0;
  /** Whether a piece is on its way to disk. */
  isWriting = false;
  readonly live: LiveStream | undefined;
  readonly #maxSize: number;
  readonly #memory: number;
  readonly #disk: DiskBudget;
  readonly #onReady: (error?: ProtocolError) => void;
  readonly #announced: number;
  #pieces: Buffer[] = [];
  /** The buffer for all of an announced body, filled as it comes. */
  #whole: Buffer | undefined;
  #spool: Spool | undefined;

  /**
   * @param announced Content-Length; negative when there is none.
   * @param maxSize Largest size, bytes; above it: 413.
   * @param memory Bytes kept in memory; above it: to disk.
   * @param disk The room there.
   * @param isLive Whether it is passed on as it comes instead of being collected.
   * @param onReady Called when `isBusy` ends, or with the error when writing to disk fails.
   */
  constructor(
    announced: number,
    maxSize: number,
    memory: number,
    disk: DiskBudget,
    isLive: boolean,
    onReady: (error?: ProtocolError) => void,
  ) {
    this.#announced = announced;
    this.#maxSize = maxSize;
    this.#memory = memory;
    this.#disk = disk;
    this.#onReady = onReady;
    this.live = isLive ? new LiveStream(() => onReady()) : undefined;
  }

  /** Whether no data can be added now. */
  get isBusy(): boolean {
    return this.isWriting || (this.live !== undefined && !this.live.wantsMore);
  }

  /**
   * Adds data, which is copied: its buffer may be reused.
   *
   * @throws ProtocolError 413 as soon as the body is too large, 503 when it is to go to disk and others have taken the room there.
   */
  add(data: Buffer): void {
    this.received += data.length;
    if (this.received > this.#maxSize) throw tooLarge(this.#maxSize);
    if (this.live) return this.live.deliver(data);
    if (this.#spool) return this.#write([data]);
    if (this.#whole || (this.#pieces.length === 0 && this.#isLargePart(data))) return this.#fill(data);
    this.#pieces.push(Buffer.from(data));
    if (this.received > this.#memory) this.#toDisk();
    else if (this.#pieces.length === MAX_PIECES) this.#pieces = [Buffer.concat(this.#pieces)];
  }

  /** Whether enough of an announced body has come at once to allocate memory for all of it. */
  #isLargePart(data: Buffer): boolean {
    return data.length * 2 >= this.#announced && this.#announced <= this.#memory && data.length < this.#announced;
  }

  #fill(data: Buffer): void {
    this.#whole ??= Buffer.allocUnsafe(this.#announced);
    data.copy(this.#whole, this.received - data.length);
  }

  /** The complete body. */
  finish(): RequestBody {
    if (this.#whole) return new RequestBody(this.#whole);
    if (this.#spool) return new RequestBody(this.#spool);
    return this.received === 0
      ? RequestBody.EMPTY
      : new RequestBody(this.#pieces.length === 1 ? (this.#pieces[0] as Buffer) : Buffer.concat(this.#pieces));
  }

  /** Breaks the body off: a handler that streams it sees the error. */
  fail(error: Error): void {
    this.live?.destroy(error);
    this.close();
  }

  /** Releases what the body holds: its response has been sent, or it will never be complete. */
  close(): void {
    this.#pieces = [];
    this.#whole = undefined;
    this.#spool?.close();
    this.live?.destroy();
  }

  #toDisk(): void {
    try {
      this.#spool = new Spool(this.#disk);
    } catch (error) {
      throw storageError(error);
    }
    this.#write(this.#pieces);
    this.#pieces = [];
  }

  #write(pieces: readonly Buffer[]): void {
    this.#spool?.write(pieces, (error) => {
      this.isWriting = false;
      this.#onReady(error ? storageError(error) : undefined);
    });
    this.isWriting = true;
  }
}

/** The answer to a client whose body exceeds the bound. */
export function tooLarge(maxSize: number): ProtocolError {
  return new ProtocolError(413, 'body-too-large', tooLargeMessage(maxSize));
}

function storageError(error: unknown): ProtocolError {
  const { code } = error as NodeJS.ErrnoException;
  const isFull = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG';
  const refusal = isFull
    ? new ProtocolError(507, 'storage-full', 'Cannot read body: there is no room for it')
    : new ProtocolError(500, 'storage-failed', 'Cannot read body: it could not be stored');
  refusal.cause = error;
  return refusal;
}
