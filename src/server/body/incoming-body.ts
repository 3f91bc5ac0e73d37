/**
 * Collects the body of one request: in memory while it is small or there is room, on disk otherwise, or straight through to a handler that
 * streams.
 *
 * @module
 */

import { tooLargeMessage } from '../../exchange/body-limit.ts';
import { type HeldBody, RequestBody } from '../../http/body/request-body.ts';
import { ProtocolError } from '../../http/errors/protocol-error.ts';
import type { DiskBudget } from './disk-budget.ts';
import { LiveStream } from './live-stream.ts';
import type { MemoryBudget } from './memory-budget.ts';
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
  readonly #room: MemoryBudget;
  readonly #disk: DiskBudget;
  readonly #onReady: (error?: ProtocolError) => void;
  readonly #announced: number;
  #pieces: Buffer[] = [];
  /** A buffer for all of the body, filled as it comes. */
  #whole: Buffer | undefined;
  /** Bytes in it. */
  #filled = 0;
  /** Whether that is memory of the room. */
  #isLarge = false;
  /** Whether nobody else has seen it. */
  #isFree = true;
  /** Bytes of other memory, which count as well. */
  #taken = 0;
  #spool: Spool | undefined;
  /** The body, when it is complete and too large to be kept longer than its exchange. */
  #large: RequestBody | undefined;
  #isClosed = false;
  /** Readers in other threads. */
  #readers = 0;

  /**
   * @param announced Content-Length; negative when there is none.
   * @param maxSize Largest size, bytes; above it: 413.
   * @param memory Bytes kept in memory whatever room there is; above it: to disk, unless there is some.
   * @param room The room in memory.
   * @param disk The room on disk.
   * @param isLive Whether it is passed on as it comes instead of being collected.
   * @param onReady Called when `isBusy` ends, or with the error when writing to disk fails.
   * @param keeps Bytes that are kept of one that is passed on, in case that its request is recorded.
   */
  constructor(
    announced: number,
    maxSize: number,
    memory: number,
    room: MemoryBudget,
    disk: DiskBudget,
    isLive: boolean,
    onReady: (error?: ProtocolError) => void,
    keeps = 0,
  ) {
    this.#announced = announced;
    this.#maxSize = maxSize;
    this.#memory = memory;
    this.#room = room;
    this.#disk = disk;
    this.#onReady = onReady;
    this.live = isLive ? new LiveStream(() => onReady(), keeps) : undefined;
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
    if (!this.#whole && this.received <= this.#memory) return this.#keepSmall(data);
    if (this.received > (this.#whole?.length ?? 0) && !this.#makeRoom(data.length)) return this.#toDisk(data);
    this.#fill(data);
  }

  /** Bytes of memory it takes. */
  get memory(): number {
    return this.#isLarge ? (this.#whole as Buffer).length : this.#taken;
  }

  /** The complete body. */
  finish(): RequestBody {
    if (this.#spool) return new RequestBody(this.#spool);
    if (this.received === 0) return RequestBody.EMPTY;
    if (!this.#whole) return new RequestBody(joined(this.#pieces));
    if (!this.#isLarge) return new RequestBody(this.#whole);
    this.#large = new RequestBody(this.#whole.subarray(0, this.received), () => this.#retain());
    return this.#large;
  }

  /** What has come of it, for a reader that comes later: a copy of what is in memory. */
  held(): HeldBody {
    const length = this.#announced >= 0 ? this.#announced : this.received;
    const { descriptor, size } = this.#spool ?? { descriptor: undefined, size: 0 };
    if (this.#spool && descriptor !== undefined && size > 0) return { bytes: { descriptor, size }, length, letGo: this.#spool.retain() };
    return { bytes: Buffer.concat(this.#kept(this.#filled)), length, letGo: undefined };
  }

  /** Breaks the body off: a handler that streams it sees the error. */
  fail(error: Error): void {
    this.live?.destroy(error);
    this.close();
  }

  /** Releases what the body holds: its response has been sent, or it will never be complete. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#large) this.#isFree = this.#large.release();
    this.#free();
    this.#spool?.close();
    this.live?.destroy();
  }

  /** A reader in another thread has a copy, which counts as well. */
  #retain(): () => void {
    this.#readers++;
    let isHeld = true;
    return () => {
      if (isHeld) this.#readers--;
      isHeld = false;
      if (this.#isClosed) this.#free();
    };
  }

  /** Gives back the memory, unless a reader has it, or it is on its way to disk. */
  #free(): void {
    if (!this.isWriting && this.#readers === 0) this.#forget();
  }

  /** Gives back the memory. */
  #forget(): void {
    if (this.#whole && this.#isLarge) this.#room.giveBack(this.#whole, this.#isFree);
    this.#isLarge = false;
    this.#pieces = [];
    this.#whole = undefined;
    this.#count(0);
  }

  #count(size: number): void {
    this.#room.used += size - this.#taken;
    this.#taken = size;
  }

  #keepSmall(data: Buffer): void {
    if (this.#pieces.length === 0 && this.#isLargePart(data)) {
      this.#whole = Buffer.allocUnsafe(this.#announced);
      this.#count(this.#announced);
      return this.#fill(data);
    }
    this.#count(this.received);
    this.#pieces.push(Buffer.from(data));
    if (this.#pieces.length === MAX_PIECES) this.#pieces = [Buffer.concat(this.#pieces)];
  }

  /** Whether enough of an announced body has come at once to allocate memory for all of it. */
  #isLargePart(data: Buffer): boolean {
    return data.length * 2 >= this.#announced && this.#announced <= this.#memory && data.length < this.#announced;
  }

  #fill(data: Buffer): void {
    data.copy(this.#whole as Buffer, this.received - data.length);
    this.#filled = this.received;
  }

  /**
   * Makes one buffer, as large as what was announced; where nothing was, twice as large as what has come.
   *
   * @param added Bytes that are to be added, and have been counted as received.
   * @returns Whether there is room.
   */
  #makeRoom(added: number): boolean {
    const doubled = Math.min(this.received * 2, this.#maxSize, this.#room.most);
    const size = this.#announced >= 0 ? this.#announced : Math.max(doubled, this.received);
    const whole = this.#room.take(size);
    if (!whole) return false;
    let at = 0;
    for (const piece of this.#kept(this.received - added)) at += piece.copy(whole, at);
    this.#forget();
    this.#whole = whole;
    this.#isLarge = true;
    return true;
  }

  /** What is in memory. @param size Bytes of it. */
  #kept(size: number): readonly Buffer[] {
    return this.#whole ? [this.#whole.subarray(0, size)] : this.#pieces;
  }

  /** Takes everything to disk: what is kept, and the data that has come. */
  #toDisk(data: Buffer): void {
    try {
      this.#spool = new Spool(this.#disk);
    } catch (error) {
      throw storageError(error);
    }
    if (!this.#whole) {
      this.#write([...this.#pieces, data]);
      return this.#forget();
    }
    const rest = Buffer.from(data);
    this.#spool.append(this.#whole.subarray(0, this.received - data.length), (error) => {
      this.#forget();
      if (error || this.#isClosed) return this.#written(error);
      this.#continue(rest);
    });
    this.isWriting = true;
  }

  /** Writes what has waited for an earlier write. */
  #continue(data: Buffer): void {
    try {
      this.#write([data]);
    } catch (error) {
      this.isWriting = false;
      this.#onReady(error as ProtocolError); // 503: others have taken the room
    }
  }

  #write(pieces: readonly Buffer[]): void {
    this.#spool?.write(pieces, (error) => this.#written(error));
    this.isWriting = true;
  }

  #written(error: Error | null): void {
    this.isWriting = false;
    if (!this.#isClosed) this.#onReady(error ? storageError(error) : undefined);
  }
}

function joined(pieces: readonly Buffer[]): Buffer {
  return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
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
