/** What a server counts, seen from its connections. */
import { once } from 'node:events';
import { connect } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { match, Response, router } from '../../../src/index.ts';
import { type LocalStatus, MAX_ROUTES, type ServerStatus } from '../../../src/process/server-status.ts';
import { Authority } from '../../support/certificates.ts';
import { createCollector } from '../../support/garbage.ts';
import { ask, codeOf, serveHttp2 } from '../../support/http2.ts';
import { frame, HELLO, headers, number, request } from '../../support/http2-frames.ts';
import { deferred, serve, talk } from '../../support/serve.ts';
import { until } from '../../support/until.ts';

/** Rows as `GET /a 200`: how many. */
function rowsOf({ answered }: Pick<ServerStatus, 'answered'>): Record<string, number> {
  return Object.fromEntries(answered.map(({ method, route, status, count }) => [`${method} ${route} ${status}`, count]));
}

/** Whether each request is found once: answered, abandoned, or under way. */
function isComplete({ requests, answered, abandoned }: LocalStatus, underWay: number = 0): boolean {
  return requests === answered.reduce((sum, { count }) => sum + count, 0) + abandoned + underWay;
}

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
}

describe('what requests were answered', () => {
  it('is counted by the route that matched, the method and the status as sent', async () => {
    const stream = Response.stream('text/plain', ['a', 'b'].values());
    const { port, server } = await serve((incoming) => {
      if (match(incoming, 'GET|POST /users/{id}')) return Response.text('x');
      if (match(incoming, 'GET /later')) return Promise.resolve(Response.empty(204));
      if (match(incoming, 'GET /fails')) throw new Error('no');
      if (match(incoming, 'GET /stream')) return stream;
      return Response.empty(404);
    });
    const client = await talk(port);
    const paths = ['/users/1', '/users/2', '/users/3?q', '/later', '/fails', '/stream', '/stream', '/wp-admin', '/wp-login'];
    for (const [i, path] of paths.entries()) {
      client.send(get(path));
      await client.answers(i + 1);
    }
    client.send('HEAD /users/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await client.closed();
    expect(rowsOf(server.status())).toEqual({
      'GET /users/{id} 200': 3,
      'HEAD /users/{id} 200': 1,
      'GET /later 204': 1,
      'GET /fails 500': 1,
      'GET /stream 200': 1,
      'GET /stream 500': 1, // it cannot be sent twice
      'GET none 404': 2,
    });
    expect(isComplete(server.status())).toBe(true);
  });

  it('names the routes of a router, and the whole route of an application inside another', async () => {
    const inner = router({ 'GET /orders/{id}': () => Response.text('order') });
    const { port, server } = await serve((incoming) => {
      const shop = incoming.withoutPrefix('/shop');
      return (shop ? inner(shop) : undefined) ?? Response.empty(404);
    });
    const client = await talk(port);
    client.send(get('/shop/orders/7'));
    await client.answers(1);
    expect(rowsOf(server.status())).toEqual({ 'GET /shop/orders/{id} 200': 1 });
  });

  it('has a bounded number of rows, whatever clients ask for and whatever routes a program makes up', async () => {
    const { port, server } = await serve((incoming) => {
      if (incoming.path.startsWith('/made-up/')) match(incoming, `GET ${incoming.path}` as 'GET /');
      return Response.empty(incoming.path.startsWith('/made-up/') ? 200 : 404);
    });
    const client = await talk(port);
    let sent = 0;
    for (const folder of ['made-up', 'random']) {
      for (let batch = 0; batch < 100; batch++) {
        client.send(Array.from({ length: 50 }, () => get(`/${folder}/${sent++}`)).join(''));
        await until(
          () => server.status().requests === sent || undefined,
          () => `${sent} requests`,
        );
      }
    }
    const { answered } = server.status();
    expect(answered.length).toBe(MAX_ROUTES + 2);
    expect(rowsOf(server.status())).toMatchObject({ 'GET other 200': 5000 - MAX_ROUTES, 'GET none 404': 5000 });
  });

  it('is counted once when the client has had its 503 at handlerTimeout, and the handler answers later', async () => {
    const late = deferred<Response>();
    const { port, server } = await serve(() => late.promise, { handlerTimeout: 30 });
    const client = await talk(port);
    client.send(get('/'));
    await client.answers(1);
    late.resolve(Response.text('too late'));
    await until(
      () => server.status().inFlight === 0 || undefined,
      () => 'the handler to end',
    );
    expect(rowsOf(server.status())).toEqual({ 'GET none 503': 1 });
  });

  it('does not count what the engine itself has answered', async () => {
    const { port, server } = await serve(() => Response.text('x'));
    const client = await talk(port);
    client.send('OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n');
    await client.closed();
    expect(server.status()).toMatchObject({ requests: 0, answered: [], refused: { 400: 1 } });
  });

  it('tells apart those whose client has left before', async () => {
    const held = deferred<Response>();
    const { port, server } = await serve(() => held.promise, { h2c: true }); // itself, without a gateway that holds connections
    const client = await talk(port);
    client.send(get('/') + get('/'));
    await until(
      () => server.status().requests === 2 || undefined,
      () => 'two requests',
    );
    expect(isComplete(server.status(), 2)).toBe(true);
    client.socket.destroy();
    await until(
      () => server.status().abandoned === 2 || undefined,
      () => 'both to be abandoned',
    );
    held.resolve(Response.text('nobody reads it'));
    expect(isComplete(server.status())).toBe(true);
  });
});

describe('how long requests took', () => {
  it('is measured with the option metrics, one duration for each answer, and not without it', async () => {
    const { port, server } = await serve((incoming) => (match(incoming, 'GET /slow') ? slow() : Response.text('x')), { metrics: true });
    const client = await talk(port);
    for (let i = 0; i < 20; i++) client.send(get(i === 7 ? '/slow' : '/'));
    await client.answers(20);
    const { answered } = server.status();
    expect(answered.map(({ count, durations }) => [count, durations?.count])).toEqual([
      [19, 19],
      [1, 1],
    ]);
    const slowest = answered.find(({ route }) => route === '/slow')?.durations;
    expect(slowest?.sum).toBeGreaterThan(0.06);
    expect(slowest?.buckets.slice(0, 7).every((count) => count === 0)).toBe(true); // none of up to 50 ms
  });
});

function slow(): Promise<Response> {
  return new Promise((resolve) => setTimeout(() => resolve(Response.text('late')), 70));
}

describe('connections of HTTP/2', () => {
  it('are counted by their protocol, with their streams and answers', async () => {
    const { client, port, server } = await serveHttp2(({ path }) => Response.text(path));
    for (let i = 0; i < 5; i++) await ask(client, `/${i}`);
    const old = await talk(port);
    old.send(get('/'));
    await old.answers(1);
    const status = server.status();
    expect(status).toMatchObject({ opened: { h2: 1, 'http/1.1': 1 }, protocols: { h2: 1, 'http/1.1': 1 }, http2: { streams: 5 } });
    expect(rowsOf(status)).toEqual({ 'GET none 200': 6 });
    expect(isComplete(status)).toBe(true);
  });

  it('tell who has reset a stream, and what was abandoned by that', async () => {
    const { client, server } = await serveHttp2(() => new Promise<Response>(() => {}));
    const stream = client.request({ ':path': '/' });
    stream.on('error', () => {});
    await until(
      () => server.status().requests === 1 || undefined,
      () => 'the request',
    );
    stream.close(8);
    await codeOf(stream);
    await until(
      () => server.status().abandoned === 1 || undefined,
      () => 'it to be abandoned',
    );
    expect(server.status().http2).toMatchObject({ resetsReceived: 1, resetsSent: 0 });
    const { port, server: other } = await serve(() => Response.text(''), { h2c: true });
    const breaking = await talk(port);
    breaking.send(Buffer.concat([HELLO, headers(1, request('GET', '/', ['connection', 'close']))])); // malformed: RFC 9113 §8.2.2
    await until(
      () => other.status().http2.resetsSent === 1 || undefined,
      () => 'the stream to be reset',
    );
    expect(other.status()).toMatchObject({ requests: 0, answered: [] });
  });

  it('tell how they ended: who has sent GOAWAY, with which code', async () => {
    const { port, server } = await serve(() => Response.text(''), { h2c: true });
    const leaving = await talk(port);
    leaving.send(Buffer.concat([HELLO, frame('GOAWAY', 0, 0, Buffer.concat([number(0), number(2)]))]));
    const wrong = await talk(port);
    wrong.send(Buffer.concat([HELLO, frame('PUSH_PROMISE', 0, 1, Buffer.alloc(4))]));
    await wrong.closed();
    await until(
      () => server.status().http2.goAwaysReceived['INTERNAL_ERROR'],
      () => 'the GOAWAY of the client',
    );
    const { goAwaysReceived, goAwaysSent } = server.status().http2;
    expect(goAwaysReceived).toEqual({ INTERNAL_ERROR: 1 });
    expect(goAwaysSent).toMatchObject({ PROTOCOL_ERROR: 1 });
  });
});

it('connections that were taken over are counted as upgraded until they close', async () => {
  const { port, server } = await serve(
    () =>
      Response.upgrade(
        'tell',
        (socket) =>
          void socket
            .on('end', () => socket.end())
            .resume()
            .write('hello'),
      ),
    { h2c: true },
  );
  const client = await talk(port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: tell\r\n\r\n');
  await client.until(/hello$/);
  expect(server.status()).toMatchObject({ protocols: { upgraded: 1 }, opened: { 'http/1.1': 1 } });
  expect(rowsOf(server.status())).toEqual({ 'GET none 101': 1 });
  client.socket.destroy();
  await until(
    () => server.status().connections === 0 || undefined,
    () => 'the connection to be gone',
  );
  expect(server.status().protocols).toEqual({});
});

describe('TLS handshakes', () => {
  it('are counted, with those that resumed a session and those that failed', async () => {
    const authority = new Authority();
    onTestFinished(() => authority.remove());
    const { port, server } = await serve(() => Response.text('x'), { tls: authority.issue('a') });
    const session = await secureGet(port);
    await secureGet(port, session);
    const junk = await talk(port);
    junk.send('no handshake\r\n\r\n');
    await junk.closed();
    await until(
      () => server.status().tls.failed === 1 || undefined,
      () => 'the failure',
    );
    expect(server.status()).toMatchObject({
      tls: { handshakes: 2, resumed: 1, failed: 1 },
      opened: { 'http/1.1': 2 },
      refused: { tls: 1 },
    });
  });
});

/** Asks once. @returns The ticket for a session that can be resumed, if one has come. */
async function secureGet(port: number, session?: Buffer): Promise<Buffer | undefined> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...(session && { session }) });
  let ticket: Buffer | undefined;
  socket.on('session', (bytes: Buffer) => {
    ticket = bytes;
  });
  socket.write(get('/'));
  await once(socket, 'data'); // behind the tickets
  socket.destroy();
  return ticket;
}

describe('the thread that does the I/O', () => {
  it('tells how late its clock was, once for each tick', async () => {
    const { port, server } = await serve(
      () => {
        for (const end = performance.now() + 600; performance.now() < end; );
        return Response.text('busy');
      },
      { headersTimeout: 400, threads: 0 }, // ticks every 50 ms
    );
    const client = await talk(port);
    client.send(get('/'));
    await client.answers(1);
    const { loopDelay } = await until(
      () => {
        const status = server.status();
        return status.loopDelay.buckets.slice(8).some((count) => count > 0) ? status : undefined; // later than 100 ms
      },
      () => 'a late tick',
    );
    expect(loopDelay.count).toBe(loopDelay.buckets.reduce((sum, count) => sum + count, 0));
  });

  it('tells what its process takes, and how often it has collected garbage', async () => {
    const { server } = await serve(() => Response.text('x'));
    createCollector()();
    const status = await until(
      () => (server.status().gc['major'] ? server.status() : undefined),
      () => 'a collection',
    );
    expect(status.gc['major']?.count).toBeGreaterThan(0);
    for (const figure of [status.rss, status.heapUsed, status.cpu, status.loopBusy]) expect(figure).toBeGreaterThan(0);
  });
});
