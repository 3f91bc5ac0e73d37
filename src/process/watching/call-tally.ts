/**
 * How often a thread has called what, and how long it waited: in shared memory, where others read it even while the thread waits, and when it is gone.
 *
 * The memory has a place for each name, and one for those that find no place: first all the names, then all the tallies.
 *
 * @module
 */
import { addDurations, type Durations, DurationTally, TALLY_CELLS } from '../durations.ts';
import { addEach, OTHER } from '../server-status.ts';

/** Names that have a place of their own. */
const MAX_NAMES = 60;
const PLACES = MAX_NAMES + 1;
const LAST: number = PLACES - 1;
/** Bytes of a place for a name, the first four of which have its size. */
const NAME_PLACE = 120;
const TALLY_SIZE: number = TALLY_CELLS * Float64Array.BYTES_PER_ELEMENT;

/** The memory that a tally takes, bytes. */
export const CALL_TALLY_SIZE: number = PLACES * (NAME_PLACE + TALLY_SIZE);

/** The calls of one thread. */
export class CallTally {
  readonly #buffer: SharedArrayBuffer;
  readonly #start: number;
  /** Of the thread that counts: the tallies of the names that it has come across. */
  readonly #tallies: Map<string, DurationTally> = new Map();

  /** @param start Where in the buffer it begins: a multiple of 8. */
  constructor(buffer: SharedArrayBuffer, start: number) {
    this.#buffer = buffer;
    this.#start = start;
  }

  /** Counts a call that has ended. Only one thread may do so. */
  add(name: string, seconds: number): void {
    let tally = this.#tallies.get(name);
    if (!tally) {
      const isOther = this.#tallies.size >= MAX_NAMES;
      const place = isOther ? LAST : this.#tallies.size;
      tally = this.#tallyAt(place);
      if (!isOther) this.#tallies.set(name, tally);
      this.#write(place, isOther ? OTHER : name);
    }
    tally.add(seconds);
  }

  /** What has been counted, by name. */
  read(): Record<string, Durations> {
    let all: Record<string, Durations> = {};
    for (let place = 0; place < PLACES; place++) {
      const name = this.#nameAt(place);
      if (name !== undefined) all = addEach(all, { [name]: this.#tallyAt(place).read() }, addDurations); // long names may have become the same
    }
    return all;
  }

  #write(place: number, name: string): void {
    const start = this.#start + place * NAME_PLACE;
    const { written } = new TextEncoder().encodeInto(name, new Uint8Array(this.#buffer, start + 4, NAME_PLACE - 4));
    Atomics.store(new Int32Array(this.#buffer, start, 1), 0, written);
  }

  #nameAt(place: number): string | undefined {
    const start = this.#start + place * NAME_PLACE;
    const size = Atomics.load(new Int32Array(this.#buffer, start, 1), 0);
    return size === 0 ? undefined : Buffer.from(new Uint8Array(this.#buffer, start + 4, size).slice()).toString();
  }

  #tallyAt(place: number): DurationTally {
    return new DurationTally(new Float64Array(this.#buffer, this.#start + PLACES * NAME_PLACE + place * TALLY_SIZE, TALLY_CELLS));
  }
}
