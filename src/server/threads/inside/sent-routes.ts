/**
 * The routes that have matched, on their way out of a thread: each is told as text when it matches for the first time, and goes by its number from then on.
 *
 * @module
 */
import { MAX_ROUTES } from '../../../process/server-status.ts';
import type { WireRoute } from '../wire.ts';

/** No route has matched. */
const NONE = -1;

/** Knows what the main thread has been sent. */
export class SentRoutes {
  readonly #numbers: Map<string, number> = new Map();

  /** The number of a route; the route itself when it has come behind the last that is known by a number. */
  toWire(route: string | undefined): WireRoute {
    return route === undefined ? NONE : (this.#numbers.get(route) ?? route);
  }

  /** A route has matched. @param tell Tells it for the first time. @returns Its number; undefined when it has none. */
  numberOf(route: string, tell: (route: string) => void): number | undefined {
    const known = this.#numbers.get(route);
    if (known !== undefined || this.#numbers.size >= MAX_ROUTES) return known;
    const number = this.#numbers.size;
    this.#numbers.set(route, number);
    tell(route);
    return number;
  }
}
