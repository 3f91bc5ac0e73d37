/**
 * Ties the lines of any logger to the request they are about.
 *
 * @module
 */
import type { Request } from '../http/request.ts';
import { contextOf, type LogContext } from './logging/context.ts';

export type { LogContext } from './logging/context.ts';

/**
 * The ids of a request, for a line of a log: of its trace and of the span that is active, when a tracer runs or the client has sent `traceparent`
 * (W3C Trace Context); and the one `requestId` has given it. What there is not is left out.
 *
 * What a client has sent is anybody's claim: it finds lines, and proves nothing.
 *
 * @example
 * logger.info({ ...logContext(request), order: order.id }, 'order placed');
 */
export function logContext(request: Request): LogContext {
  return contextOf(request);
}
