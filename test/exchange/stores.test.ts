/** What `AsyncLocalStorage` holds wherever code of a handler runs, when the handler itself has returned long ago. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { compress, type Request, Response } from '../../src/index.ts';
import type { ServerOptions } from '../../src/server/options.ts';
import { websocket } from '../../src/websocket.ts';
import { ask, serveHttp2 } from '../support/http2.ts';
import { serve, talk } from '../support/serve.ts';
import { until } from '../support/until.ts';

vi.stubEnv('FILROUGE_PLAYED_THREADS', '1'); // read when the first thread starts

const store = new AsyncLocalStorage<string>();
const said = (): string => `${store.getStore()};`;
const request = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;

async function* broken(): AsyncGenerator<string> {
  yield 'some';
  await pause(1);
  throw new Error('no more');
}

const PLACES: readonly [string, ServerOptions][] = [
  ['in the server', { threads: 0 }],
  ['in a handler thread', { threads: 1 }],
];

describe.each(PLACES)('the store of a handler %s', (_where, options) => {
  it.each([
    ['as it is', (made: Response) => made],
    ['compressed', (made: Response, given: Request) => compress(given, made)],
  ])('is there in onError when its stream breaks off, %s', async (_how, finish) => {
    const seen: string[] = [];
    const { port } = await serve(
      (given) =>
        finish(
          store.run('mine', () => Response.stream('text/plain', broken())),
          given,
        ),
      { ...options, onError: () => void seen.push(said()) },
    );
    const client = await talk(port);
    client.send(request('/', 'Accept-Encoding: gzip\r\n'));
    await client.closed();
    expect(seen).toEqual(['mine;']);
  });

  it('is there in onError when its stream has been sent before', async () => {
    const seen: string[] = [];
    const once = store.run('mine', () => Response.stream('text/plain', broken()));
    once.collect().catch(() => {});
    const { port } = await serve(() => once, { ...options, onError: () => void seen.push(said()) });
    const client = await talk(port);
    client.send(request('/'));
    expect((await client.answers(1))[0]?.status).toBe(500);
    expect(seen).toEqual(['mine;']);
  });

  it('is there in what a websocket calls', async () => {
    const seen: string[] = [];
    const { port } = await serve(
      (given) =>
        store.run('mine', () =>
          websocket(given, async (socket) => {
            seen.push(`open ${said()}`);
            store.run('inner', () => {
              socket.onMessage((data) => {
                seen.push(`message ${said()}`);
                if (data === 'fail') throw new Error('wrong');
              });
            });
            await socket.closed;
            seen.push(`closed ${said()}`);
          }),
        ),
      { ...options, onError: () => void seen.push(`onError ${said()}`) },
    );
    const client = new WebSocket(`ws://127.0.0.1:${port}/`);
    await once(client, 'open');
    client.send('one');
    client.send('fail');
    await once(client, 'close');
    await until(
      () => seen.length === 5 || undefined,
      () => `five, not ${seen.join(' ')}`,
    );
    expect(seen).toEqual(['open mine;', 'message inner;', 'message inner;', 'onError mine;', 'closed mine;']);
  });

  it('is there where a connection is taken over', async () => {
    const seen: string[] = [];
    const { port } = await serve(
      () =>
        store.run('mine', () =>
          Response.upgrade('echo', (socket, _head, takeover) => {
            seen.push(`taken ${said()}`);
            socket.on('error', () => {});
            socket.end();
            takeover.report(new Error('wrong'));
          }),
        ),
      { ...options, onError: () => void seen.push(`onError ${said()}`) },
    );
    const client = await talk(port);
    client.send(request('/', 'Connection: Upgrade\r\nUpgrade: echo\r\n'));
    await client.closed();
    expect(seen).toEqual(['taken mine;', 'onError mine;']);
  });

  it('is there in a stream and in server-sent events over HTTP/2', async () => {
    async function* twice(): AsyncGenerator<string> {
      yield said();
      await pause(1);
      yield said();
    }
    const { client } = await serveHttp2(
      ({ path }) => store.run(path, () => (path === '/events' ? Response.events(twice()) : Response.stream('text/plain', twice()))),
      options,
    );
    expect((await ask(client, '/stream')).body).toBe('/stream;/stream;');
    expect((await ask(client, '/events')).body.match(/\S+;/g)).toEqual(['/events;', '/events;']);
  });

  it('is never that of another, however many are under way', { timeout: 60_000 }, async () => {
    /** What a request does, step by step: waits in one way or another, and says what its store holds. */
    type Step = 'tick' | 'timer' | 'piece';
    async function* pieces(steps: readonly Step[]): AsyncGenerator<string> {
      for (const step of steps) {
        if (step === 'tick') await Promise.resolve();
        else if (step === 'timer') await pause(1);
        yield said();
      }
    }
    const plans = new Map<string, { readonly isAsync: boolean; readonly isStream: boolean; readonly steps: readonly Step[] }>();
    const handler = (given: Request): Response | Promise<Response> => {
      const plan = plans.get(given.path);
      if (!plan) throw new Error('There is no such plan');
      const answer = (): Response => (plan.isStream ? Response.stream('text/plain', pieces(plan.steps)) : Response.text(said()));
      if (!plan.isAsync) return store.run(given.path, answer);
      return store.run(given.path, async () => {
        for (const step of plan.steps) await (step === 'timer' ? pause(1) : Promise.resolve());
        return answer();
      });
    };
    const { port } = await serve(handler, options);
    const { client: http2 } = await serveHttp2(handler, options);
    const step = fc.constantFrom<Step>('tick', 'timer', 'piece');
    const plan = fc.record({ isAsync: fc.boolean(), isStream: fc.boolean(), steps: fc.array(step, { minLength: 1, maxLength: 4 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(plan, { minLength: 1, maxLength: 60 }), async (chosen) => {
        plans.clear();
        const paths = chosen.map((one, index) => {
          plans.set(`/${index}`, one);
          return `/${index}`;
        });
        const half = paths.length >> 1;
        const client = await talk(port);
        client.send(
          paths
            .slice(0, half)
            .map((path) => request(path))
            .join(''),
        ); // pipelined
        const [pipelined, multiplexed] = await Promise.all([
          client.answers(half),
          Promise.all(paths.slice(half).map((path) => ask(http2, path))),
        ]);
        client.socket.destroy();
        const bodies = [...pipelined, ...multiplexed].map(({ body }) => body.split(';').filter((part) => part !== ''));
        expect(bodies.map((stores, index) => stores.find((found) => found !== paths[index]))).toEqual(paths.map(() => undefined));
        expect(bodies.filter((stores) => stores.length === 0)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});
