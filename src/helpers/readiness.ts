/**
 * The readiness probe of load balancers.
 *
 * @module
 */
import { checkBoolean } from '../http/errors/bad-option.ts';
import type { Request } from '../http/request.ts';
import { Response } from '../http/response.ts';

const READY = Response.text('ready\n').withNoCache();
const NOT_READY = Response.text('not ready\n').withStatus(503).withNoCache();
const STOPPING = Response.text('stopping\n').withStatus(503).withNoCache();

/**
 * Answers a readiness probe: 200 when the server takes requests, 503 from the moment it begins to stop.
 *
 * With `shutdownDelay` the server goes on accepting connections for a while after SIGTERM, so that load balancers see the 503 and turn to
 * other servers.
 *
 * @param request The probe's request.
 * @param isReady Whether everything the application needs is available. Default true.
 * @throws TypeError (code `bad-option`) when `isReady` is not a boolean: await promises first.
 * @example
 * if (match(request, 'GET /ready')) return readiness(request, database.isOpen);
 */
export function readiness(request: Request, isReady: boolean = true): Response {
  checkBoolean('Cannot answer readiness', 'isReady', isReady); // a promise would always count as true
  if (request.peer.server?.isStopping) return STOPPING;
  return isReady ? READY : NOT_READY;
}
