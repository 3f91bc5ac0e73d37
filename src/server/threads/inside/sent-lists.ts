/**
 * The field lists of responses on their way out of a thread: whole the first two times, then by a number.
 *
 * @module
 */
import type { HeaderList } from '../../../http/header-list.ts';
import type { WireList } from '../wire.ts';

/** Field lists that are known by a number in the main thread. */
const KNOWN_LISTS = 512;

/** Knows what the main thread has been sent. */
export class SentLists {
  /** The number of a list that was sent before; 0 for one that was seen once. */
  readonly #numbers: WeakMap<HeaderList, number> = new WeakMap();
  #count = 0;

  /** A list that is used again is given a number the second time, and is the number from then on. */
  toWire(list: HeaderList): WireList {
    const number = this.#numbers.get(list);
    if (number === undefined) {
      this.#numbers.set(list, 0);
      return ['', ...list.flat];
    }
    if (number > 0) return number;
    if (this.#count === KNOWN_LISTS) return ['', ...list.flat];
    this.#numbers.set(list, ++this.#count);
    return [String(this.#count), ...list.flat];
  }
}
