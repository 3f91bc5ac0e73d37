/**
 * Where the span of a request is active: wherever its handler's code runs, and in no other.
 */
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { context, trace } from '@opentelemetry/api';
import fc from 'fast-check';
import { Agent } from 'undici';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { logContext, match, onSent, type Request, Response, requestId } from '../../src/index.ts';
import { websocket } from '../../src/websocket.ts';
import { serve } from '../support/serve.ts';
import { traced } from '../support/telemetry.ts';

/** The ids that a logger would write. */
function ids(): string {
  const { traceId, spanId } = trace.getActiveSpan()?.spanContext() ?? {};
  return `${traceId}/${spanId}`;
}

/** Asks with a trace of its own. */
async function ask(port: number, path: string, traceId: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` } });
  return answer.text();
}

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

describe('the span of a request is active', () => {
  it('in its handler, after an await and after its body was read, in onError and in onSent', async () => {
    const collector = await traced();
    const logged: string[] = [];
    const { port } = await serve(
      async (request) => {
        logged.push(`before ${ids()}`);
        await turn();
        logged.push(`after ${ids()}`);
        request.body.text();
        logged.push(`read ${ids()}`);
        onSent(request, () => void logged.push(`sent ${ids()}`));
        throw new Error('for onError');
      },
      { onError: () => void logged.push(`error ${ids()}`) },
    );
    await ask(port, '/', TRACE);
    const { spanId } = await collector.one(() => true);
    expect(logged).toEqual(['before', 'after', 'read', 'error', 'sent'].map((place) => `${place} ${TRACE}/${spanId}`));
  });

  it('in the generators of its stream and of its events, to their end', async () => {
    const collector = await traced();
    async function* lines(): AsyncGenerator<string> {
      for (let i = 0; i < 3; i++) {
        await turn();
        yield `${ids()}\n`;
      }
      trace.getTracer('user').startSpan('last').end();
    }
    const { port } = await serve((request) =>
      match(request, 'GET /stream') ? Response.stream('text/plain', lines()) : Response.events(lines()),
    );
    const streamed = await ask(port, '/stream', TRACE);
    const events = await ask(port, '/events', TRACE);
    const spans = await collector.has(4);
    const [stream, event] = ['/stream', '/events'].map((path) => spans.find(({ attributes }) => attributes['url.path'] === path));
    expect(streamed).toBe(`${TRACE}/${stream?.spanId}\n`.repeat(3));
    expect(events.match(new RegExp(`${TRACE}/${event?.spanId}`, 'g'))).toHaveLength(3);
    const last = spans.filter(({ name }) => name === 'last').map(({ parent }) => parent);
    expect(last.toSorted()).toEqual([stream?.spanId, event?.spanId].toSorted());
  });

  it('in the callbacks of its websocket', async () => {
    const collector = await traced();
    const { port } = await serve((request) =>
      websocket(request, (socket) => {
        socket.send(ids());
        socket.onMessage(() => socket.send(ids()));
      }),
    );
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` } });
    const heard: string[] = [];
    socket.on('message', (data: Buffer) => {
      heard.push(data.toString());
      if (heard.length === 1) socket.send('again');
      else socket.close();
    });
    await once(socket, 'close');
    const { spanId, attributes } = await collector.one(() => true);
    expect(heard).toEqual([`${TRACE}/${spanId}`, `${TRACE}/${spanId}`]);
    expect(attributes['http.response.status_code']).toBe(101);
  });

  it('in what logContext says, which has the id of the request as well', async () => {
    const collector = await traced();
    let seen: unknown;
    const { port } = await serve(async (request) => {
      requestId(request);
      await turn();
      seen = logContext(request);
      return Response.text('x');
    });
    await ask(port, '/', TRACE);
    const { spanId, attributes } = await collector.one(() => true);
    expect(seen).toEqual({ traceId: TRACE, spanId, requestId: attributes['filrouge.request.id'] });
  });

  it('with the baggage of whoever asks', async () => {
    await traced();
    const { propagation } = await import('@opentelemetry/api');
    const { port } = await serve(() => Response.text(propagation.getBaggage(context.active())?.getEntry('user')?.value ?? ''));
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { baggage: 'user=ada' } });
    expect(await answer.text()).toBe('ada');
  });

  it('in no other: 10,000 requests at the same time, in any order of their steps, never see the ids of another', {
    timeout: 60_000,
  }, async () => {
    await traced({}, { spanProcessors: [] }); // they are recorded, and go nowhere
    const agent = new Agent({ connections: 500 });
    const answer = async (request: Request): Promise<Response> => {
      const wanted = request.path.slice(1);
      const steps = Number(request.rawQuery);
      for (let i = 0; i < steps; i++) {
        if (trace.getActiveSpan()?.spanContext().traceId !== wanted) return Response.text(`mixed in step ${i}`);
        await (i % 2 === 0 ? turn() : Promise.resolve());
      }
      return Response.stream(
        'text/plain',
        (async function* () {
          await turn();
          yield trace.getActiveSpan()?.spanContext().traceId ?? 'none';
        })(),
      );
    };
    const { port } = await serve(answer);
    const steps = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 2500, maxLength: 2500 });
    let asked = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (counts) => {
        const answers = await Promise.all(
          counts.map(async (count) => {
            const traceId = (++asked).toString(16).padStart(32, '0');
            const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
            const { body } = await agent.request({
              origin: `http://127.0.0.1:${port}`,
              path: `/${traceId}?${count}`,
              method: 'GET',
              headers,
            });
            return (await body.text()) === traceId;
          }),
        );
        expect(answers.filter((isOwn) => !isOwn)).toEqual([]);
      }),
      { numRuns: 4, endOnFailure: true },
    );
    expect(asked).toBe(10_000);
    await agent.close();
  });
});
