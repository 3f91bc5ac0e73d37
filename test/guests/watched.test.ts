/** What tracers see of guests: ours on servers of others, and theirs on ours. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer, get, type Server } from 'node:http';
import nodeModule from 'node:module';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import type { RequestMessage } from '../../src/exchange/channels.ts';
import { toFetch } from '../../src/fetch.ts';
import { type Request, Response } from '../../src/index.ts';
import { answerWithNode, toNodeListener, upgradeWithNode } from '../../src/node.ts';
import { serve, talk } from '../support/serve.ts';
import { until } from '../support/until.ts';

function watchSent(): RequestMessage[] {
  const all: RequestMessage[] = [];
  const note = (message: unknown): void => void all.push(message as RequestMessage);
  subscribe('filrouge.request:sent', note);
  onTestFinished(() => void unsubscribe('filrouge.request:sent', note));
  return all;
}

async function* broken(): AsyncGenerator<string> {
  yield 'some';
  await pause(1);
  throw new Error('no more');
}

async function* endless(): AsyncGenerator<string> {
  for (;;) {
    yield 'x';
    await pause(1);
  }
}

function answer({ path }: Request): Response {
  if (path === '/stream') return Response.stream('text/plain', ['one', 'two']);
  if (path === '/broken') return Response.stream('text/plain', broken());
  if (path === '/endless') return Response.stream('text/plain', endless());
  return Response.text('hello');
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

describe('a request to a guest', () => {
  it('of node:http is told of, and says that it is a guest’s', async () => {
    const sent = watchSent();
    const server = createServer(toNodeListener(answer, { onError: () => {} })).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const client = await talk(portOf(server));
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /stream HTTP/1.1\r\nHost: a\r\n\r\nGET /broken HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.closed();
    const other = await talk(portOf(server));
    other.send('GET /endless HTTP/1.1\r\nHost: a\r\n\r\n');
    await other.until(/x/);
    other.socket.destroy();
    await until(
      () => sent.length === 4 || undefined,
      () => `four, not ${sent.length}`,
    );
    expect(sent.map(({ isGuest, request, sent: how }) => [isGuest, request.path, how?.status, how?.outcome])).toEqual([
      [true, '/', 200, 'sent'],
      [true, '/stream', 200, 'sent'],
      [true, '/broken', 200, 'failed'],
      [true, '/endless', 200, 'aborted'],
    ]);
    expect(sent.slice(0, 3).map(({ sent: how }) => how?.bytes)).toEqual([5, 6, 4]);
  });

  it('of a web-standard server is told of, once its body has been read', async () => {
    const sent = watchSent();
    const fetch = toFetch(answer, { onError: () => {} });
    await (await fetch(new globalThis.Request('http://a/'))).text();
    await (await fetch(new globalThis.Request('http://a/stream'))).text();
    await expect((await fetch(new globalThis.Request('http://a/broken'))).text()).rejects.toThrow('no more');
    await (await fetch(new globalThis.Request('http://a/endless'))).body?.cancel();
    expect(sent.map(({ isGuest, sent: how }) => [isGuest, how?.status, how?.outcome])).toEqual([
      [true, 200, 'sent'],
      [true, 200, 'sent'],
      [true, 200, 'failed'],
      [true, 200, 'aborted'],
    ]);
    expect(sent.slice(0, 3).map(({ sent: how }) => how?.bytes)).toEqual([5, 6, 4]);
  });

  it('that is refused before it is handled is told of', async () => {
    const sent = watchSent();
    const fetch = toFetch(answer, { maxBodySize: 1 });
    await fetch(new globalThis.Request('http://a/', { method: 'POST', body: 'too much' }));
    expect(sent).toMatchObject([{ isGuest: true, sent: { status: 413, outcome: 'sent' } }]);
  });
});

describe('the instrumentation of node:http', () => {
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const instrumentation = new HttpInstrumentation();

  beforeAll(() => {
    instrumentation.setTracerProvider(provider);
    instrumentation.enable();
    nodeModule.createRequire(import.meta.url)('node:http'); // it changes the module when somebody requires it
    nodeModule.syncBuiltinESMExports();
  });
  afterAll(() => {
    instrumentation.disable();
    nodeModule.syncBuiltinESMExports();
  });

  it('sees no request of ours that a listener or a handler of upgrades answers', async () => {
    const wss = new WebSocketServer({ noServer: true });
    onTestFinished(() => wss.close());
    const { port } = await serve((request) => {
      if (request.path === '/ws') {
        return upgradeWithNode(request, (req, socket, head) => wss.handleUpgrade(req, socket, head, (ws) => ws.close()));
      }
      return answerWithNode(request, (_req, res) => res.end('listened'));
    });
    const client = await talk(port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.answers(1))[0]?.body).toBe('listened');
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';
    client.send(`GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n`);
    await client.until(/101 Switching/);
    expect(exporter.getFinishedSpans()).toEqual([]);
  });

  it('sees other requests', async () => {
    const server = createServer((_req, res) => res.end()).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    get({ port: portOf(server), host: '127.0.0.1', agent: false }, (response) => void response.resume());
    await until(
      () => exporter.getFinishedSpans().length === 2 || undefined,
      () => 'two spans',
    );
  });
});
