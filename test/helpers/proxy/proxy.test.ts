import { createServer } from 'node:http';
import { createServer as createPlainServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Request, Response } from '../../../src/index.ts';
import { proxy } from '../../../src/proxy.ts';
import { parseAnswers, serve, talk } from '../../support/serve.ts';
import { until } from '../../support/until.ts';
import { asked, linesOf, namesOf, OK, through, upstream } from './upstream.ts';

const log = vi.spyOn(console, 'error');
beforeEach(() => void log.mockReset().mockImplementation(() => {}));
afterEach(() => void log.mockReset());

/** Either, by whether the whole body came with the head. */
const OWN_FRAMING: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding']);

describe('proxy sends', () => {
  it('method, path, query, fields and body, and answers with what comes back', async () => {
    const up = await upstream('HTTP/1.1 201 Made\r\nX-One: 1\r\nContent-Length: 5\r\n\r\nhello');
    const client = await through(up.target);
    client.send('POST /a/b?c=d&c=%20 HTTP/1.1\r\nHost: a.example\r\nX-Two: 2\r\nContent-Length: 3\r\n\r\nabc');
    const [answer] = await client.answers(1);
    expect([answer?.status, answer?.headers['x-one'], answer?.headers['content-length'], answer?.body]).toEqual([201, '1', '5', 'hello']);
    const sent = await (await up.visit()).has(/abc$/);
    expect(sent).toMatch(/^POST \/a\/b\?c=d&c=%20 HTTP\/1\.1\r\n/);
    expect(linesOf(sent)).toContain('x-two: 2');
    expect(linesOf(sent)).toContain('content-length: 3');
  });

  it('the Host of the target, or the one it is told', async () => {
    const up = await upstream(OK);
    const request = new Request({ headers: { Host: 'a.example' } });
    await (await proxy(request, up.target)).collect();
    await (await proxy(request, up.target, { host: 'b.example' })).collect();
    const hosts = up.visits.flatMap(({ text }) => linesOf(text).filter((line) => line.startsWith('host:')));
    expect(hosts).toEqual([`host: 127.0.0.1:${up.port}`, 'host: b.example']);
  });

  it('one canonical spelling of the path, whatever the client wrote', async () => {
    const up = await upstream(OK);
    const client = await through(up.target);
    client.send('GET /a/./x/../%62//c%2Fd/%C3%BC;v=1@:+,?q=%e9 HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.answers(1);
    expect((await up.visit()).text).toMatch(/^GET \/a\/b\/c%2Fd\/%C3%BC%3Bv=1@:\+,\?q=%e9 HTTP\/1\.1\r\n/);
    await (await proxy(new Request({ target: '/?q=\xe9 \u{1f600}' }), up.target)).collect();
    expect(up.visits.map(({ text }) => text).join('')).toContain('GET /?q=%E9%20%F0%9F%98%80 HTTP/1.1\r\n');
  });

  it('no absolute-form, but its path (RFC 9112 §3.2.2)', async () => {
    const up = await upstream(OK);
    const client = await through(up.target);
    client.send('GET http://c.example/x HTTP/1.1\r\nHost: c.example\r\n\r\n');
    await client.answers(1);
    expect((await up.visit()).text).toMatch(/^GET \/x HTTP\/1\.1\r\n/);
  });

  it('the path of the target in front, what rewritePath makes of it, and what withoutPrefix has left', async () => {
    const up = await upstream(OK);
    const paths = [
      proxy(new Request({ target: '/x/%20y?z' }), `${up.target}/base/`),
      proxy(new Request({ target: '/api/x' }), up.target, { rewritePath: (path) => path.replace(/^\/api/, '/v2 ü?') }),
      proxy(new Request({ target: '/api/x?q' }).withoutPrefix('/api') ?? new Request(), up.target),
    ];
    for (const answer of paths) await (await answer).collect();
    const asked = up.visits.map((visit) => visit.text.split(' ')[1]);
    expect(asked.toSorted()).toEqual(['/base/x/%20y?z', '/v2%20%C3%BC%3F/x', '/x?q']);
  });

  it('who asks, as we know it, and nothing of what the client says about that (RFC 7239)', async () => {
    const up = await upstream(OK);
    const client = await through(up.target);
    client.send(
      'GET / HTTP/1.1\r\nHost: a.example:81\r\nX-Forwarded-For: 6.6.6.6\r\nX_Forwarded_For: 6.6.6.6\r\nx-forwarded-proto: https\r\nX-Forwarded-Port: 6\r\nForwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\n\r\n',
    );
    await client.answers(1);
    const { text } = await up.visit();
    expect(text).not.toContain('6.6.6.6');
    expect(linesOf(text).filter((line) => line.includes('forwarded'))).toEqual([
      'x-forwarded-for: 127.0.0.1',
      'x-forwarded-proto: http',
      'x-forwarded-host: a.example:81',
      'forwarded: for=127.0.0.1;host="a.example:81";proto=http',
    ]);
  });

  it('an IPv6 address in brackets and quotes, an unknown one as unknown (RFC 7239 §6)', async () => {
    const up = await upstream(OK);
    await (await proxy(new Request({ remoteAddress: '2001:db8::1', secure: true }), up.target)).collect();
    await (await proxy(new Request({ headers: { Host: 'a"b' } }), up.target)).collect();
    const sent = up.visits.map(({ text }) => text).join('');
    expect(sent).toContain('X-Forwarded-For: 2001:db8::1\r\n');
    expect(sent).toContain('Forwarded: for="[2001:db8::1]";proto=https\r\n');
    expect(sent).toContain('Forwarded: for=unknown;proto=http\r\n');
  });

  it('nothing about the client with forwarded: false, neither ours nor its own', async () => {
    const up = await upstream(OK);
    const client = await through(up.target, { forwarded: false });
    client.send('GET / HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n\r\n');
    await client.answers(1);
    const { text } = await up.visit();
    expect(text.toLowerCase()).not.toContain('forwarded');
    expect(text).not.toMatch(/127\.0\.0\.1(?!:)|a\.example/);
  });

  it('nothing that belongs to one connection, or that Connection names (RFC 9110 §7.6.1)', async () => {
    const up = await upstream(OK);
    const client = await through(up.target);
    client.send(
      [
        'GET / HTTP/1.1\r\nHost: a\r\nconnection: close, X-Hop , X-Forwarded-For, Host, Via\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\n',
        'Trailer: X\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic eDp5\r\nProxy: http://evil.example\r\nUpgrade: websocket\r\n',
        'Expect: 100-continue\r\nHTTP2-Settings: AAA\r\nX-Kept: yes\r\n\r\n',
      ].join(''),
    );
    await client.answers(1);
    const names = namesOf((await up.visit()).text);
    expect(names.toSorted()).toEqual([
      'connection',
      'forwarded',
      'host',
      'via',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-kept',
    ]);
  });

  it('empty values, repeated lines and bytes above ASCII as they came', async () => {
    const up = await upstream(OK);
    const client = await through(up.target);
    client.send('GET / HTTP/1.1\r\nHost: a\r\nX-Empty:\r\nX-A: 1\r\nX-A: 2\r\nX-Latin: \xe9\r\n\r\n');
    await client.answers(1);
    const lines = linesOf((await up.visit()).text);
    expect(lines.filter((line) => /^x-(?:empty|a|latin):/.test(line))).toEqual(['x-empty: ', 'x-a: 1', 'x-a: 2', 'x-latin: \xe9']);
  });

  it('a body that came in chunks with its length, so that nobody disagrees where it ends', async () => {
    const up = await upstream();
    const client = await through(up.target);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n');
    const visit = await up.visit();
    const sent = await visit.has(/\r\n\r\nabcde$/);
    expect(linesOf(sent)).toContain('content-length: 5');
    expect(namesOf(sent)).not.toContain('transfer-encoding');
    visit.send(OK);
    expect((await client.answers(1))[0]?.body).toBe('ok');
  });

  it('a body from disk', async () => {
    const up = await upstream();
    const client = await through(up.target);
    const body = 'x'.repeat(300_000);
    client.send(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n${body}`);
    const visit = await up.visit();
    const sent = await visit.has(/\r\n\r\nx{300000}$/);
    expect(linesOf(sent)).toContain('content-length: 300000');
    visit.send(OK);
    expect((await client.answers(1))[0]?.status).toBe(200);
  });

  it('a body that is streamed while it comes in, with or without a length', async () => {
    const up = await upstream();
    const client = await through(up.target, {}, { streamBody: () => true });
    client.send('POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc');
    const visit = await up.visit();
    expect(linesOf(await visit.has(/\r\n\r\nabc$/))).toContain('content-length: 6');
    client.send('def');
    await visit.has(/abcdef$/);
    visit.send(OK);
    await client.answers(1);
    client.send('POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    expect(namesOf((await visit.has(/3\r\nabc$/)).split('POST /2')[1] ?? '')).toContain('transfer-encoding');
    client.send('0\r\n\r\n');
    await visit.has(/3\r\nabc\r\n0\r\n\r\n$/);
    visit.send(OK);
    expect((await client.answers(2))[1]?.body).toBe('ok');
  });

  it('no end of a streamed body that the client has not ended: the upstream sees a cut connection', async () => {
    const up = await upstream();
    const client = await through(up.target, {}, { streamBody: () => true });
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    const visit = await up.visit();
    await visit.has(/abc$/);
    client.socket.resetAndDestroy();
    await visit.closed();
    expect(visit.text).not.toContain('0\r\n\r\n');
  });
});

describe('proxy answers', () => {
  it('with the fields as they came: order, empty values, bytes above ASCII, each Set-Cookie on its line', async () => {
    const up = await upstream(
      'HTTP/1.1 200 OK\r\nx-empty:\r\nSet-Cookie: a=1\r\nX-UTF: \xc3\xa9\r\nSet-Cookie: b=2\r\nX-Latin: \xe9\r\nX-Tight:x\r\nContent-Length: 0\r\n\r\n',
    );
    const client = await through(up.target);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const [answer] = await client.answers(1);
    expect(linesOf(`${answer?.head}\r\n\r\n`).filter((line) => /^(?:x-|set-)/.test(line))).toEqual([
      'x-empty: ',
      'set-cookie: a=1',
      'x-utf: \xc3\xa9',
      'set-cookie: b=2',
      'x-latin: \xe9',
      'x-tight: x',
    ]);
  });

  it('without fields of the connection to the upstream, and keeps its own', async () => {
    const up = await upstream(
      'HTTP/1.1 200 OK\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=1\r\nProxy-Authenticate: Basic\r\nTrailer: X\r\nUpgrade: h2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: 1\r\n\r\n',
    );
    const client = await through(up.target);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const [answer] = await client.answers(1);
    expect(namesOf(answer?.head ?? '').filter((name) => !OWN_FRAMING.has(name))).toEqual(['date']);
    expect(answer?.body).toBe('ok');
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n'); // the client's connection goes on
    await client.answers(2);
  });

  it('with chunks decoded and framed anew', async () => {
    const up = await upstream('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n');
    const client = await through(up.target);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.answers(1))[0]?.body).toBe('abcde');
  });

  it('with a body that ends with its connection', async () => {
    const up = await upstream((visit) => {
      visit.send('HTTP/1.0 200 OK\r\n\r\nabc');
      visit.socket.end();
    });
    const client = await through(up.target);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const [answer] = await client.answers(1);
    expect([answer?.headers['transfer-encoding'], answer?.body]).toEqual(['chunked', 'abc']);
  });

  it('HEAD, 204 and 304 without a body, with the length that they announce (RFC 9110 §8.6)', async () => {
    const up = await upstream((visit, head) => {
      if (head.startsWith('HEAD')) visit.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n');
      if (head.startsWith('GET /204')) visit.send('HTTP/1.1 204 No Content\r\n\r\n');
      if (head.startsWith('GET /304')) visit.send('HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 100\r\n\r\n');
    });
    const client = await through(up.target);
    client.send('HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET /204 HTTP/1.1\r\nHost: a\r\n\r\nGET /304 HTTP/1.1\r\nHost: a\r\n\r\n');
    const text = await client.until((all) => parseAnswers(all, false, (index) => index === 0).length === 3);
    const answers = parseAnswers(text, false, (index) => index === 0);
    expect(answers.map(({ status, headers }) => [status, headers['content-length']])).toEqual([
      [200, '100'],
      [204, undefined],
      [304, '100'],
    ]);
  });

  it('with a redirect and a compressed body as they are', async () => {
    const up = await upstream(
      'HTTP/1.1 302 Found\r\nLocation: http://c.example/\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08',
    );
    const client = await through(up.target);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const [answer] = await client.answers(1);
    expect([answer?.status, answer?.headers['location'], answer?.body]).toEqual([302, 'http://c.example/', '\x1f\x8b\x08']);
  });

  it('piece by piece, as the upstream sends them', async () => {
    const up = await upstream('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n');
    const client = await through(up.target);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(/data: 1/);
    (await up.visit()).send('data: 2\n\n');
    await client.until(/data: 2/);
  });

  it('over connections that are kept', async () => {
    const up = await upstream(OK);
    const client = await through(up.target);
    for (let count = 1; count <= 3; count++) {
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await client.answers(count);
    }
    expect(up.visits).toHaveLength(1);
  });

  it('OPTIONS * and OPTIONS with Max-Forwards: 0 by itself, and counts down otherwise (RFC 9110 §7.6.2)', async () => {
    const up = await upstream(OK);
    const client = await through(up.target);
    client.send('OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\nOPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n');
    client.send('OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 10\r\n\r\n');
    expect((await client.answers(3)).map(({ status }) => status)).toEqual([204, 204, 200]);
    expect(up.visits.map(({ text }) => linesOf(text).filter((line) => line.startsWith('max-')))).toEqual([['max-forwards: 9']]);
  });
});

describe('proxy, when the upstream fails,', () => {
  const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

  it('answers 502 when it cannot be reached, and prints why', async () => {
    const server = createPlainServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    const client = await through(`http://127.0.0.1:${port}`);
    client.send('GET /x%0Ay HTTP/1.1\r\nHost: a\r\n\r\n');
    const [answer] = await client.answers(1);
    expect([answer?.status, answer?.body]).toEqual([502, 'Bad Gateway']);
    expect(log.mock.calls).toEqual([
      [`[proxy http://127.0.0.1:${port}] Cannot answer GET "/x\\ny": connect ECONNREFUSED 127.0.0.1:${port}`],
    ]);
  });

  it('answers 502 when it closes the connection without an answer', async () => {
    const up = await upstream((visit) => void visit.socket.end());
    const client = await through(up.target);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx');
    expect((await client.answers(1))[0]?.status).toBe(502);
    client.send('DELETE / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.answers(2))[1]?.status).toBe(502);
    expect(up.visits).toHaveLength(2); // a request that may change something is never sent twice
  });

  it('answers 504 when it does not answer in time, and closes the connection to it', async () => {
    const up = await upstream();
    const client = await through(up.target, { headersTimeout: 50 });
    client.send(GET);
    const [answer] = await client.answers(1);
    expect([answer?.status, answer?.body]).toEqual([504, 'Gateway Timeout']);
    await (await up.visit()).closed();
  });

  it('answers 504 when there is no connection in time', async () => {
    const held = createPlainServer({ pauseOnConnect: true }).listen({ port: 0, host: '127.0.0.1', backlog: 1 });
    await new Promise((resolve) => held.once('listening', resolve));
    const { port } = held.address() as { port: number };
    onTestFinished(() => void held.close());
    // TLS is spoken to a server that says nothing: the connection is never ready.
    const client = await through(`https://127.0.0.1:${port}`, { connectTimeout: 50 });
    client.send(GET);
    expect((await client.answers(1))[0]?.status).toBe(504);
  });

  it('answers 504 when it takes nothing of the body, but waits for a slow client', async () => {
    const up = await upstream();
    const client = await through(up.target, { headersTimeout: 60 }, { streamBody: () => true, maxBodySize: 1e9 });
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000000\r\n\r\n');
    const visit = await up.visit();
    const timeOut = async (): Promise<void> => {
      const other = await through(up.target, { headersTimeout: 60 });
      other.send(GET);
      expect((await other.answers(1))[0]?.status).toBe(504);
    };
    await timeOut();
    client.send('abc');
    await visit.has(/abc$/);
    await timeOut();
    expect(client.received).toBe(''); // the client was slow, not the upstream
    visit.socket.pause();
    const piece = Buffer.alloc(1_000_000);
    const pump = (): void => {
      while (!client.isClosed && client.received === '' && client.socket.write(piece));
    };
    client.socket.on('drain', pump);
    pump();
    expect(await client.until(/ \d{3} /)).toMatch(/^HTTP\/1\.1 504 /);
  });

  it('cuts the connection when it sends nothing more within the body', async () => {
    const errors: unknown[] = [];
    const up = await upstream('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    const client = await through(up.target, { bodyTimeout: 50 }, { onError: (error) => void errors.push(error) });
    client.send(GET);
    expect(await client.closed()).toMatch(/3\r\nabc\r\n$/);
    expect(errors).toMatchObject([{ code: 'gateway-timeout' }]);
  });

  it('cuts the connection when it dies within the body, with chunks or with a length', async () => {
    const errors: unknown[] = [];
    for (const head of [
      'Transfer-Encoding: chunked\r\n\r\n3\r\n',
      'Content-Length: 10\r\n\r\n',
      'Content-Length: 10\r\nConnection: close\r\n\r\n',
    ]) {
      const up = await upstream((visit) => {
        visit.send(`HTTP/1.1 200 OK\r\n${head}abc`);
        visit.socket.end();
      });
      const client = await through(up.target, {}, { onError: (error) => void errors.push(error) });
      client.send(GET);
      const text = await client.closed();
      expect(text).toContain('abc');
      expect(parseAnswers(text)).toEqual([]); // no whole answer
    }
    expect(errors).toMatchObject([{ code: 'bad-gateway' }, { code: 'bad-gateway' }, { code: 'bad-gateway' }]);
  });

  it('cuts the connection when a body that ends with its connection ends with a reset (RFC 9112 §8)', async () => {
    const up = await upstream('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc');
    const client = await through(up.target);
    client.send(GET);
    await client.until(/abc/);
    (await up.visit()).socket.resetAndDestroy();
    expect(await client.closed()).not.toContain('\r\n0\r\n\r\n');
  });

  it('asks once more when an idle connection was closed under a safe request, and no second time', async () => {
    let count = 0;
    const up = await upstream((visit) => {
      if (count++ === 0) visit.send(OK);
      else visit.socket.destroy();
    });
    const client = await through(up.target);
    client.send(GET);
    await client.answers(1);
    client.send(GET);
    expect((await client.answers(2))[1]?.status).toBe(502);
    expect([count, up.visits.length]).toEqual([3, 2]);
  });

  it('answers 499 to nobody when the client has left, and closes the connection to it', async () => {
    const { client, visit } = await asked(GET);
    client.socket.destroy();
    await visit.closed();
    expect(log).not.toHaveBeenCalled();
  });

  it('closes the connection to it when the client leaves within the body', async () => {
    const up = await upstream('HTTP/1.1 200 OK\r\n\r\nabc');
    const client = await through(up.target);
    client.send(GET);
    await client.until(/abc/);
    client.socket.resetAndDestroy();
    await (await up.visit()).closed();
  });

  it('closes the connection to it when the handler throws the response away', async () => {
    const up = await upstream('HTTP/1.1 200 OK\r\n\r\nabc');
    const { port } = await serve(async (request) => {
      await proxy(request, up.target);
      return Response.text('mine');
    });
    const client = await talk(port);
    client.send(GET);
    expect((await client.answers(1))[0]?.body).toBe('mine');
    await (await up.visit()).closed();
  });

  it('answers early when the upstream does, and lets go of the rest of the body', async () => {
    const up = await upstream('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno');
    const client = await through(up.target, {}, { streamBody: () => true });
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc');
    const [answer] = await client.answers(1);
    expect([answer?.status, answer?.body]).toEqual([413, 'no']);
  });

  it('takes no more from it than the client reads', async () => {
    let sent = 0;
    const piece = Buffer.alloc(64 * 1024);
    const up = await upstream((visit, head) => {
      if (head.startsWith('HEAD')) return visit.send('HTTP/1.1 200 OK\r\n\r\n');
      const pump = (): void => {
        while (visit.socket.writable && sent < 200e6 && visit.socket.write(piece)) sent += piece.length;
      };
      visit.send('HTTP/1.1 200 OK\r\n\r\n');
      visit.socket.on('drain', pump);
      pump();
    });
    const client = await through(up.target);
    client.socket.pause();
    client.send(GET);
    let stillFor = 0;
    let last = -1;
    await until(
      async () => {
        await proxy(new Request({ method: 'HEAD' }), up.target); // a round trip on the same way
        stillFor = sent === last && sent > 0 ? stillFor + 1 : 0;
        last = sent;
        return stillFor === 20 || undefined;
      },
      () => 'an upstream that is held back',
    );
    expect(sent).toBeLessThan(50e6); // what the kernel's buffers hold
  });
});

describe('proxy refuses', () => {
  it('a target that is no http URL, or has more than a path', async () => {
    for (const target of ['', 'localhost:9000', 'ftp://a/', 'http://u:p@a/', 'http://a/?q', 'http://a/#f', 7 as unknown as string]) {
      await expect(proxy(new Request(), target)).rejects.toMatchObject({ name: 'TypeError', code: 'bad-option' });
    }
  });

  it('options of a wrong type or value', async () => {
    const wrong: object[] = [
      { host: '' },
      { host: 'a b' },
      { host: 'a\r\nX: y' },
      { forwarded: 1 },
      { rewritePath: '/x' },
      { connectTimeout: -1 },
      { headersTimeout: Number.NaN },
      { bodyTimeout: 2 ** 31 },
    ];
    for (const options of wrong) {
      await expect(proxy(new Request(), 'http://127.0.0.1:9', options)).rejects.toMatchObject({ code: 'bad-option' });
    }
  });

  it('a path made by rewritePath that leaves where it was put', async () => {
    for (const path of ['x', '', '/a/../b', '/..', '/./x', undefined as unknown as string]) {
      await expect(proxy(new Request(), 'http://127.0.0.1:9', { rewritePath: () => path })).rejects.toMatchObject({ code: 'bad-option' });
    }
  });

  it('a request that it has sent on itself, with 508 (RFC 9110 §7.6.3)', async () => {
    let target = '';
    let count = 0;
    const { port } = await serve((request) => {
      count++;
      return proxy(request, target);
    });
    target = `http://127.0.0.1:${port}`;
    const client = await talk(port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\nVia: 1.1 other, 1.0 filrouge-0 (x)\r\nConnection: via\r\n\r\n');
    expect([(await client.answers(1))[0]?.status, count]).toEqual([508, 2]);
  });

  it('what undici refuses is never a crash: any field and path that our server lets through goes on', async () => {
    const up = await upstream(OK);
    const client = await through(up.target);
    client.send("ODD /~!$&'()*+,=:@-._%25%3F%23?a=[]{}|^\"<>` HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~: \x80\xff\ta\r\n\r\n");
    expect((await client.answers(1))[0]?.status).toBe(200);
    expect((await up.visit()).text).toContain('ODD /~!$&\'()*+,=:@-._%25%3F%23?a=[]{}|^"<>` HTTP/1.1\r\n');
  });
});

describe('proxy behind node:http', () => {
  it('carries bodies of some size both ways', async () => {
    const server = createServer((incoming, outgoing) => incoming.pipe(outgoing)).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const { port: ours } = await serve((request) => proxy(request, `http://127.0.0.1:${port}`), { maxBodySize: 20e6 });
    const body = Buffer.alloc(10e6, 'abcdefg');
    const response = await fetch(`http://127.0.0.1:${ours}/`, { method: 'POST', body });
    expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true);
  });
});
