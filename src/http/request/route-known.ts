/**
 * Who has to know that a pattern has matched.
 *
 * @module
 */
import { areRequestsWatched, tellRoute } from '../../process/watching/request-channels.ts';
import type { Peer } from './peer.ts';

/** Says that a pattern has matched: to those who watch, and to the thread that has the client. @param request As it came, not a cut of it. */
export function routeKnown<R extends { readonly peer: Peer<R> }>(request: R, route: string): void {
  if (areRequestsWatched()) tellRoute(request);
  request.peer.carrier?.matched?.(request, route);
}
