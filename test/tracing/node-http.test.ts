/**
 * Beside the instrumentation of node:http: no request has two server spans.
 */
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { trace } from '@opentelemetry/api';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import express from 'express';
import { describe, expect, it, onTestFinished } from 'vitest';
import { match, Response } from '../../src/index.ts';
import { answerWithNode, type NodeListener, toNodeListener } from '../../src/node.ts';
import { type Collector, KINDS } from '../support/collector.ts';
import { serve } from '../support/serve.ts';
import { traced } from '../support/telemetry.ts';

/** One for all tests: it sees the first `require` only. It leaves the collector alone. */
const instrumentation = new HttpInstrumentation({ ignoreIncomingRequestHook: ({ url = '' }) => url.startsWith('/v1/') });

async function tracedTwice(): Promise<Collector> {
  const collector = await traced({}, { instrumentations: [instrumentation] });
  createRequire(import.meta.url)('node:http');
  return collector;
}

/** A server of node:http. @returns Its origin. */
async function listen(listener: NodeListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('with the instrumentation of node:http', () => {
  it('a request to filrouge has the span of filrouge, and one to node:http that of the instrumentation', async () => {
    const collector = await tracedTwice();
    const { port } = await serve(() => Response.text('x'));
    const other = await listen((_, response) => void response.end('y'));
    await fetch(`http://127.0.0.1:${port}/ours`);
    await fetch(`${other}/theirs`);
    const spans = await collector.has(2);
    expect(spans.map(({ scope, kind, attributes }) => [scope, kind, attributes['url.path']])).toEqual([
      ['filrouge', KINDS.server, '/ours'],
      ['@opentelemetry/instrumentation-http', KINDS.server, '/theirs'],
    ]);
  });

  it('an application of Express inside has the one span of filrouge, which is active in it', async () => {
    const collector = await tracedTwice();
    const app = express();
    app.get('/people/:id', (_request, response) => {
      const inner = trace.getTracer('user').startSpan('inner');
      inner.end();
      response.send(inner.spanContext().traceId);
    });
    const { port } = await serve((request) => answerWithNode(request, app));
    const answer = await fetch(`http://127.0.0.1:${port}/people/7`);
    const [traceId, spans] = [await answer.text(), await collector.has(2)];
    const server = spans.find(({ name }) => name !== 'inner');
    expect(server).toMatchObject({ scope: 'filrouge', kind: KINDS.server, traceId });
    expect(spans.find(({ name }) => name === 'inner')?.parent).toBe(server?.spanId);
    await fetch(`http://127.0.0.1:${port}/people/8`);
    await collector.has(4);
    expect(collector.spans).toHaveLength(4);
  });

  it('filrouge inside a server of node:http has the span of the instrumentation, with the route that matched', async () => {
    const collector = await tracedTwice();
    const origin = await listen(toNodeListener((request) => Response.empty(match(request, 'GET /people/{id}') ? 204 : 404)));
    await fetch(`${origin}/people/7`);
    const span = await collector.one(() => true);
    expect(span).toMatchObject({ scope: '@opentelemetry/instrumentation-http', name: 'GET /people/{id}' });
    expect(span.attributes['http.route']).toBe('/people/{id}');
    await fetch(`${origin}/other`);
    await collector.has(2);
    expect(collector.spans).toHaveLength(2);
  });
});
