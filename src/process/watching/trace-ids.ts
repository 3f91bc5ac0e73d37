/**
 * The trace to which a request belongs: asked of the tracer of this thread, if there is one, by whoever writes logs.
 *
 * @module
 */

/** A trace and the span that is active in it, in hexadecimal, as W3C Trace Context writes them. */
export interface TraceIds {
  readonly traceId: string;
  readonly spanId: string;
}

/** Knows the trace of a request, as it came; undefined when it has none. */
export type TraceLookup = (request: object) => TraceIds | undefined;

let lookup: TraceLookup | undefined;

/** Registered by a tracer. @returns Takes it back. */
export function tracesKnownBy(by: TraceLookup): () => void {
  lookup = by;
  return () => {
    if (lookup === by) lookup = undefined;
  };
}

/** The trace of a request, as its tracer knows it. @param request As it came, not a cut of it. */
export function traceIdsOf(request: object): TraceIds | undefined {
  return lookup?.(request);
}
