/**
 * A small memory that a thread shares with its main thread, which sees there what the other does without asking: how many calls of the handler it has
 * entered and left, which one it is in, which routes have matched, and which files it holds.
 *
 * A request that waits in the thread's inbox has a cell of its own, by its number among all that were put there, in which either side claims it, once:
 *
 *     offer ──▶ WAITING ──enter──▶ BEGUN       by the thread, which begins with it
 *                  └─────recall──▶ RECALLED    by the main thread, when the handler before it does not return; the thread passes it over
 *
 * So a request is never handled twice, and never lost between the two. The thread comes to them in their order; one that it has begun with long ago has no
 * cell any more.
 *
 * @module
 */

/** A request waits in the thread's inbox, the thread has begun with it, or it was taken back. */
const WAITING = 1;
const BEGUN = 2;
const RECALLED = 3;

/** Requests in an inbox at most; a power of two. */
export const INBOX = 256;
const ENTERED = 0;
const LEFT = 1;
const CURRENT = 2;
const PROBES = 3;
const CLAIMS = 4;
const ROUTES: number = CLAIMS + INBOX;
/** Requests whose routes are remembered: as many as a thread may begin between two looks of the main thread. A power of two. */
const SEEN = 4096;
const FILES: number = ROUTES + SEEN;
/** Files of which is known that they are held: one for each request in the inbox. */
const MOST_FILES: number = INBOX;
/** A number that a route may have, and one that says that there is none, in the bits above those of the request. */
const ROUTE_SHIFT = 20;

/** The shared memory of one thread. */
export class Board {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: Int32Array;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(4 * (FILES + MOST_FILES))) {
    this.buffer = buffer;
    this.#cells = new Int32Array(buffer);
  }

  /** Calls of the handler that were begun, or passed over because the request was taken back. */
  get entered(): number {
    return Atomics.load(this.#cells, ENTERED);
  }

  /** Of these, how many have returned: a promise counts as soon as it is there. */
  get left(): number {
    return Atomics.load(this.#cells, LEFT);
  }

  /** Changes whenever a handler is called or returns. */
  get moves(): number {
    return (this.entered + this.left) | 0;
  }

  /** The request whose handler was called last. */
  get current(): number {
    return Atomics.load(this.#cells, CURRENT);
  }

  /** The request whose handler is being called; -1 when none is. */
  get running(): number {
    return this.entered === this.left ? -1 : this.current;
  }

  /** Probes that the thread has come to: what it does between handlers does not hold it. */
  get probes(): number {
    return Atomics.load(this.#cells, PROBES);
  }

  /** The thread has come to a probe. */
  answerProbe(): void {
    Atomics.add(this.#cells, PROBES, 1);
  }

  /** The main thread puts a request into the inbox. @param order How many it has put there, this one included. */
  offer(order: number): void {
    Atomics.store(this.#cells, cellOf(order), WAITING);
  }

  /** The main thread takes a request back. @returns Whether the thread has not begun with it, and never will. */
  recall(order: number): boolean {
    return !this.hasCome(order) && Atomics.compareExchange(this.#cells, cellOf(order), WAITING, RECALLED) === WAITING;
  }

  /** Whether the thread has come to the request with this number: has begun with it, or passed it over. */
  hasCome(order: number): boolean {
    return ((this.entered - order) | 0) >= 0;
  }

  /** The thread begins with the next request. @returns Whether it may. */
  enter(id: number): boolean {
    const cell = cellOf((this.entered + 1) | 0);
    const isMine = Atomics.compareExchange(this.#cells, cell, WAITING, BEGUN) === WAITING;
    if (isMine) Atomics.store(this.#cells, CURRENT, id);
    Atomics.add(this.#cells, ENTERED, 1);
    if (!isMine) Atomics.add(this.#cells, LEFT, 1);
    return isMine;
  }

  /** A route has matched for a request. @param route Its number, less than 1000. */
  noteRoute(id: number, route: number): void {
    Atomics.store(this.#cells, ROUTES + (id % SEEN), ((route + 1) << ROUTE_SHIFT) | Math.trunc(id / SEEN));
  }

  /** The number of the route that matched last for a request; -1 when none has, or too many requests have come since. */
  routeOf(id: number): number {
    const cell = Atomics.load(this.#cells, ROUTES + (id % SEEN));
    return (cell & ((1 << ROUTE_SHIFT) - 1)) === Math.trunc(id / SEEN) ? (cell >> ROUTE_SHIFT) - 1 : -1;
  }

  /** The thread has opened a file. What is beyond the most is not noted. */
  hold(descriptor: number): void {
    this.#exchange(0, descriptor + 1);
  }

  /** The thread is about to close a file, or the main thread has taken it over. */
  letGo(descriptor: number): void {
    this.#exchange(descriptor + 1, 0);
  }

  /** The files that the thread holds: by its end, they are the main thread's to close. */
  get files(): number[] {
    return [...this.#cells.subarray(FILES)].flatMap((cell) => (cell === 0 ? [] : [cell - 1]));
  }

  #exchange(before: number, after: number): void {
    for (let i = FILES; i < FILES + MOST_FILES; i++) {
      if (Atomics.compareExchange(this.#cells, i, before, after) === before) return;
    }
  }

  /** The handler has returned. */
  leave(): void {
    Atomics.add(this.#cells, LEFT, 1);
  }
}

/** No more wait in an inbox than it has cells: those of the ones that do differ. */
function cellOf(order: number): number {
  return CLAIMS + (order & (INBOX - 1));
}
