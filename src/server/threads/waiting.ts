/**
 * The requests that no thread can take yet, shared out fairly: by turns among the addresses that wait, and for each address by turns among
 * its connections. A client that sends many requests at once waits behind its own, not others behind it. Of IPv6 the first 64 bits are one
 * address: a client that uses another one for each request gains nothing.
 *
 * @module
 */
import { networkOf } from '../../http/address.ts';
import type { Flight } from './flight.ts';

/** Flights in some order. */
interface Waiting {
  readonly size: number;
  push(flight: Flight): void;
  /** Removes the one whose turn it is. There must be one. */
  shift(): Flight;
  /** Removes the one that weighs least: the last of the connection that has most, at the address that has most. There must be one. */
  pop(): Flight;
  /** Removes one of those who have more than the owner of this one, to make room for it; undefined when nobody has. */
  displaceFor(flight: Flight): Flight | undefined;
  [Symbol.iterator](): Iterator<Flight>;
}

/** Those of one connection, in the order in which they came. */
class Line implements Waiting {
  readonly #flights: Flight[] = [];

  get size(): number {
    return this.#flights.length;
  }

  push(flight: Flight): void {
    this.#flights.push(flight);
  }

  shift(): Flight {
    return this.#flights.shift() as Flight;
  }

  pop(): Flight {
    return this.#flights.pop() as Flight;
  }

  displaceFor(): undefined {}

  [Symbol.iterator](): Iterator<Flight> {
    return this.#flights[Symbol.iterator]();
  }
}

/** Several that take turns. */
class ByTurns implements Waiting {
  size = 0;
  readonly #keyOf: (flight: Flight) => unknown;
  readonly #make: () => Waiting;
  /** Whose turn it is comes first. None of them is empty. */
  readonly #parts: Map<unknown, Waiting> = new Map();

  constructor(keyOf: (flight: Flight) => unknown, make: () => Waiting) {
    this.#keyOf = keyOf;
    this.#make = make;
  }

  push(flight: Flight): void {
    const key = this.#keyOf(flight);
    let part = this.#parts.get(key);
    if (!part) {
      part = this.#make();
      this.#parts.set(key, part);
    }
    part.push(flight);
    this.size++;
  }

  shift(): Flight {
    const [key, part] = this.#parts.entries().next().value as [unknown, Waiting];
    const flight = part.shift();
    this.size--;
    this.#parts.delete(key);
    if (part.size > 0) this.#parts.set(key, part); // behind the others
    return flight;
  }

  pop(): Flight {
    return this.#popFrom(...this.#heaviest());
  }

  displaceFor(flight: Flight): Flight | undefined {
    const [key, heaviest] = this.#heaviest();
    const own = this.#parts.get(this.#keyOf(flight));
    if (heaviest !== own && heaviest.size > (own?.size ?? 0) + 1) return this.#popFrom(key, heaviest);
    const displaced = own?.displaceFor(flight);
    if (displaced) this.size--;
    return displaced;
  }

  *[Symbol.iterator](): Iterator<Flight> {
    for (const part of this.#parts.values()) yield* part;
  }

  #heaviest(): [unknown, Waiting] {
    let found: [unknown, Waiting] | undefined;
    for (const entry of this.#parts) if (!found || entry[1].size > found[1].size) found = entry;
    return found as [unknown, Waiting]; // whoever asks knows that there is one
  }

  #popFrom(key: unknown, part: Waiting): Flight {
    const flight = part.pop();
    this.size--;
    if (part.size === 0) this.#parts.delete(key);
    return flight;
  }
}

/** The queue of a pool. */
export class WaitingRequests {
  #waiting: Waiting = empty();

  get size(): number {
    return this.#waiting.size;
  }

  /** Takes one in. @param most When so many wait, it takes the place of one whose client has more waiting. @returns Whom there is no room for. */
  add(flight: Flight, most: number): Flight | undefined {
    let displaced: Flight | undefined;
    if (this.#waiting.size >= most) {
      displaced = this.#waiting.size > 0 ? this.#waiting.displaceFor(flight) : undefined;
      if (!displaced) return flight;
    }
    this.#waiting.push(flight);
    return displaced;
  }

  /** Takes back in what a thread has not begun with, in the order in which it was to come: it has waited already, and keeps its turn. */
  putBack(flights: readonly Flight[]): void {
    if (flights.length > 0) this.#fill([...flights, ...this.#waiting]);
  }

  /** Removes the one whose turn it is. */
  next(): Flight | undefined {
    return this.#waiting.size > 0 ? this.#waiting.shift() : undefined;
  }

  /** Looks at all of them. @param isDone Those for which this is true wait no longer. */
  sweep(isDone: (flight: Flight) => boolean): void {
    const left = [...this.#waiting].filter((flight) => !isDone(flight));
    if (left.length < this.#waiting.size) this.#fill(left);
  }

  #fill(flights: readonly Flight[]): void {
    this.#waiting = empty();
    for (const flight of flights) this.#waiting.push(flight);
  }
}

function empty(): Waiting {
  const byConnection = (): Waiting =>
    new ByTurns(
      ({ request }) => request.peer.carrier,
      () => new Line(),
    );
  return new ByTurns(({ request: { remoteAddress } }) => remoteAddress && networkOf(remoteAddress), byConnection);
}
