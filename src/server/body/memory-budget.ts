/**
 * The room that all bodies in memory may take together, in one process.
 *
 * A small body (`bodyMemory`) is always kept in memory: it counts, and is never refused, so that small requests are served whatever large ones
 * do. A larger one is kept while there is room beside everything that counts; otherwise it goes to disk. Room is taken before memory is, the
 * whole of an announced body at once, but only when more than a small body of it has come: an announcement alone costs nothing.
 *
 * @module
 */
import { totalmem } from 'node:os';
import { MiB } from '../../http/errors/bad-option.ts';

/** How much of the memory that there is the bodies of all processes may take. */
const SHARE = 1 / 16;
/** More than this buys nothing: bodies rest for as long as their handlers run. */
const ENOUGH: number = 64 * MiB;
/** What one body may take of it, so that a few slow uploads cannot send everybody else's to disk. */
const SHARE_OF_ONE = 1 / 4;

/** Counts the bodies in memory, and gives memory to the large ones. */
export class MemoryBudget {
  /** Bytes that are taken. */
  used = 0;
  readonly #limit: number;
  readonly #most: number;
  /** Memory of bodies that are gone, for the next ones: to get new memory from the system takes longer than to fill it. */
  readonly #spare: Buffer[] = [];
  /** Bytes of it. */
  #kept = 0;

  /** @param limit Bytes. */
  constructor(limit: number) {
    this.#limit = limit;
    this.#most = inSteps(limit * SHARE_OF_ONE, Math.floor);
  }

  /** Most bytes that a body of unknown length may ask for. */
  get most(): number {
    return this.#most;
  }

  /** Whether there is room now for a large body. */
  fits(size: number): boolean {
    const rounded = inSteps(size, Math.ceil);
    return rounded <= this.#most && this.used + rounded <= this.#limit;
  }

  /** Takes memory for a large body. @returns At least as much as was asked for; undefined when there is no room. */
  take(size: number): Buffer | undefined {
    if (!this.fits(size)) return undefined;
    const rounded = inSteps(size, Math.ceil);
    this.used += rounded;
    const place = this.#spare.findLastIndex(({ length }) => length === rounded);
    const [bytes = Buffer.allocUnsafeSlow(rounded)] = place === -1 ? [] : this.#spare.splice(place, 1);
    if (place !== -1) this.#kept -= rounded;
    while (this.used + this.#kept > this.#limit && this.#spare.length > 0) this.#drop();
    return bytes;
  }

  /**
   * Takes memory back.
   *
   * @param isFree Whether nobody else can see it, so that another body may have it.
   */
  giveBack(bytes: Buffer, isFree: boolean): void {
    this.used -= bytes.length;
    if (isFree) this.#spare.push(bytes);
    if (isFree) this.#kept += bytes.length;
    const most = this.used > 0 ? this.#limit - this.used : this.#most; // what was needed at the worst of times is not kept at rest
    while (this.#kept > most && this.#spare.length > 0) this.#drop();
  }

  /** Leaves what has been spare for longest to the garbage collector. */
  #drop(): void {
    this.#kept -= this.#spare.shift()?.length ?? 0;
  }
}

/** A size in steps of which there are four from each power of two to the next: bodies of about the same size can have each other's memory. */
function inSteps(size: number, round: (steps: number) => number): number {
  if (!Number.isFinite(size)) return size;
  const step = 2 ** Math.max(Math.floor(Math.log2(size)) - 2, 0);
  return round(size / step) * step;
}

/**
 * The default bound of each process: its part of a sixteenth of the memory that the machine has or the container is allowed, at most 64 MiB.
 *
 * @param processes How many serve.
 */
export function shareOfMemory(processes: number): number {
  const allowed = process.constrainedMemory() || Number.POSITIVE_INFINITY; // 0: no bound is known
  return Math.min(ENOUGH, Math.floor((Math.min(totalmem(), allowed) * SHARE) / Math.max(processes, 1)));
}
