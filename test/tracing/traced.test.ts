/** The context of a request that is traced: it must do what a context of the API does. */
import { type Context, createContextKey, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api';
import { expect, it } from 'vitest';
import { RPC_METADATA, type RpcMetadata } from '../../src/tracing/conventions.ts';
import { Traced } from '../../src/tracing/traced.ts';

const KEY = createContextKey('test');
const span = trace.wrapSpanContext({ traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 });
const parent: Context = ROOT_CONTEXT.setValue(KEY, 'of the parent');

function tracedWith(own: Span | undefined, takesRoute = true): Traced {
  return new Traced('GET', parent, own, takesRoute);
}

it('has its span, what an instrumentation may write to, and all that its parent has', () => {
  const traced = tracedWith(span);
  expect(trace.getSpan(traced)).toBe(span);
  expect(trace.getSpanContext(traced)?.spanId).toBe('2'.repeat(16));
  expect(traced.getValue(KEY)).toBe('of the parent');
  expect(traced.metadata).toBeUndefined();
  (traced.getValue(RPC_METADATA) as RpcMetadata).route = '/a';
  expect(traced.metadata?.route).toBe('/a');
});

it('can be built upon, and stays as it is', () => {
  const traced = tracedWith(span);
  const within = traced.setValue(KEY, 'within');
  expect([within.getValue(KEY), traced.getValue(KEY)]).toEqual(['within', 'of the parent']);
  expect(trace.getSpan(within)).toBe(span);
  expect(within.getValue(RPC_METADATA)).toBe(traced.getValue(RPC_METADATA));
  expect(traced.deleteValue(KEY).getValue(KEY)).toBeUndefined();
  expect(trace.getSpan(trace.deleteSpan(traced))).toBeUndefined();
  expect(trace.getSpan(trace.setSpan(traced, trace.wrapSpanContext({ traceId: '3', spanId: '4', traceFlags: 0 })))).not.toBe(span);
});

it('has nothing for a route where nobody reads it, and nothing of its own without a span', () => {
  expect(tracedWith(span, false).getValue(RPC_METADATA)).toBeUndefined();
  const ignored = tracedWith(undefined, false);
  expect([ignored.isGuest, trace.getSpan(ignored), ignored.metadata]).toEqual([false, undefined, undefined]);
  expect(ignored.setValue(RPC_METADATA, 1).getValue(KEY)).toBe('of the parent');
});

it('has the span and the route of the server in which it is a guest', () => {
  const metadata: RpcMetadata = { type: 'http', span };
  const guest = new Traced('GET', trace.setSpan(parent, span).setValue(RPC_METADATA, metadata), undefined, true);
  expect([guest.isGuest, guest.metadata, trace.getSpan(guest)]).toEqual([true, metadata, span]);
});
