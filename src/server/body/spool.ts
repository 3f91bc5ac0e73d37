/**
 * Request bodies on disk: temporary files that are unlinked as soon as they are open.
 *
 * Nothing is left behind, whether the client vanishes, the handler throws or the process is killed: the kernel frees the file with its last
 * descriptor.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { close, constants, openSync, unlinkSync, write } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SpooledFile } from '../../http/body/request-body.ts';
import type { DiskBudget } from './disk-budget.ts';

const NOTHING: Buffer = Buffer.alloc(0);

/** A body that is being written to disk, or is already there. */
export class Spool implements SpooledFile {
  size = 0;
  readonly #budget: DiskBudget;
  #taken = 0;
  #descriptor: number | undefined;
  #buffer: Buffer = NOTHING;
  #isWriting = false;
  #isDone = false;
  /** Readers in other threads. */
  #readers = 0;

  /** Opens a temporary file. @throws The error of the file system. */
  constructor(budget: DiskBudget) {
    this.#budget = budget;
    const path = join(tmpdir(), `filrouge-${randomBytes(12).toString('hex')}`);
    this.#descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
    unlinkSync(path);
    budget.open();
  }

  get descriptor(): number | undefined {
    return this.#isDone ? undefined : this.#descriptor;
  }

  /** Appends bytes, which are copied; one write at a time. @throws ProtocolError 503 when other bodies have taken the room. */
  write(pieces: readonly Buffer[], done: (error: Error | null) => void): void {
    this.append(this.#gather(pieces), done);
  }

  /** Appends bytes that stay as they are until then; `done` is called also when the file has been closed. @throws As `write`. */
  append(bytes: Buffer, done: (error: Error | null) => void): void {
    this.#budget.take(bytes.length);
    this.#taken += bytes.length;
    this.#isWriting = true;
    this.#writeAll(bytes, 0, (error) => {
      this.#isWriting = false;
      if (this.#isDone) this.#free();
      done(error);
    });
  }

  retain(): () => void {
    this.#readers++;
    let isHeld = true;
    return () => {
      if (isHeld) this.#readers--;
      isHeld = false;
      if (this.#isDone) this.#free();
    };
  }

  /** Closes the file once a pending write and all readers have ended: its descriptor must not be reused before that. */
  close(): void {
    this.#isDone = true;
    this.#free();
  }

  /** Copies the pieces into one buffer, which is reused: a large body comes in many pieces, and must not make that much garbage. */
  #gather(pieces: readonly Buffer[]): Buffer {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (this.#buffer.length < length) this.#buffer = Buffer.allocUnsafeSlow(length);
    let at = 0;
    for (const piece of pieces) at += piece.copy(this.#buffer, at);
    return this.#buffer.subarray(0, length);
  }

  #free(): void {
    if (this.#isWriting || this.#readers > 0) return;
    this.#buffer = NOTHING;
    if (this.#descriptor === undefined) return;
    close(this.#descriptor, () => {});
    this.#descriptor = undefined;
    this.#budget.close(this.#taken);
  }

  #writeAll(bytes: Buffer, from: number, done: (error: Error | null) => void): void {
    write(this.#descriptor as number, bytes, from, bytes.length - from, this.size, (error, count) => {
      if (error) return done(error);
      this.size += count;
      if (from + count === bytes.length || this.#isDone) return done(null);
      this.#writeAll(bytes, from + count, done);
    });
  }
}
