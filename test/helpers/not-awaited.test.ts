/** An answer that a handler asks for and does not wait for: its failure, after the request, must not cost the process. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { inspect } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { cgi } from '../../src/cgi.ts';
import { type Request, Response } from '../../src/index.ts';
import { answerWithNode } from '../../src/node.ts';
import { proxy } from '../../src/proxy.ts';
import { serve } from '../support/serve.ts';
import { watchUnhandled } from '../support/unhandled.ts';
import { until } from '../support/until.ts';

async function silentServer(): Promise<string> {
  const server = createServer(() => {}).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it.each<[string, (request: Request, upstream: string) => Promise<Response>]>([
  ['proxy', (request, upstream) => proxy(request, upstream)],
  ['cgi', (request) => cgi(request, '/bin/sleep', { args: ['10'] })],
  ['answerWithNode', (request) => answerWithNode(request, () => {})],
])('%s fails in silence when its request is over', async (_, ask) => {
  const unhandled = watchUnhandled();
  const upstream = await silentServer();
  const asked: Promise<Response>[] = [];
  const { port } = await serve((request) => {
    asked.push(ask(request, upstream));
    return Response.text('mine');
  });
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('mine');
  // Seen from outside: to ask the promise itself would handle its rejection.
  await until(
    () => inspect(asked[0]).includes('<rejected>') || undefined,
    () => 'the failure',
  );
  await turn();
  expect(unhandled).toEqual([]);
});
