/**
 * The table of a connection that indices of a header block point into: the static one, then the dynamic one (RFC 7541 §2.3).
 *
 * The dynamic table is a queue: what is inserted last has the lowest index, and what was inserted first is evicted first. It is a ring, so that
 * nothing moves when an entry comes or goes.
 *
 * @module
 */
import { LAST_STATIC, STATIC_TABLE } from './static-table.ts';

/** Octets that an entry counts beyond its name and value (RFC 7541 §4.1); RFC 9113 §6.5.2 counts fields in the same way. */
export const FIELD_OVERHEAD = 32;
/** Octets that a table may hold until the encoder says otherwise (RFC 9113 §6.5.2). */
const INITIAL_CAPACITY = 4096;
/** Entries of a first ring: about as many as the first request of a browser inserts. It doubles when it is full. */
const FIRST_RING = 16;

/** Static and dynamic table under one numbering. */
export class HeaderTable {
  /** Names and values of a power of two of entries. */
  #ring: string[] = [];
  #mask = -1;
  /** Where the next entry goes; counts on and on. */
  #next = 0;
  #count = 0;
  /** Octets of all entries (RFC 7541 §4.1). */
  #size = 0;
  #capacity: number = INITIAL_CAPACITY;
  /** Another number after each change: as long as it is the same, an index means the same field. */
  revision = 0;

  /** Whether an index means a field (RFC 7541 §2.3.3): 0 never does, nor does one behind the last entry. */
  has(index: number): boolean {
    return index > 0 && index <= LAST_STATIC + this.#count;
  }

  /** The name of an entry that there is. */
  nameAt(index: number): string {
    if (index <= LAST_STATIC) return STATIC_TABLE[2 * index] as string;
    return this.#ring[this.#placeOf(index)] as string;
  }

  /** The value of an entry that there is. */
  valueAt(index: number): string {
    if (index <= LAST_STATIC) return STATIC_TABLE[2 * index + 1] as string;
    return this.#ring[this.#placeOf(index) + 1] as string;
  }

  /** Octets of the entries in the dynamic table (RFC 7541 §4.1). */
  get size(): number {
    return this.#size;
  }

  /** Adds an entry; the oldest ones make room (RFC 7541 §4.4). One that is larger than the table empties it and is not kept, which is no error. */
  insert(name: string, value: string): void {
    const size = name.length + value.length + FIELD_OVERHEAD;
    this.revision++;
    this.#evict(this.#capacity - size);
    if (size > this.#capacity) return;
    if (this.#count > this.#mask) this.#grow();
    const place = 2 * (this.#next++ & this.#mask);
    this.#ring[place] = name;
    this.#ring[place + 1] = value;
    this.#count++;
    this.#size += size;
  }

  /** Sets how many octets the entries may take together (RFC 7541 §4.3). */
  resize(capacity: number): void {
    this.revision++;
    this.#capacity = capacity;
    this.#evict(capacity);
  }

  #placeOf(index: number): number {
    return 2 * ((this.#next - (index - LAST_STATIC)) & this.#mask);
  }

  /** Removes the oldest entries until the rest takes at most so many octets. */
  #evict(size: number): void {
    while (this.#size > size && this.#count > 0) {
      const place = 2 * ((this.#next - this.#count) & this.#mask);
      const name = this.#ring[place] as string;
      const value = this.#ring[place + 1] as string;
      this.#ring[place] = ''; // neither is held any longer
      this.#ring[place + 1] = '';
      this.#size -= name.length + value.length + FIELD_OVERHEAD;
      this.#count--;
    }
  }

  #grow(): void {
    const ring: string[] = [];
    for (let index = LAST_STATIC + this.#count; index > LAST_STATIC; index--) ring.push(this.nameAt(index), this.valueAt(index));
    const entries = Math.max(FIRST_RING, 2 * this.#count);
    while (ring.length < 2 * entries) ring.push('');
    this.#ring = ring;
    this.#mask = entries - 1;
    this.#next = this.#count;
  }
}
