/**
 * What handlers call, as traces show it and as the other end sees it.
 */
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { expect, it, onTestFinished } from 'vitest';
import { createFetch } from '../../src/blocking.ts';
import { cgi } from '../../src/cgi.ts';
import { Response } from '../../src/index.ts';
import { proxy } from '../../src/proxy.ts';
import { type Collector, type Exported, KINDS } from '../support/collector.ts';
import { serve } from '../support/serve.ts';
import { traced } from '../support/telemetry.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const headers = { traceparent: `00-${TRACE}-b7ad6b7169203331-01`, tracestate: 'a=b', baggage: 'user=ada' };

/** A server in a thread that answers with the lines it was sent. @returns Its origin. */
async function echo(): Promise<string> {
  const code = `const { createServer } = require('node:http'); const { parentPort } = require('node:worker_threads');
    const server = createServer((request, response) => { response.statusCode = request.url.startsWith('/missing') ? 404 : 200; response.end(JSON.stringify(request.rawHeaders)); });
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;
  const worker = new Worker(code, { eval: true });
  onTestFinished(() => void worker.terminate());
  const [port] = (await once(worker, 'message')) as [number];
  return `http://127.0.0.1:${port}`;
}

/** All values of a field that has come. */
function valuesOf(rawHeaders: unknown, name: string): string[] {
  const raw = rawHeaders as string[];
  return raw.filter((_, i) => i % 2 === 1 && raw[i - 1]?.toLowerCase() === name);
}

async function serverAnd(collector: Collector, kind: number): Promise<[server: Exported, other: Exported]> {
  const [server, other] = [await collector.one((span) => span.kind === KINDS.server), await collector.one((span) => span.kind === kind)];
  expect(other.parent).toBe(server.spanId);
  return [server, other];
}

it('createFetch has a client span, and what it asks is told of it', async () => {
  const collector = await traced();
  const origin = await echo();
  const get = createFetch();
  const { port } = await serve(() => Response.json(get(`${origin}/missing?sig=secret`).json()));
  const sent: unknown = await (await fetch(`http://127.0.0.1:${port}/`, { headers })).json();
  const [, client] = await serverAnd(collector, KINDS.client);
  expect(client).toMatchObject({ name: 'GET', traceId: TRACE, status: 2 });
  expect(client.attributes).toEqual({
    'http.request.method': 'GET',
    'http.response.status_code': 404,
    'server.address': '127.0.0.1',
    'server.port': Number(new URL(origin).port),
    'url.full': `${origin}/missing?sig=REDACTED`,
    'error.type': '404',
  });
  expect(valuesOf(sent, 'traceparent')).toEqual([`00-${TRACE}-${client.spanId}-01`]);
  expect([valuesOf(sent, 'tracestate'), valuesOf(sent, 'baggage')]).toEqual([['a=b'], ['user=ada']]);
});

it('proxy has a client span, and the server behind is told of it instead of what the client has sent', async () => {
  const collector = await traced();
  const origin = await echo();
  const { port } = await serve((request) => proxy(request, origin));
  const sent: unknown = await (await fetch(`http://127.0.0.1:${port}/a?b=c`, { headers })).json();
  const [, client] = await serverAnd(collector, KINDS.client);
  expect(client.attributes).toMatchObject({ 'url.full': `${origin}/a?b=c`, 'http.response.status_code': 200 });
  expect(valuesOf(sent, 'traceparent')).toEqual([`00-${TRACE}-${client.spanId}-01`]);
});

it('proxy leaves its span to the instrumentation of undici where that runs, and no field is sent twice', async () => {
  const instrumentation = new UndiciInstrumentation();
  onTestFinished(() => instrumentation.disable());
  const collector = await traced({}, { instrumentations: [instrumentation] });
  const origin = await echo();
  const { port } = await serve((request) => proxy(request, origin));
  const asked = await new Promise<string>((resolve, reject) => {
    void import('node:http').then(({ get }) =>
      get({ port, host: '127.0.0.1', headers }, (response) => {
        let text = '';
        response.on('data', (piece: Buffer) => (text += piece.toString())).on('end', () => resolve(text));
      }).on('error', reject),
    );
  });
  const [, client] = await serverAnd(collector, KINDS.client);
  expect(client.scope).toBe('@opentelemetry/instrumentation-undici');
  const sent: unknown = JSON.parse(asked);
  expect(valuesOf(sent, 'traceparent')).toEqual([`00-${TRACE}-${client.spanId}-01`]);
  expect(valuesOf(sent, 'baggage')).toEqual(['user=ada']);
  expect(collector.spans).toHaveLength(2);
});

it('a proxy whose server is away has the error in its span', async () => {
  const collector = await traced();
  const { port } = await serve((request) => proxy(request, 'http://127.0.0.1:1'));
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(502);
  const [server, client] = await serverAnd(collector, KINDS.client);
  expect([client.status, client.attributes['error.type']]).toEqual([2, 'HttpError']);
  expect([server.status, server.attributes['error.type']]).toEqual([2, '502']);
});

it('a CGI program has a span, and finds it among its variables', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const script = join(folder, 'script');
  writeFileSync(script, '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\n$HTTP_TRACEPARENT $HTTP_BAGGAGE"\n');
  chmodSync(script, 0o755);
  const collector = await traced();
  const { port } = await serve((request) => cgi(request, script));
  const text = await (await fetch(`http://127.0.0.1:${port}/`, { headers })).text();
  const [, inner] = await serverAnd(collector, KINDS.internal);
  expect(inner.name).toBe(script);
  expect(text).toBe(`00-${TRACE}-${inner.spanId}-01 user=ada`);
});

it('a request that is not sampled makes no spans for its calls, and they are told so', async () => {
  const collector = await traced();
  const origin = await echo();
  const { port } = await serve((request) => proxy(request, origin));
  const unsampled = { ...headers, traceparent: headers.traceparent.replace(/01$/, '00') };
  const sent: unknown = await (await fetch(`http://127.0.0.1:${port}/`, { headers: unsampled })).json();
  expect(valuesOf(sent, 'traceparent')[0]).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`));
  await fetch(`http://127.0.0.1:${port}/`, { headers });
  await serverAnd(collector, KINDS.client);
  expect(collector.spans).toHaveLength(2);
});
