/**
 * The room that all bodies on disk may take together, in one process.
 *
 * Uploads that trickle in would otherwise fill the temporary folder, and with it whatever else uses that file system. Bytes count when they
 * come, not when they are announced: an announcement costs nothing. So a body may find the room used up on its way; it is then refused, which
 * makes room. Since each body must bring bytes all the time (`requestTimeout`), none that is incomplete can rest in what it has taken. A body
 * that is alone is always accepted: however little room there is, one upload after the other gets through.
 *
 * @module
 */
import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { ProtocolError } from '../../http/errors/protocol-error.ts';

/** How much of what is free the bodies of all processes may take. During a reload, two generations of them serve. */
const SHARE = 1 / 3;

/** Counts the bodies on disk. */
export class DiskBudget {
  readonly #limit: number;
  #used = 0;
  #bodies = 0;

  /** @param limit Bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Refuses a body for whose announced size there is no room. @throws ProtocolError 503. */
  expect(size: number): void {
    if (this.#bodies > 0 && this.#used + size > this.#limit) throw noRoom();
  }

  /** A body goes to disk. */
  open(): void {
    this.#bodies++;
  }

  /** Takes room for some bytes of an open body. @throws ProtocolError 503 when there is none left. */
  take(size: number): void {
    if (this.#bodies > 1 && this.#used + size > this.#limit) throw noRoom();
    this.#used += size;
  }

  /** A body is gone. @param size What it had taken. */
  close(size: number): void {
    this.#bodies--;
    this.#used -= size;
  }
}

function noRoom(): ProtocolError {
  return new ProtocolError(503, 'storage-busy', 'Cannot read body: other bodies take the room that there is for them');
}

/**
 * The default bound of each process: its part of a third of what is free in the temporary folder.
 *
 * @param processes How many serve.
 * @returns Infinity when the folder cannot be looked at: whoever needs it gets the error.
 */
export function shareOfDisk(processes: number): number {
  try {
    const { bavail, bsize } = statfsSync(tmpdir());
    return Math.floor((bavail * bsize * SHARE) / Math.max(processes, 1));
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
