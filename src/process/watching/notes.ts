/**
 * What is kept of each request for those who watch it: in the request itself, as in a WeakMap, whose entries for so many short-lived objects keep the
 * garbage collector busy for a quarter of the time.
 *
 * @module
 */

/** What a request keeps. */
export class Notes {
  message: unknown = undefined;
  calls: unknown = undefined;
  known: unknown = undefined;

  /** What `console.log` of a request shows of them: nobody looks for them there. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return 'Notes';
  }
}

/** A request, as far as it matters here. */
interface Noted {
  notes?: Notes;
}

/** One of the notes of all requests. */
export class NoteOf<V> {
  readonly #name: keyof Notes;

  constructor(name: keyof Notes) {
    this.#name = name;
  }

  get(request: object): V | undefined {
    return (request as Noted).notes?.[this.#name] as V | undefined;
  }

  has(request: object): boolean {
    return this.get(request) !== undefined;
  }

  set(request: Noted, value: V): void {
    request.notes ??= new Notes();
    request.notes[this.#name] = value;
  }

  delete({ notes }: Noted): void {
    if (notes) notes[this.#name] = undefined;
  }
}
