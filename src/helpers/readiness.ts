/**
 * Whether a balancer should send more.
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
 * With `shutdownDelay` the server goes on accepting for a while after SIGTERM, so that balancers can hear the 503 and look elsewhere.
 *
 * @param request The probe's request.
 * @param isReady Whether what the application needs is there. Default true.
 * @throws TypeError (code `bad-option`) when `isReady` is not a boolean: await what is a promise.
 * @example
 * if (match(request, 'GET /ready')) return readiness(request, database.isOpen);
 */
export function readiness(request: Request, isReady: boolean = true): Response {
  checkBoolean('Cannot answer readiness', 'isReady', isReady); // a promise would always say yes
  if (request.peer.server?.isStopping) return STOPPING;
  return isReady ? READY : NOT_READY;
}
