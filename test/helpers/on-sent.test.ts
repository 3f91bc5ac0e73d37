/** What a program is told when a response has gone out, wherever its handler runs. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import {
  type AccessEntry,
  type LogAccessOptions,
  logAccess,
  logContext,
  onSent,
  Request,
  Response,
  requestId,
  type Sent,
} from '../../src/index.ts';
import { tracesKnownBy } from '../../src/process/watching/trace-ids.ts';
import type { ServerOptions } from '../../src/server/options.ts';
import { ask, serveHttp2 } from '../support/http2.ts';
import { deferred, serve, talk } from '../support/serve.ts';
import { until } from '../support/until.ts';

vi.stubEnv('FILROUGE_PLAYED_THREADS', '1'); // read when the first thread starts

const PLACES: readonly [string, ServerOptions][] = [
  ['in the server', { threads: 0 }],
  ['in a handler thread', { threads: 1 }],
];
const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
const some = <T>(all: readonly T[], count = 1): Promise<true> =>
  until(
    () => all.length >= count || undefined,
    () => `${count}, not ${all.length}`,
  );

async function* endless(): AsyncGenerator<string> {
  for (;;) {
    yield 'x';
    await pause(1);
  }
}

async function* broken(): AsyncGenerator<string> {
  yield 'some';
  await pause(1);
  throw new Error('no more');
}

describe.each(PLACES)('onSent, called %s,', (_where, options) => {
  it('tells each function once how the response went out, in the store of its call', async () => {
    const store = new AsyncLocalStorage<string>();
    const told: [string | undefined, Sent][] = [];
    const { port } = await serve((request) => {
      store.run('one', () => onSent(request, (sent) => void told.push([store.getStore(), sent])));
      store.run('two', () => onSent(request.withoutPrefix('/a') ?? request, (sent) => void told.push([store.getStore(), sent])));
      return Response.text('hello');
    }, options);
    const client = await talk(port);
    client.send(get('/a/b'));
    await some(told, 2);
    expect(told.map(([held, { status, bytes, outcome }]) => [held, status, bytes, outcome])).toEqual([
      ['one', 200, 5, 'sent'],
      ['two', 200, 5, 'sent'],
    ]);
    client.send(get('/'));
    await some(told, 4);
    expect(told).toHaveLength(4);
  });

  it.each<[string, () => Response | Promise<Response>, Partial<Sent>]>([
    ['a client that leaves before the answer', () => new Promise<Response>(() => {}), { status: undefined, bytes: 0, outcome: 'aborted' }],
    ['a client that leaves inside the body', () => Response.stream('text/plain', endless()), { status: 200, outcome: 'aborted' }],
    ['a body that breaks off', () => Response.stream('text/plain', broken()), { status: 200, bytes: 4, outcome: 'failed' }],
  ])('tells of %s', async (_what, answer, expected) => {
    const told: Sent[] = [];
    const called = deferred<void>();
    const { port } = await serve(
      (request) => {
        onSent(request, (sent) => void told.push(sent));
        called.resolve();
        return answer();
      },
      { ...options, onError: () => {} },
    );
    const client = await talk(port);
    client.send(get('/'));
    await called.promise;
    if (expected.outcome === 'aborted') {
      if (expected.status === 200) await client.until(/x/);
      client.socket.destroy();
    }
    await some(told);
    expect(told[0]).toMatchObject(expected);
  });

  it('tells of a handler that takes too long, also when it asks only then', async () => {
    const told: Sent[] = [];
    const late: Sent[] = [];
    const go = deferred<void>();
    const { port } = await serve(
      async (request) => {
        onSent(request, (sent) => void told.push(sent));
        await go.promise;
        onSent(request, (sent) => void late.push(sent));
        return Response.text('too late');
      },
      { ...options, handlerTimeout: 50 },
    );
    const client = await talk(port);
    client.send(get('/'));
    await client.answers(1);
    await some(told);
    go.resolve();
    await some(late);
    expect([told[0]?.status, late]).toEqual([503, told]);
  });

  it('may be called from the stream of the response', async () => {
    const told: Sent[] = [];
    const { port } = await serve((request) => {
      async function* body(): AsyncGenerator<string> {
        yield 'one';
        onSent(request, (sent) => void told.push(sent));
        yield 'two';
      }
      return Response.stream('text/plain', body());
    }, options);
    const client = await talk(port);
    client.send(get('/'));
    await some(told);
    expect(told).toMatchObject([{ status: 200, bytes: 6, outcome: 'sent' }]);
  });

  it('hands what a function throws or rejects with to onError, and goes on', async () => {
    const errors: unknown[] = [];
    const told: string[] = [];
    const { port } = await serve(
      (request) => {
        onSent(request, () => {
          throw new Error('thrown');
        });
        onSent(request, () => Promise.reject(new Error('rejected')));
        onSent(request, () => void told.push('third'));
        return Response.text('hello');
      },
      { ...options, onError: (error) => void errors.push((error as Error).message) },
    );
    const client = await talk(port);
    client.send(get('/'));
    await some(errors, 2);
    expect([errors, told]).toEqual([['thrown', 'rejected'], ['third']]);
  });

  it('tells of responses over HTTP/2', async () => {
    const told: Sent[] = [];
    const { client } = await serveHttp2((request) => {
      onSent(request, (sent) => void told.push(sent));
      return Response.text('x'.repeat(200_000));
    }, options);
    await ask(client, '/');
    await some(told);
    expect(told).toMatchObject([{ status: 200, bytes: 200_000, outcome: 'sent' }]);
  });

  it('is too late when the response has gone out', async () => {
    const kept: Request[] = [];
    const { port } = await serve((request) => {
      kept.push(request);
      return Response.text('hello');
    }, options);
    const client = await talk(port);
    client.send(get('/'));
    await client.answers(1);
    const [request] = kept;
    expect(() => onSent(request as Request, () => {})).toThrow(expect.objectContaining({ code: 'already-sent' }));
  });
});

it('onSent refuses what is no function', () => {
  expect(() => onSent(new Request(), 'x' as never)).toThrow(expect.objectContaining({ code: 'bad-option' }));
});

describe.each(PLACES)('logAccess, called %s,', (_where, options) => {
  async function entries(path: string, answer: () => Response, logged: LogAccessOptions, more: ServerOptions = {}): Promise<Response[]> {
    const returned: Response[] = [];
    const { port } = await serve(
      (request) => {
        const response = logAccess(request, answer(), logged);
        returned.push(response);
        return response;
      },
      { ...options, onError: () => {}, ...more },
    );
    const client = await talk(port);
    client.send(get(path, 'User-Agent: x\r\n'));
    await some(returned);
    return returned;
  }

  it('writes when the response has gone out, with status, time and bytes', async () => {
    const lines: string[] = [];
    const go = deferred<void>();
    async function* slow(): AsyncGenerator<string> {
      yield 'one';
      await go.promise;
      yield 'two';
    }
    await entries('/a?b', () => Response.stream('text/plain', slow()), { output: { write: (line) => lines.push(line) } });
    expect(lines).toEqual([]);
    go.resolve();
    await some(lines);
    expect(lines[0]).toMatch(/^\S+Z 127\.0\.0\.1 GET \/a\?b 200 \d+\.\d+ms 6B\n$/);
  });

  it('says that a response did not go out whole', async () => {
    const lines: string[] = [];
    const output = { write: (line: string) => lines.push(line) };
    await entries('/broken', () => Response.stream('text/plain', broken()), { output });
    await some(lines);
    expect(lines[0]).toMatch(/ 200 \S+ 4B failed\n$/);
  });

  it('gives entries to a function, and to a logger with a message', async () => {
    const given: AccessEntry[] = [];
    await entries('/function', () => Response.text('hello'), { output: (entry) => given.push(entry) });
    await some(given);
    expect(given[0]).toMatchObject({ method: 'GET', target: '/function', status: 200, bytes: 5, outcome: 'sent', userAgent: 'x' });
    expect(Object.keys(given[0] ?? {})).toEqual(expect.arrayContaining(['time', 'client', 'ms', 'firstByteMs']) as string[]);
    const logged: [object, string][] = [];
    await entries('/logger', () => Response.text('hello'), { output: { info: (entry, message) => logged.push([entry, message]) } });
    await some(logged);
    expect(logged).toEqual([[expect.objectContaining({ target: '/logger', bytes: 5 }), 'GET /logger 200']]);
  });

  it('gives a format how the response went out', async () => {
    const lines: string[] = [];
    const output = { write: (line: string) => lines.push(line) };
    await entries('/', () => Response.text('hello'), {
      output,
      format: (_request, { status }, ms, sent) => `${status} ${ms >= 0} ${sent.bytes}`,
    });
    await some(lines);
    expect(lines).toEqual(['200 true 5\n']);
  });

  it('hands what a format throws to onError: the response is out', async () => {
    const errors: unknown[] = [];
    const format = (): string => {
      throw new Error('no format');
    };
    await entries('/', () => Response.text('hello'), { format }, { onError: (error) => void errors.push(error) });
    await some(errors);
    expect(errors).toMatchObject([{ message: 'no format' }]);
  });

  it('writes of a handler that took too long what its client got', async () => {
    const lines: string[] = [];
    const { port } = await serve(
      async (request) => {
        await new Promise<void>((resolve) => request.signal.addEventListener('abort', () => resolve()));
        return logAccess(request, Response.text('too late'), { output: { write: (line) => lines.push(line) } });
      },
      { ...options, handlerTimeout: 50 },
    );
    const client = await talk(port);
    client.send(get('/late'));
    await client.answers(1);
    await some(lines);
    expect(lines[0]).toMatch(/ GET \/late 503 /);
  });
});

describe('logContext', () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const spanId = 'b7ad6b7169203331';

  it('has the id of the request once that has been asked for, also of a cut of it', () => {
    const request = new Request({ target: '/a/b' });
    expect(logContext(request)).toEqual({});
    const id = requestId(request);
    expect(logContext(request.withoutPrefix('/a') as Request)).toEqual({ requestId: id });
  });

  it('has the trace that the client says it belongs to', () => {
    const of = (traceparent: string): object => logContext(new Request({ headers: { traceparent } }));
    expect(of(`00-${traceId}-${spanId}-01`)).toEqual({ traceId, spanId });
    expect(of(`cc-${traceId}-${spanId}-01-what-comes-later`)).toEqual({ traceId, spanId });
  });

  it.each([
    `ff-${traceId}-${spanId}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${traceId}-${spanId}`,
    'x',
    '',
  ])('passes over what is no trace context: %s', (traceparent) => {
    expect(logContext(new Request({ headers: { traceparent } }))).toEqual({});
  });

  it('has the trace that a tracer knows, rather than that of the client', () => {
    const request = new Request({ headers: { traceparent: `00-${traceId}-${spanId}-01` } });
    const known = { traceId: 'f'.repeat(32), spanId: 'e'.repeat(16) };
    const forget = tracesKnownBy((asked) => (asked === request ? known : undefined));
    try {
      expect(logContext(request)).toEqual(known);
    } finally {
      forget();
    }
    expect(logContext(request)).toEqual({ traceId, spanId });
  });
});
