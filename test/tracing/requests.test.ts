/**
 * The server span of a request, as the real SDK exports it.
 */
import { connect } from 'node:http2';
import { setImmediate as turn } from 'node:timers/promises';
import { SpanKind, trace } from '@opentelemetry/api';
import { tracing } from '@opentelemetry/sdk-node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HttpError, match, Response, requestId } from '../../src/index.ts';
import { KINDS } from '../support/collector.ts';
import { serve, talk } from '../support/serve.ts';
import { traced } from '../support/telemetry.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const SAMPLED = `00-${TRACE}-${PARENT}-01`;

describe('a request', () => {
  it('has one server span, with what the conventions ask for and the id of X-Request-ID', async () => {
    const collector = await traced();
    const { port } = await serve((request) => {
      const found = match(request, 'GET /users/{id:uint}');
      return Response.text(`user ${found?.id}`).withHeader('X-Request-ID', requestId(request));
    });
    const url = `http://127.0.0.1:${port}/users/7?sig=secret&q=a%20b`;
    const answer = await fetch(url, { headers: { 'User-Agent': 'test/1' } });
    const span = await collector.one(({ scope }) => scope === 'filrouge');
    const { 'network.peer.port': peerPort, ...attributes } = span.attributes;
    expect([span.name, span.kind, span.parent, span.status]).toEqual(['GET /users/{id:uint}', KINDS.server, undefined, 0]);
    expect(attributes).toEqual({
      'http.request.method': 'GET',
      'http.route': '/users/{id:uint}',
      'http.response.status_code': 200,
      'url.path': '/users/7',
      'url.query': 'sig=REDACTED&q=a%20b',
      'url.scheme': 'http',
      'server.address': '127.0.0.1',
      'server.port': port,
      'client.address': '127.0.0.1',
      'network.peer.address': '127.0.0.1',
      'network.protocol.version': '1.1',
      'user_agent.original': 'test/1',
      'filrouge.request.id': answer.headers.get('x-request-id'),
    });
    expect(peerPort).toBeGreaterThan(0);
    expect(span.end).toBeGreaterThan(span.start);
    expect(collector.spans).toHaveLength(1);
  });

  it('is named by its method alone without a route, and never by its path', async () => {
    const collector = await traced();
    const { port } = await serve(() => Response.text('x'));
    await fetch(`http://127.0.0.1:${port}/any/path`);
    const { name, attributes } = await collector.one(() => true);
    expect(name).toBe('GET');
    expect(attributes).not.toHaveProperty('http.route');
  });

  it('has the method _OTHER, and its own beside it, when that is not one of a few', async () => {
    const collector = await traced();
    const { port } = await serve(() => Response.text('x'));
    const client = await talk(port);
    client.send('BREW /pot HTTP/1.1\r\nHost: [::1]\r\n\r\n');
    await client.answers(1);
    const { name, attributes } = await collector.one(() => true);
    expect(name).toBe('HTTP');
    expect(attributes).toMatchObject({
      'http.request.method': '_OTHER',
      'http.request.method_original': 'BREW',
      'server.address': '::1',
      'server.port': 80,
    });
  });

  it('is of version 2 over HTTP/2', async () => {
    const collector = await traced();
    const { port } = await serve(() => Response.text('x'), { h2c: true });
    const session = connect(`http://127.0.0.1:${port}`);
    onTestFinished(() => {
      session.destroy();
    });
    await new Promise((resolve) => session.request({ ':path': '/two' }).on('close', resolve).resume().end());
    const { attributes } = await collector.one(() => true);
    expect(attributes).toMatchObject({ 'network.protocol.version': '2', 'url.path': '/two', 'http.response.status_code': 200 });
  });

  it('is an error at 500 and above, of the type of what was thrown, and none at 404', async () => {
    const collector = await traced();
    const { port } = await serve(
      (request) => {
        if (request.path === '/thrown') throw new RangeError('too far');
        if (request.path === '/refused') throw new HttpError(404);
        return Response.empty(503);
      },
      { onError: () => {} },
    );
    for (const path of ['/thrown', '/refused', '/returned']) await fetch(`http://127.0.0.1:${port}${path}`);
    const spans = await collector.has(3);
    const [thrown, refused, returned] = ['/thrown', '/refused', '/returned'].map((path) =>
      spans.find(({ attributes }) => attributes['url.path'] === path),
    );
    expect([thrown?.status, thrown?.attributes['error.type'], thrown?.events]).toEqual([2, 'RangeError', ['exception']]);
    expect([refused?.status, refused?.attributes['error.type'], refused?.events]).toEqual([0, undefined, []]);
    expect([returned?.status, returned?.attributes['error.type'], returned?.events]).toEqual([2, '503', []]);
  });

  it('belongs to the trace of whoever asks', async () => {
    const collector = await traced();
    const { port } = await serve(() => Response.text('x'));
    await fetch(`http://127.0.0.1:${port}/`, { headers: { traceparent: SAMPLED } });
    expect(await collector.one(() => true)).toMatchObject({ traceId: TRACE, parent: PARENT, links: [] });
  });

  it('begins a trace of its own with incoming: "link", and names the client\'s', async () => {
    const collector = await traced({ incoming: 'link' });
    const { port } = await serve(() => Response.text('x'));
    await fetch(`http://127.0.0.1:${port}/`, { headers: { traceparent: SAMPLED, baggage: 'user=ada' } });
    const span = await collector.one(() => true);
    expect([span.parent, span.links]).toEqual([undefined, [PARENT]]);
    expect(span.traceId).not.toBe(TRACE);
  });

  it('is recorded or not as the sampler says, which sees its attributes, and what it calls is not recorded either', async () => {
    const seen: unknown[] = [];
    const sampler: tracing.Sampler = {
      shouldSample: (_context, _traceId, _name, kind, attributes) => {
        seen.push([kind, attributes['url.path']]);
        const decision =
          attributes['url.path'] === '/kept' ? tracing.SamplingDecision.RECORD_AND_SAMPLED : tracing.SamplingDecision.NOT_RECORD;
        return { decision };
      },
      toString: () => 'test',
    };
    const collector = await traced({}, { sampler: new tracing.ParentBasedSampler({ root: sampler }) });
    const { port } = await serve(() =>
      trace.getTracer('user').startActiveSpan('inner', (span) => {
        span.end();
        return Response.text(span.spanContext().traceId);
      }),
    );
    await fetch(`http://127.0.0.1:${port}/dropped`);
    await fetch(`http://127.0.0.1:${port}/kept`);
    const spans = await collector.has(2);
    expect(spans.map(({ name }) => name).toSorted()).toEqual(['GET', 'inner']);
    expect(seen).toEqual([
      [SpanKind.SERVER, '/dropped'],
      [SpanKind.SERVER, '/kept'],
    ]);
  });

  it('that the client has not sampled is not recorded', async () => {
    const collector = await traced();
    const { port } = await serve(() => Response.text(trace.getActiveSpan()?.spanContext().traceId ?? ''));
    const unsampled = await fetch(`http://127.0.0.1:${port}/`, { headers: { traceparent: SAMPLED.replace(/01$/, '00') } });
    expect(await unsampled.text()).toBe(TRACE);
    await fetch(`http://127.0.0.1:${port}/seen`);
    await collector.one(({ attributes }) => attributes['url.path'] === '/seen');
    expect(collector.spans).toHaveLength(1);
  });

  it('that is ignored has no span, nor has what it calls', async () => {
    const collector = await traced({ ignore: ({ path }) => path === '/health' });
    const { port } = await serve(() => {
      trace.getTracer('user').startSpan('inner').end();
      return Response.text('x');
    });
    await fetch(`http://127.0.0.1:${port}/health`);
    await fetch(`http://127.0.0.1:${port}/seen`);
    expect((await collector.has(2)).map(({ name }) => name).toSorted()).toEqual(['GET', 'inner']);
  });

  it('has the fields that are asked for, each with all its values', async () => {
    const collector = await traced({ requestHeaders: ['X-Tenant'], responseHeaders: ['Content-Type', 'absent'] });
    const { port } = await serve(() => Response.text('x'));
    const client = await talk(port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\nX-Tenant: one\r\nx-tenant: two\r\n\r\n');
    await client.answers(1);
    const { attributes } = await collector.one(() => true);
    expect(attributes['http.request.header.x-tenant']).toEqual(['one', 'two']);
    expect(attributes['http.response.header.content-type']).toEqual(['text/plain; charset=utf-8']);
    expect(attributes).not.toHaveProperty('http.response.header.absent');
  });

  it('is measured: its duration in the advised buckets, by route and status, and how many are under way', async () => {
    const collector = await traced();
    const { port } = await serve((request) => Response.empty(match(request, 'GET /a/{x}') ? 204 : 404));
    await Promise.all(['/a/1', '/a/2', '/b'].map((path) => fetch(`http://127.0.0.1:${port}${path}`)));
    const points = await collector.measures('http.server.request.duration', (all) => all.reduce((sum, { count }) => sum + count, 0) === 3);
    expect(points.map(({ attributes, count }) => [attributes, count])).toEqual(
      expect.arrayContaining([
        [
          {
            'http.request.method': 'GET',
            'http.route': '/a/{x}',
            'http.response.status_code': 204,
            'network.protocol.version': '1.1',
            'url.scheme': 'http',
          },
          2,
        ],
        [{ 'http.request.method': 'GET', 'http.response.status_code': 404, 'network.protocol.version': '1.1', 'url.scheme': 'http' }, 1],
      ]),
    );
    expect(points[0]?.bounds).toEqual([0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]);
    const active = await collector.measures('http.server.active_requests', (all) => all[0]?.value === 0);
    expect(active.map(({ attributes }) => attributes)).toEqual([{ 'http.request.method': 'GET', 'url.scheme': 'http' }]);
  });

  it('behind another on its connection has a span and a trace of its own', async () => {
    const collector = await traced();
    const { port } = await serve(async (request) => {
      await turn();
      return Response.text(`${request.path} ${trace.getActiveSpan()?.spanContext().spanId}`);
    });
    const client = await talk(port);
    client.send(['/1', '/2', '/3'].map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
    const answers = await client.answers(3);
    const spans = await collector.has(3);
    expect(spans.map(({ parent }) => parent)).toEqual([undefined, undefined, undefined]);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(3);
    expect(answers.map(({ body }) => body).toSorted()).toEqual(
      spans.map(({ attributes, spanId }) => `${String(attributes['url.path'])} ${spanId}`).toSorted(),
    );
  });

  it('that is refused before any handler sees it has a span as well', async () => {
    const collector = await traced();
    const { port } = await serve(() => Response.text('x'));
    const client = await talk(port);
    client.send('GET /no-host HTTP/1.1\r\n\r\n');
    await client.closed();
    const { name, attributes, status } = await collector.one(() => true);
    expect([name, status]).toEqual(['GET', 0]);
    expect(attributes).toMatchObject({ 'http.response.status_code': 400, 'url.path': '/no-host' });
  });

  it('whose client leaves is of the type aborted, and no error of the server', async () => {
    const collector = await traced();
    const { port } = await serve(
      (request) => new Promise((resolve) => request.signal.addEventListener('abort', () => resolve(Response.empty()))),
    );
    const client = await talk(port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    client.socket.destroy();
    const { attributes, status } = await collector.one(() => true);
    expect([attributes['error.type'], attributes['http.response.status_code'], status]).toEqual(['aborted', undefined, 0]);
  });

  it('whose body breaks off is an error, though its status is 200', async () => {
    const collector = await traced();
    const { port } = await serve(
      () => {
        async function* broken(): AsyncGenerator<string> {
          yield 'a';
          await turn();
          throw new RangeError('too far');
        }
        return Response.stream('text/plain', broken());
      },
      { onError: () => {} },
    );
    await fetch(`http://127.0.0.1:${port}/`)
      .then((answer) => answer.text())
      .catch(() => {});
    const { attributes, status, events } = await collector.one(() => true);
    expect([attributes['error.type'], attributes['http.response.status_code'], status, events]).toEqual([
      'RangeError',
      200,
      2,
      ['exception'],
    ]);
  });
});

describe('a connection', () => {
  it('has a span when that is asked for: the parent of its requests, and a link of those that belong to a trace', async () => {
    const collector = await traced({ connections: true });
    const { port } = await serve(() => Response.text('x'));
    const client = await talk(port);
    client.send('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.answers(1);
    client.send(`GET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\ntraceparent: ${SAMPLED}\r\nConnection: close\r\n\r\n`);
    await client.closed();
    client.end();
    const connection = await collector.one(({ name }) => name === 'http.connection');
    expect(connection.attributes).toMatchObject({ 'network.peer.address': '127.0.0.1', 'network.protocol.version': '1.1' });
    const requests = await collector.has(3, ({ kind }) => kind === KINDS.server);
    const found = requests.map(({ attributes, parent, links }) => [attributes['url.path'], parent, links]);
    expect(found.toSorted()).toEqual([
      ['/1', connection.spanId, []],
      ['/2', connection.spanId, []],
      ['/3', PARENT, [connection.spanId]],
    ]);
  });

  it('of HTTP/2 has a span, and so has each of its streams', async () => {
    const collector = await traced({ connections: true, streams: true });
    const { port } = await serve(() => Response.text('x'), { h2c: true });
    const session = connect(`http://127.0.0.1:${port}`);
    const ask = (): Promise<unknown> => new Promise((resolve) => session.request({ ':path': '/' }).on('close', resolve).resume().end());
    await Promise.all([ask(), ask(), ask()]);
    await new Promise<void>((resolve) => session.close(resolve));
    const connection = await collector.one(({ name }) => name === 'http.connection');
    const streams = await collector.has(3, ({ name }) => name === 'h2.stream');
    const requests = await collector.has(3, ({ kind }) => kind === KINDS.server);
    expect([...streams, ...requests].map(({ parent }) => parent)).toEqual(Array.from({ length: 6 }, () => connection.spanId));
    expect(streams.map(({ attributes }) => attributes)).toEqual([{}, {}, {}]);
  });
});
