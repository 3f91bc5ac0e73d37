/**
 * The slowest requests of the last minutes, few and bounded: what an operator looks at first.
 *
 * @module
 */
import type { SlowRequest } from '../../process/watching/server-activity.ts';

/** How many are kept. */
const MOST = 10;
/** For how long, ms. */
const SPAN = 5 * 60_000;
/** A request that took less is never noted, ms. */
const LEAST = 10;

/** What is found out of a request, before or after it has been answered. The request itself is not kept: it may hold a large body. */
interface Finding {
  place: string | undefined;
}

const findings: WeakMap<object, Finding> = new WeakMap();

function findingOf(request: object): Finding {
  let finding = findings.get(request);
  if (!finding) {
    finding = { place: undefined };
    findings.set(request, finding);
  }
  return finding;
}

/** Keeps the line at which a slow request was found to stand. */
export function placeFound(request: object, place: string | undefined): void {
  if (place !== undefined) findingOf(request).place = place;
}

/** The slowest requests of a process. */
export class Slowest {
  /** Slowest first. */
  #entries: (Omit<SlowRequest, 'place'> & { readonly finding: Finding })[] = [];
  /** A request that has taken no longer is not worth a note, ms: to be looked at before one calls `note`. */
  bar: number = LEAST;

  /** Notes a request whose answer is sent. */
  note(request: { readonly method: string; readonly path: string }, ms: number, status: number): void {
    const { method, path } = request;
    this.#forget();
    this.#entries.push({ method, path, ms: Math.round(ms), status, at: Date.now(), finding: findingOf(request) });
    this.#entries = this.#entries.toSorted((a, b) => b.ms - a.ms).slice(0, MOST);
    this.bar = this.#entries[MOST - 1]?.ms ?? LEAST;
  }

  /** Those of the last minutes, slowest first. */
  list(): SlowRequest[] {
    this.#forget();
    return this.#entries.map(({ finding: { place }, ...told }) => (place === undefined ? told : { ...told, place }));
  }

  #forget(): void {
    const oldest = Date.now() - SPAN;
    this.#entries = this.#entries.filter(({ at }) => at > oldest);
    if (this.#entries.length < MOST) this.bar = LEAST;
  }
}
