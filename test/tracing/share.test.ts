/** Requests of which only a share is recorded. */
import { context, propagation, trace } from '@opentelemetry/api';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { logContext, match, Response } from '../../src/index.ts';
import { traceRequests } from '../../src/opentelemetry.ts';
import { serve } from '../support/serve.ts';
import { traced } from '../support/telemetry.ts';
import { until } from '../support/until.ts';

const SAMPLED = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** Answers with what a call would take along, and what a log would say. */
async function told(): Promise<number> {
  const { port } = await serve(async (request) => {
    match(request, 'GET /{any}');
    await Promise.resolve();
    trace.getTracer('test').startSpan('inside').end();
    const fields: Record<string, string> = {};
    propagation.inject(context.active(), fields);
    return Response.json({ fields, log: logContext(request), isRecording: trace.getActiveSpan()?.isRecording() });
  });
  return port;
}

interface Said {
  readonly fields: { readonly traceparent: string };
  readonly log: { readonly traceId?: string; readonly spanId?: string };
  readonly isRecording: boolean;
}

async function ask(port: number, headers: Record<string, string> = {}): Promise<Said> {
  return (await (await fetch(`http://127.0.0.1:${port}/a`, { headers })).json()) as Said;
}

describe('a request that is not of the share', () => {
  it('is not recorded, nor what is made within it; whoever it calls is told so, under the ids that logs have', async () => {
    const collector = await traced({ share: 0 });
    const port = await told();
    const first = await ask(port);
    const second = await ask(port);
    expect(first.isRecording).toBe(false);
    expect(first.fields.traceparent).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-00$/);
    expect(first.fields.traceparent).toContain(`-${first.log.traceId}-${first.log.spanId}-`);
    expect(second.log.traceId).not.toBe(first.log.traceId);
    await ask(port, { traceparent: SAMPLED }); // whoever brings a trace along has decided
    const { parent } = await collector.one(({ scope }) => scope === 'filrouge');
    expect(parent).toBe(SAMPLED.split('-')[2]);
    await until(
      () => collector.spans.length === 2 || undefined, // with the one inside
      () => 'the spans of the third',
    );
    expect(collector.spans.every(({ traceId }) => traceId === SAMPLED.split('-')[1])).toBe(true);
  });

  it('begins a trace of its own with incoming: "link", so that what the client brings decides nothing', async () => {
    await traced({ share: 0, incoming: 'link' });
    const { isRecording, fields } = await ask(await told(), { traceparent: SAMPLED });
    expect([isRecording, fields.traceparent.endsWith('-00')]).toEqual([false, true]);
  });

  it('is one that chance has not picked', async () => {
    await traced({ share: 0.25 });
    const port = await told();
    const random = vi.spyOn(Math, 'random');
    onTestFinished(() => random.mockRestore());
    random.mockReturnValue(0.24);
    expect((await ask(port)).isRecording).toBe(true);
    random.mockReturnValue(0.25);
    expect((await ask(port)).isRecording).toBe(false);
  });

  it('cannot be of a share that is none', () => {
    expect(() => traceRequests({ share: 1.5 })).toThrow('Cannot trace requests: share is 1.5, not a number from 0 to 1');
    expect(() => traceRequests({ share: '1' as never })).toThrow('Cannot trace requests: share is string, not a number from 0 to 1');
    expect(() => traceRequests({ share: Number.NaN })).toThrow('share is NaN');
  });
});
