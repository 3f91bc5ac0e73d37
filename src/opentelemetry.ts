/// <reference types="node" preserve="true" />
/**
 * The door `filrouge/opentelemetry`: traces and metrics of requests, for any SDK of OpenTelemetry.
 *
 * @module
 */
import { requestId } from './helpers/request-id.ts';
import { type TraceOptions, traceBy } from './tracing/trace-requests.ts';

export type { TraceOptions } from './tracing/trace-requests.ts';

/**
 * Gives each request a server span and measures it, by OpenTelemetry's semantic conventions for HTTP; once, before `startServer`, in every thread that calls
 * handlers. A later call replaces the one before.
 *
 * The span is active in the handler, after its awaits, in the generators of its streams and in the callbacks of its websockets. What the handler calls by
 * `proxy`, `cgi`, `createFetch` and `createBlocking` takes the trace along. Without an SDK nothing is recorded.
 *
 * @throws TypeError (code `bad-option`) for a wrong option.
 * @example
 * traceRequests({ ignore: (request) => request.path === '/health' });
 * startServer(answer);
 */
export function traceRequests(options: TraceOptions = {}): void {
  traceBy(requestId, options);
}
