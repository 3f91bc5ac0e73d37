/** What is told of calls to the outside, and what goes with them. */

import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Worker } from 'node:worker_threads';
import { expect, it, onTestFinished } from 'vitest';
import { blocking, createBlocking, createFetch } from '../../src/blocking.ts';
import { cgi } from '../../src/cgi.ts';
import { Request } from '../../src/index.ts';
import type { CallMessage } from '../../src/process/watching/call-channel.ts';
import { proxy } from '../../src/proxy.ts';
import type * as Watched from '../blocking/fixtures/watched.mjs';
import { serve, talk } from '../support/serve.ts';

const FIELD: [string, string] = ['traceparent', '00-1-2-01'];
const EVENTS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;
const watched = createBlocking<typeof Watched>(new URL('../blocking/fixtures/watched.mjs', import.meta.url));

/** Watches calls until the test ends, and has each take a field along. */
function watchCalls(): { readonly events: string[]; readonly messages: CallMessage[] } {
  const events: string[] = [];
  const messages: CallMessage[] = [];
  const channel = tracingChannel<unknown, CallMessage>('filrouge.call');
  const handlers = Object.fromEntries(
    EVENTS.map((event) => [
      event,
      (message: CallMessage): void => {
        events.push(`${event} ${message.name}`);
        if (event !== 'start') return;
        messages.push(message);
        message.fields.push(FIELD);
      },
    ]),
  ) as unknown as Parameters<typeof channel.subscribe>[0];
  channel.subscribe(handlers);
  onTestFinished(() => {
    channel.unsubscribe(handlers);
  });
  return { events, messages };
}

/** Hears of the beginning of calls until the test ends. */
function onStart(listener: (message: CallMessage) => unknown): void {
  const heard = (message: unknown): void => void listener(message as CallMessage);
  subscribe('tracing:filrouge.call:start', heard);
  onTestFinished(() => void unsubscribe('tracing:filrouge.call:start', heard));
}

it('a call into an I/O thread is told of, and the call is told of there with what goes along', () => {
  const { events, messages } = watchCalls();
  expect(watched.parent()).toBe(`called parent ${FIELD.join(',')}`);
  expect(events).toEqual(['start watched.parent', 'end watched.parent']);
  expect(messages).toMatchObject([{ kind: 'blocking', name: 'watched.parent', result: `called parent ${FIELD.join(',')}` }]);
});

it('a method of a handle is told of as a call of its own', () => {
  const { events } = watchCalls();
  using handle = watched.held();
  expect(handle.parent()).toBe(`called parent ${FIELD.join(',')}`);
  expect(events.slice(2)).toEqual(['start watched.held.parent', 'end watched.held.parent']);
});

it('the items of a stream belong to the call that has given it', () => {
  const { events } = watchCalls();
  const called = `called parentsOfItems ${FIELD.join(',')}`;
  expect([...watched.parentsOfItems()]).toEqual([called, called]);
  expect(events).toEqual(['start watched.parentsOfItems', 'end watched.parentsOfItems']);
});

it('whoever is told may make the call, in a context of its own', () => {
  const places: string[] = [];
  const surround = (message: CallMessage): void => {
    message.around = (call) => {
      places.push('before');
      const result = call();
      places.push('after');
      return result;
    };
  };
  onStart(surround);
  expect(watched.parent()).toBe('called parent ');
  expect(places).toEqual(['before', 'after']);
});

it('a proxied request is sent without a field that was left out', async () => {
  const leaveOut = (message: CallMessage): number => message.fields.push(['traceparent', undefined]);
  onStart(leaveOut);
  const target = await echoOf('traceparent');
  const { port } = await serve((request) => proxy(request, target));
  const client = await talk(port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\nTraceparent: of the client\r\n\r\n');
  expect((await client.answers(1))[0]?.body).toBe('undefined');
});

it('a call that nobody watches takes nothing along', () => {
  expect(watched.parent()).toBe('called parent ');
});

it('a call that fails is told of with its error', () => {
  const { events, messages } = watchCalls();
  expect(() => watched.parent('too far')).toThrow('too far');
  expect(events).toEqual(['start watched.parent', 'error watched.parent', 'end watched.parent']);
  expect(messages[0]?.error).toMatchObject({ message: 'too far' });
});

it('calls that are made together each end when they are waited for', () => {
  const { events, messages } = watchCalls();
  const called = `called parent ${FIELD.join(',')}`;
  expect(blocking.all([() => watched.parent(), () => watched.parent()])).toEqual([called, called]);
  const [one, other] = blocking.allSettled([() => watched.parent('no'), () => watched.parent()]);
  expect([one.status, other.status]).toEqual(['rejected', 'fulfilled']);
  expect(messages.map(({ result, error }) => [result, (error as Error | undefined)?.message])).toEqual([
    [called, undefined],
    [called, undefined],
    [undefined, 'no'],
    [called, undefined],
  ]);
  expect(events.slice(0, 8)).toEqual(
    ['start', 'end', 'start', 'end', 'asyncStart', 'asyncEnd', 'asyncStart', 'asyncEnd'].map((event) => `${event} watched.parent`),
  );
});

it('of calls that are made together and given up, each has an end', () => {
  const { events } = watchCalls();
  expect(() => blocking.all([() => watched.parent('no'), () => watched.parent()])).toThrow('no');
  const count = (event: string): number => events.filter((told) => told.startsWith(`${event} `)).length;
  expect([count('start'), count('asyncEnd'), count('error')]).toEqual([2, 2, 2]);
});

/** A server in a thread of its own, since this one waits while it asks: it answers with a field of the request. */
async function echoOf(name: string): Promise<string> {
  const worker = new Worker(
    `const { createServer } = require('node:http');
     const { parentPort, workerData } = require('node:worker_threads');
     const server = createServer((request, response) => response.end(String(request.headers[workerData])));
     server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`,
    { eval: true, workerData: name },
  );
  onTestFinished(() => void worker.terminate());
  const [port] = (await once(worker, 'message')) as [number];
  return `http://127.0.0.1:${port}`;
}

it('a fetch takes fields along, in place of its own of the same name', async () => {
  const origin = await echoOf('traceparent');
  const { messages } = watchCalls();
  const fetch = createFetch();
  expect(fetch(`${origin}/path?x=1`, { headers: { TraceParent: 'mine' } }).text()).toBe(FIELD[1]);
  expect(messages).toMatchObject([{ kind: 'fetch', method: 'GET', url: `${origin}/path?x=1`, name: `fetch ${origin.slice(7)}` }]);
  expect(messages[0]?.result).toMatchObject({ status: 200 });
});

it('a proxied request takes fields along, in place of those of its client', async () => {
  const { events, messages } = watchCalls();
  const server = createServer((request, response) => void response.end(`${request.headersDistinct['traceparent']?.join()}`));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { port } = await serve((request) => proxy(request.withoutPrefix('/api') ?? request, target));
  const client = await talk(port);
  client.send('GET /api/x HTTP/1.1\r\nHost: a\r\nTraceparent: of the client\r\n\r\n');
  const [answer] = await client.answers(1);
  expect(answer?.body).toBe(FIELD[1]);
  expect(events).toEqual(['start', 'end', 'asyncStart', 'asyncEnd'].map((event) => `${event} ${target}`));
  expect(messages[0]?.request).toMatchObject({ path: '/api/x' });
  expect(messages[0]?.result).toMatchObject({ status: 200 });
});

it('a proxied request that fails is told of with its error', async () => {
  const { messages } = watchCalls();
  await expect(proxy(new Request(), 'http://127.0.0.1:1')).rejects.toMatchObject({ status: 502 });
  expect(messages).toMatchObject([{ kind: 'proxy', error: { status: 502 } }]);
});

it('a script finds them among its variables', async () => {
  const { messages } = watchCalls();
  const request = new Request({ headers: { Traceparent: 'of the client' } });
  const answer = await cgi(request, 'sh', { args: ['-c', 'printf "Content-Type: text/plain\\n\\n$HTTP_TRACEPARENT"'] });
  expect((await answer.collect()).toString()).toBe(FIELD[1]);
  expect(messages).toMatchObject([{ kind: 'cgi', name: 'sh' }]);
});

it('a field that cannot be sent fails the call', async () => {
  const push = (message: CallMessage): number => message.fields.push(['Bad name', 'x']);
  onStart(push);
  await expect((async () => proxy(new Request(), 'http://127.0.0.1:1'))()).rejects.toMatchObject({ code: 'bad-header' });
});
