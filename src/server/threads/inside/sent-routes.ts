/**
 * The routes that have matched, on their way out of a thread: as text the first time, then by a number.
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

  /** The number of a route, or the route itself when it is new, or has come behind the last that is known by a number. */
  toWire(route: string | undefined): WireRoute {
    if (route === undefined) return NONE;
    const number = this.#numbers.get(route);
    if (number !== undefined) return number;
    if (this.#numbers.size < MAX_ROUTES) this.#numbers.set(route, this.#numbers.size);
    return route;
  }
}
