/** What is told of requests on the channels of node:diagnostics_channel, wherever their handler runs and whatever brought them. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type Channel, channel, subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { RequestMessage } from '../../src/exchange/channels.ts';
import { HttpError, match, Response } from '../../src/index.ts';
import { areRequestsWatched } from '../../src/process/watching/request-channels.ts';
import type { ServerOptions } from '../../src/server/options.ts';
import { ask, serveHttp2 } from '../support/http2.ts';
import { serve, talk } from '../support/serve.ts';
import { until } from '../support/until.ts';

vi.stubEnv('FILROUGE_PLAYED_THREADS', '1'); // read when the first thread starts

const NAMES = [
  'tracing:filrouge.request:start',
  'filrouge.request:route',
  'filrouge.request:response',
  'tracing:filrouge.request:end',
  'tracing:filrouge.request:asyncStart',
  'tracing:filrouge.request:asyncEnd',
  'tracing:filrouge.request:error',
  'filrouge.request:sent',
];

interface Told {
  readonly event: string;
  readonly message: RequestMessage;
}

/** What is told from now on, until the test ends. */
function watch(names: readonly string[] = NAMES): {
  readonly all: Told[];
  of(path: string): string[];
  sent(path: string): Promise<RequestMessage>;
} {
  const all: Told[] = [];
  for (const name of names) {
    const onMessage = (message: unknown): void => {
      all.push({ event: name.slice(name.lastIndexOf(':') + 1), message: message as RequestMessage });
    };
    subscribe(name, onMessage);
    onTestFinished(() => void unsubscribe(name, onMessage));
  }
  return {
    all,
    of: (path) => all.filter(({ message }) => message.request.path === path).map(({ event }) => event),
    sent: (path) =>
      until(
        () => all.find(({ event, message }) => event === 'sent' && message.request.path === path)?.message,
        () => `${path} to be sent`,
      ),
  };
}

const request = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;

const PLACES: readonly [string, ServerOptions][] = [
  ['in the server', {}],
  ['in a handler thread', { threads: 1 }],
];

describe.each(PLACES)('a request that is handled %s', (_where, options) => {
  it('is told of from the call of its handler until its response has gone out', async () => {
    const told = watch();
    const { port } = await serve(() => Response.text('hello'), options);
    const client = await talk(port);
    client.send(request('/plain'));
    await client.answers(1);
    const message = await told.sent('/plain');
    expect(told.of('/plain')).toEqual(['start', 'response', 'end', 'sent']);
    expect(new Set(told.all.map((one) => one.message))).toEqual(new Set([message]));
    expect(message.response?.status).toBe(200);
    expect(message.sent).toMatchObject({ status: 200, bytes: 5, outcome: 'sent' });
    const { startedAt, firstByteAt, endedAt } = message.sent ?? { startedAt: 0, firstByteAt: 0, endedAt: 0 };
    expect([startedAt, firstByteAt, endedAt]).toEqual(
      [startedAt, firstByteAt, endedAt].toSorted((one, other) => Number(one) - Number(other)),
    );
  });

  it('is told of with its route, however often one matches, and with its promise', async () => {
    const told = watch();
    const { port } = await serve(async (given) => {
      const inner = given.withoutPrefix('/api');
      const params = inner && match(inner, 'GET /users/{id}');
      await Promise.resolve();
      return Response.json(params ?? null);
    }, options);
    const client = await talk(port);
    client.send(request('/api/users/7'));
    await client.answers(1);
    const message = await told.sent('/api/users/7');
    expect(told.of('/api/users/7')).toEqual(['start', 'route', 'end', 'asyncStart', 'response', 'asyncEnd', 'sent']);
    expect(message.route).toBe('/api/users/{id}');
  });

  it('is told of with the error that became a 500, and without one for an answer that was thrown', async () => {
    const told = watch();
    const { port } = await serve(
      (given) => {
        if (given.path === '/500') throw new Error('wrong');
        throw new HttpError(404);
      },
      { ...options, onError: () => {} },
    );
    const client = await talk(port);
    client.send(request('/500') + request('/404'));
    await client.answers(2);
    const message = await told.sent('/500');
    expect(message.error).toMatchObject({ message: 'wrong' });
    expect(message.sent?.status).toBe(500);
    expect(told.of('/500')).toEqual(['start', 'error', 'response', 'end', 'sent']);
    expect((await told.sent('/404')).error).toBeUndefined();
    expect(told.of('/404')).toEqual(['start', 'response', 'end', 'sent']);
  });

  it('is told of when its body has broken off, behind the head', async () => {
    const told = watch();
    async function* broken(): AsyncGenerator<string> {
      yield 'some';
      await pause(1);
      throw new Error('no more');
    }
    const { port } = await serve(() => Response.stream('text/plain', broken()), { ...options, onError: () => {} });
    const client = await talk(port);
    client.send(request('/broken'));
    await client.closed();
    const message = await told.sent('/broken');
    expect(message.sent).toMatchObject({ status: 200, bytes: 4, outcome: 'failed' });
    expect(message.error).toMatchObject({ message: 'no more' });
    expect(told.of('/broken')).toEqual(['start', 'response', 'end', 'error', 'sent']);
  });

  it('is told of when its client leaves before the answer, and inside the body', async () => {
    const told = watch();
    async function* endless(): AsyncGenerator<string> {
      for (;;) {
        yield 'x';
        await pause(1);
      }
    }
    const { port } = await serve(
      (given) => (given.path === '/never' ? new Promise<Response>(() => {}) : Response.stream('text/plain', endless())),
      options,
    );
    for (const path of ['/never', '/endless']) {
      const client = await talk(port);
      client.send(request(path));
      await (path === '/never'
        ? until(
            () => told.of(path).includes('end') || undefined,
            () => path,
          )
        : client.until(/x/));
      client.socket.destroy();
      const message = await told.sent(path);
      expect(message.sent?.outcome).toBe('aborted');
      expect(message.sent?.status).toBe(path === '/never' ? undefined : 200);
    }
  });

  it('is told of as 503 when its promise takes too long, once', async () => {
    const told = watch();
    const { port } = await serve(() => new Promise<Response>(() => {}), { ...options, handlerTimeout: 1000 }); // on a busy machine a thread takes its time to begin
    const client = await talk(port);
    client.send(request('/late'));
    await client.answers(1);
    expect((await told.sent('/late')).sent).toMatchObject({ status: 503, outcome: 'sent' });
    client.send(request('/late'));
    await client.answers(2);
    await until(
      () => told.of('/late').filter((event) => event === 'sent').length === 2 || undefined,
      () => 'both',
    );
    expect(told.of('/late').filter((event) => event === 'start')).toHaveLength(2);
  });

  it('is measured on its way out for whoever asks by its message, also when it is refused, and nobody else', async () => {
    const asked: (RequestMessage['sent'] | undefined)[] = [];
    let unasked: RequestMessage | undefined;
    const ask = (given: unknown): void => {
      const message = given as RequestMessage;
      if (message.request.path === '/unasked') unasked = message;
      else message.onSent ??= () => void asked.push(message.sent);
    };
    const names = ['tracing:filrouge.request:start', 'filrouge.request:response'];
    for (const name of names) subscribe(name, ask);
    onTestFinished(() => {
      for (const name of names) unsubscribe(name, ask);
    });
    const { port } = await serve(() => Response.text('hello'), options);
    const client = await talk(port);
    client.send(request('/unasked') + request('/asked') + 'GET /refused HTTP/1.1\r\n\r\n');
    await client.closed();
    await until(
      () => asked.length === 2 || undefined,
      () => `${asked.length} told`,
    );
    expect(asked.map((sent) => `${sent?.status} ${sent?.outcome}`).toSorted()).toEqual(['200 sent', '400 sent']);
    expect(unasked?.response?.status).toBe(200);
    expect(unasked?.sent).toBeUndefined();
  });

  it('is told of with the bytes of its body, whatever that is', async () => {
    const told = watch(['filrouge.request:sent']);
    const bodies: Record<string, () => Response> = {
      '/empty': () => Response.empty(),
      '/bytes': () => new Response(Buffer.alloc(1000)),
      '/umlaut': () => Response.text('äöü'),
      '/large': () => Response.text('x'.repeat(1_000_000)),
      '/largeBytes': () => new Response(Buffer.alloc(1_000_000)),
      '/stream': () => Response.stream('text/plain', ['one', 'two']),
    };
    const { port } = await serve((given) => (bodies[given.path] as () => Response)(), options);
    const client = await talk(port);
    const sizes: Record<string, number | undefined> = {};
    for (const path of Object.keys(bodies)) {
      client.send(request(path));
      sizes[path] = (await told.sent(path)).sent?.bytes;
    }
    expect(sizes).toEqual({ '/empty': 0, '/bytes': 1000, '/umlaut': 6, '/large': 1_000_000, '/largeBytes': 1_000_000, '/stream': 6 });
    client.send(request('/large').replace('GET', 'HEAD'));
    await until(
      () => told.all.at(-1)?.message.request.method === 'HEAD' || undefined,
      () => 'HEAD',
    );
    expect(told.all.at(-1)?.message.sent?.bytes).toBe(0);
  });

  it('has a store bound to the start of it in its handler, behind an await, in its stream, in onError, and when it has gone out', async () => {
    const store = new AsyncLocalStorage<string>();
    const { start } = tracingChannel('filrouge.request');
    start.bindStore(store, (message) => (message as RequestMessage).request.path);
    onTestFinished(() => void start.unbindStore(store));
    const seen: string[] = [];
    const note = (where: string): number => seen.push(`${where} ${store.getStore()}`);
    const onSent = (): number => note('sent');
    subscribe('filrouge.request:sent', onSent);
    onTestFinished(() => void unsubscribe('filrouge.request:sent', onSent));
    async function* body(): AsyncGenerator<string> {
      note('stream');
      yield 'a';
      await pause(1);
      note('stream');
      throw new Error('broken');
    }
    const { port } = await serve(
      async () => {
        note('handler');
        await pause(1);
        note('handler');
        return Response.stream('text/plain', body());
      },
      { ...options, onError: () => void note('onError') },
    );
    const client = await talk(port);
    client.send(request('/a'));
    await client.closed();
    await until(
      () => seen.includes('sent /a') || undefined,
      () => 'sent',
    );
    expect(seen).toEqual(['handler /a', 'handler /a', 'stream /a', 'stream /a', 'onError /a', 'sent /a']);
  });

  it('does not find a store that the handler of another request on its connection has entered', async () => {
    watch();
    const store = new AsyncLocalStorage<string>();
    const { port } = await serve((given) => {
      const found = String(store.getStore());
      store.enterWith(given.path);
      return Response.text(found);
    }, options);
    const client = await talk(port);
    client.send(request('/one') + request('/two'));
    await client.answers(2);
    client.send(request('/three'));
    expect((await client.answers(3)).map(({ body }) => body)).toEqual(['undefined', 'undefined', 'undefined']);
  });

  it('is told of over HTTP/2', async () => {
    const told = watch();
    const { client } = await serveHttp2(
      (given) => (given.path === '/2/stream' ? Response.stream('text/plain', ['one', 'two']) : Response.text('hello')),
      options,
    );
    await Promise.all([ask(client, '/2/plain'), ask(client, '/2/stream')]);
    expect((await told.sent('/2/plain')).sent).toMatchObject({ status: 200, bytes: 5, outcome: 'sent' });
    expect((await told.sent('/2/stream')).sent).toMatchObject({ status: 200, bytes: 6, outcome: 'sent' });
    expect(told.of('/2/plain')).toEqual(['start', 'response', 'end', 'sent']);
    expect(told.of('/2/stream')).toEqual(['start', 'response', 'end', 'sent']);
  });

  it('that no handler sees is told of with its refusal, as far as it is known', async () => {
    const told = watch();
    const { port } = await serve(() => Response.text('hello'), options);
    for (const bytes of [
      `POST /413 HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n`,
      request('/431', `X: ${'x'.repeat(99_999)}\r\n`),
    ]) {
      const client = await talk(port);
      client.send(bytes);
      await client.closed();
    }
    const first = await until(
      () => told.all.find(({ event, message }) => event === 'sent' && message.sent?.status === 413),
      () => '413',
    );
    expect(first.message.request.path).toBe('/413');
    const second = await until(
      () => told.all.find(({ event, message }) => event === 'sent' && message.sent?.status === 431),
      () => '431',
    );
    expect(second.message.request.target).toBe('/431');
    expect(told.all.map(({ event }) => event)).toEqual(['response', 'sent', 'response', 'sent']);
  });
});

/** The methods that older tools call, which Node no longer recommends. */
interface Subscribable {
  subscribe(listener: (message: unknown) => void): void;
  unsubscribe(listener: (message: unknown) => void): unknown;
}

describe('whether anybody watches', () => {
  const own: [name: string, watched: Channel][] = NAMES.map((name) => [name, channel(name)]);
  const onMessage = (): void => {};

  it.each(own)('is known as soon as somebody subscribes to %s, by its name or to the object, until the last has gone', (name, watched) => {
    expect(areRequestsWatched()).toBe(false);
    subscribe(name, onMessage);
    expect(areRequestsWatched()).toBe(true);
    (watched as Subscribable).subscribe(onMessage);
    expect(unsubscribe(name, onMessage)).toBe(true);
    expect(areRequestsWatched()).toBe(true);
    expect((watched as Subscribable).unsubscribe(onMessage)).toBe(true);
    expect(areRequestsWatched()).toBe(false);
    expect((watched as Subscribable).unsubscribe(onMessage)).toBe(false);
  });

  it.each(own)('is known as soon as a store is bound to %s, until it is taken off', (_name, watched) => {
    const store = new AsyncLocalStorage<unknown>();
    watched.bindStore(store);
    expect(areRequestsWatched()).toBe(true);
    expect(watched.unbindStore(store)).toBe(true);
    expect(areRequestsWatched()).toBe(false);
  });

  it('is known of those who subscribe to all that a tracing channel has', () => {
    const all = { start: onMessage, end: onMessage, asyncStart: onMessage, asyncEnd: onMessage, error: onMessage };
    const tracing = tracingChannel('filrouge.request');
    tracing.subscribe(all);
    expect(areRequestsWatched()).toBe(true);
    tracing.unsubscribe(all);
    expect(areRequestsWatched()).toBe(false);
  });

  it('is known to each of two copies of this package, whichever was there first', async () => {
    vi.resetModules();
    const second = await import('../../src/process/watching/request-channels.ts');
    expect(second.areRequestsWatched).not.toBe(areRequestsWatched);
    const both = (): boolean[] => [areRequestsWatched(), second.areRequestsWatched()];
    for (const [name] of own) {
      subscribe(name, onMessage);
      expect(both()).toEqual([true, true]);
      unsubscribe(name, onMessage);
      expect(both()).toEqual([false, false]);
    }
  });

  it('is known when somebody has subscribed before this package was loaded', async () => {
    subscribe('filrouge.request:sent', onMessage);
    vi.resetModules();
    const late = await import('../../src/process/watching/request-channels.ts');
    expect(late.areRequestsWatched()).toBe(true);
    unsubscribe('filrouge.request:sent', onMessage);
    expect(late.areRequestsWatched()).toBe(false);
  });

  it('is asked anew for each request on a connection: the next one is told of whole, and none behind the last who leaves', async () => {
    const paths: string[] = [];
    const note = (message: unknown): void => void paths.push((message as RequestMessage).request.path);
    const { port } = await serve((given) => {
      if (given.path === '/subscribes') subscribe('filrouge.request:response', note);
      if (given.path === '/leaves') unsubscribe('filrouge.request:response', note);
      return Response.text('hello');
    });
    const client = await talk(port);
    client.send(['/subscribes', '/first', '/second', '/leaves', '/behind'].map((path) => request(path)).join(''));
    await client.answers(5);
    expect(paths).toEqual(['/first', '/second']);
  });
});
