import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type InformationEvent } from 'node:http';
import { connect, createServer as createHttp2Server, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Request, Response, sendEarlyHints } from '../../src/index.ts';
import { toNodeListener } from '../../src/node.ts';
import { deferred, NEXT, serve, talk } from '../support/serve.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const STYLE = '</style.css>; rel=preload; as=style';
const HINT = `HTTP/1.1 103 Early Hints\r\nLink: ${STYLE}\r\n\r\n`;
const MiB = 1024 * 1024;

/** The status of each head in a text, and the bodies of these tests, which are words. */
function linesOf(text: string): string[] {
  return Array.from(
    text.matchAll(/HTTP\/1\.1 (\d{3}) |<\/(\w+)>|\r\n\r\n([a-z]+)/g),
    ([, status, link, body]) => status ?? link ?? body ?? '',
  );
}

describe('sendEarlyHints', () => {
  it('sends 103 with the links, before the response is made (RFC 8297)', async () => {
    const made = deferred<Response>();
    const { port } = await serve((request) => {
      sendEarlyHints(request, [STYLE, '</a.js>; rel=preload; as=script'], { 'X-A': ' 1 ' });
      return made.promise;
    });
    const client = await talk(port);
    client.send(GET);
    await client.until(/\r\n\r\n$/);
    expect(client.received).toBe(`HTTP/1.1 103 Early Hints\r\nLink: ${STYLE}\r\nLink: </a.js>; rel=preload; as=script\r\nX-A: 1\r\n\r\n`);
    made.resolve(Response.text('done'));
    expect((await client.answers(1))[0]?.body).toBe('done');
  });

  it('is what a client of node:http sees as information', async () => {
    const { port } = await serve((request) => {
      sendEarlyHints(request, STYLE);
      return Response.text('done');
    });
    const client = httpRequest({ port, host: '127.0.0.1', agent: false }).end();
    const [[information], [response]] = (await Promise.all([once(client, 'information'), once(client, 'response')])) as [
      [InformationEvent],
      [IncomingMessage],
    ];
    expect([information.statusCode, information.headers['link'], response.statusCode]).toEqual([103, STYLE, 200]);
    response.resume();
  });

  it('works for what withoutPrefix has cut, and for a client behind a trusted proxy', async () => {
    const { port } = await serve(
      (request) => {
        sendEarlyHints(request.withoutPrefix('/a') ?? request, STYLE);
        return Response.text(request.remoteAddress ?? '');
      },
      { trustProxy: ['127.0.0.1'] },
    );
    const client = await talk(port);
    client.send('GET /a/b HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n');
    expect((await client.answers(1))[0]?.body).toBe('192.0.2.1');
    expect(client.received.startsWith(HINT)).toBe(true);
  });

  it('sends nothing to a client of HTTP/1.0 (RFC 9110 §15.2)', async () => {
    const { port } = await serve((request) => {
      sendEarlyHints(request, STYLE);
      return Response.text('done');
    });
    const client = await talk(port);
    client.send('GET / HTTP/1.0\r\n\r\n');
    expect(linesOf(await client.closed())).toEqual(['200', 'done']);
  });

  it('sends nothing for an empty list, and does nothing without a server', async () => {
    sendEarlyHints(new Request(), STYLE);
    const { port } = await serve((request) => {
      sendEarlyHints(request, []);
      return Response.text('done');
    });
    const client = await talk(port);
    client.send(GET);
    await client.answers(1);
    expect(linesOf(client.received)).toEqual(['200', 'done']);
  });

  it('sends nothing once the response has begun, nor after it', async () => {
    const requests: Request[] = [];
    const { port } = await serve((request) => {
      requests.push(request);
      return Response.stream('text/plain', pieces(request));
    });
    function* pieces(request: Request): Generator<string> {
      yield 'a';
      sendEarlyHints(request, STYLE);
      yield 'b';
    }
    const client = await talk(port);
    client.send(GET);
    await client.answers(1);
    if (requests[0]) sendEarlyHints(requests[0], STYLE);
    client.send(NEXT);
    await client.closed();
    expect(client.received).not.toContain('103');
    expect((await client.answers(2)).map(({ body }) => body)).toEqual(['ab', 'ab']);
  });

  it('sends nothing for a request that has been answered, though its response has not left yet', async () => {
    const requests: Request[] = [];
    const { port } = await serve((request) => {
      requests.push(request);
      request.onEnd(() => {}); // so that a thread holds on to it
      if (requests[1] && requests[0]) sendEarlyHints(requests[0], STYLE);
      return Response.text(requests[1] ? 'two' : 'one');
    });
    const client = await talk(port);
    client.send(GET + GET);
    await client.answers(2);
    expect(linesOf(client.received)).toEqual(['200', 'one', '200', 'two']);
  });

  it('throws for what is no link, and for fields that cannot be sent', () => {
    const request = new Request();
    for (const link of ['/style.css', '', '<a b>; rel=preload', '<a\r\nX: 1>', 1 as unknown as string]) {
      expect(() => sendEarlyHints(request, link)).toThrow(expect.objectContaining({ code: 'bad-option' }));
    }
    expect(() => sendEarlyHints(request, '</a>\r\nX: 1')).toThrow(expect.objectContaining({ code: 'bad-header' }));
    expect(() => sendEarlyHints(request, '</a>', { 'X-A': 'a\0' })).toThrow(expect.objectContaining({ code: 'bad-header' }));
  });
});

describe('an interim response', () => {
  it('names a status of its own: 100 and 101 are the engine’s', () => {
    for (const status of [99, 100, 101, 200, 102.5, Number.NaN]) {
      expect(() => new Request().sendInterim(status)).toThrow(expect.objectContaining({ code: 'bad-status' }));
    }
  });

  it('says nothing of the connection or of a length (RFC 9110 §8.6, RFC 9112 §6.1)', async () => {
    const { port } = await serve((request) => {
      request.sendInterim(102, { 'Content-Length': '5', 'Transfer-Encoding': 'chunked', Connection: 'close', Upgrade: 'x', 'X-A': '1' });
      return Response.text('done');
    });
    const client = await talk(port);
    client.send(GET);
    await client.answers(1);
    expect(client.received.split('\r\n\r\n')[0]).toBe('HTTP/1.1 102 Processing\r\nX-A: 1');
  });

  it('waits for its turn behind pipelined requests, sixteen at the most, and comes before its own response', async () => {
    const first = deferred<Response>();
    const { port } = await serve((request) => {
      if (request.path === '/first') return first.promise;
      const isMany = request.path === '/second';
      for (let i = 0; i < (isMany ? 20 : 1); i++) sendEarlyHints(request, `<${request.path}>`);
      if (request.path === '/third') first.resolve(Response.text('one'));
      return Response.text(isMany ? 'two' : 'three');
    });
    const client = await talk(port);
    client.send(['first', 'second', 'third'].map((name) => `GET /${name} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
    await client.answers(3);
    const hints = (name: string, count: number): string[] => Array.from({ length: count }, () => ['103', name]).flat();
    expect(linesOf(client.received)).toEqual(['200', 'one', ...hints('second', 16), '200', 'two', ...hints('third', 1), '200', 'three']);
  });

  it('does not come behind the last response of a connection', async () => {
    const first = deferred<Response>();
    const { port } = await serve((request) => {
      if (request.path === '/first') return first.promise;
      sendEarlyHints(request, STYLE);
      first.resolve(Response.text('one').withHeader('Connection', 'close'));
      return Response.text('two');
    });
    const client = await talk(port);
    client.send('GET /first HTTP/1.1\r\nHost: a\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(linesOf(await client.closed())).toEqual(['200', 'one']);
  });

  it('is dropped when the client does not read, instead of being kept for it', async () => {
    const value = 'x'.repeat(32 * 1024);
    const { port } = await serve((request) => {
      for (let i = 0; i < 1024; i++) request.sendInterim(103, { 'X-Long': value }); // 32 MiB: more than sockets of this machine hold
      return Response.text('done');
    });
    const client = await talk(port);
    client.send(GET);
    await client.until((text) => text.endsWith('\r\n\r\ndone'));
    expect(client.received.length).toBeLessThan(16 * MiB);
    expect(client.received.length).toBeGreaterThan(value.length);
  });
});

describe('sendEarlyHints as a guest of node:http', () => {
  const listener = toNodeListener((request) => {
    request.sendInterim(102, { 'X-A': '1' });
    sendEarlyHints(request, [STYLE, '</a.js>; rel=preload'], { 'X-A': '1' });
    return Response.text('done');
  });

  it('sends them with what the host has: writeEarlyHints, writeProcessing', async () => {
    const server = createServer(listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const client = await talk((server.address() as AddressInfo).port);
    client.send(GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    await client.closed();
    expect(client.received).toMatch(
      /^HTTP\/1\.1 102 Processing\r\n\r\nHTTP\/1\.1 103 Early Hints\r\nLink: <\/style\.css>; rel=preload; as=style, <\/a\.js>; rel=preload\r\nx-a: 1\r\n\r\nHTTP\/1\.1 200 OK\r\n/i,
    );
  });

  it('sends them over HTTP/2', async () => {
    const server = createHttp2Server(listener as never).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    onTestFinished(() => {
      session.destroy();
      server.close();
    });
    const stream = session.request({ ':path': '/' });
    const [[hints], [head]] = (await Promise.all([once(stream, 'headers'), once(stream, 'response')])) as [
      [IncomingHttpHeaders & IncomingHttpStatusHeader],
      [IncomingHttpStatusHeader],
    ];
    expect([hints[':status'], hints['link'], head[':status']]).toEqual([103, `${STYLE}, </a.js>; rel=preload`, 200]);
  });
});
