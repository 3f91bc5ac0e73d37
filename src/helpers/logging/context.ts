/**
 * What ties a line of a log to its request.
 *
 * @module
 */
import type { Request } from '../../http/request.ts';
import { idOf } from '../../process/requests/ids.ts';
import { type TraceIds, traceIdsOf } from '../../process/watching/trace-ids.ts';

/** The ids under which a request is known elsewhere. */
export interface LogContext {
  /** Of the trace, 32 hexadecimal digits. */
  readonly traceId?: string;
  /** Of the active span, 16 hexadecimal digits; without a tracer that of the caller. */
  readonly spanId?: string;
  /** As `requestId` gives it, once it has been asked for. */
  readonly requestId?: string;
}

/** A trace-context of version 00, or of a later one that begins like it (W3C Trace Context §3.2.2). */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:$|-)/;

/** What is known of a request. */
export function contextOf(request: Request): LogContext {
  const { original } = request;
  const requestId = idOf(original);
  const trace = traceIdsOf(original) ?? traceOfCaller(original.header('traceparent'));
  return { ...(trace && { traceId: trace.traceId, spanId: trace.spanId }), ...(requestId !== undefined && { requestId }) };
}

function traceOfCaller(field: string | undefined): TraceIds | undefined {
  const [, traceId, spanId] = TRACEPARENT.exec(field ?? '') ?? [];
  return traceId !== undefined && spanId !== undefined ? { traceId, spanId } : undefined;
}
