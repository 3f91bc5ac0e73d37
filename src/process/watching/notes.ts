/**
 * What is kept of each request for those who watch it: in the request itself. It would be a WeakMap, but entries for so many objects that live so shortly
 * keep the garbage collector busy for a quarter of the time.
 *
 * @module
 */

/** What a request keeps. Private, so that `console.log` of a request does not show what nobody looks for there. */
export class Notes {
  #message: unknown;
  #calls: unknown;
  #known: unknown;

  get(name: Name): unknown {
    return name === 'message' ? this.#message : name === 'calls' ? this.#calls : this.#known;
  }

  set(name: Name, value: unknown): void {
    if (name === 'message') this.#message = value;
    else if (name === 'calls') this.#calls = value;
    else this.#known = value;
  }
}

type Name = 'message' | 'calls' | 'known';

/** A request, as far as it matters here. */
interface Noted {
  notes?: Notes;
}

/** One of the notes of all requests. */
export class NoteOf<V> {
  readonly #name: Name;

  constructor(name: Name) {
    this.#name = name;
  }

  get(request: object): V | undefined {
    return (request as Noted).notes?.get(this.#name) as V | undefined;
  }

  has(request: object): boolean {
    return this.get(request) !== undefined;
  }

  set(request: Noted, value: V): void {
    request.notes ??= new Notes();
    request.notes.set(this.#name, value);
  }

  delete({ notes }: Noted): void {
    notes?.set(this.#name, undefined);
  }
}
