/**
 * What proxies have been attacked with, and what Rouille's proxy does wrong.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { StreamContent } from '../../../src/http/body/response-body.ts';
import { Request } from '../../../src/index.ts';
import { proxy } from '../../../src/proxy.ts';
import { linesOf, namesOf, OK, through, upstream, type Visit } from './upstream.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const log = vi.spyOn(console, 'error');
beforeEach(() => void log.mockReset().mockImplementation(() => {}));
afterEach(() => void log.mockReset());

/** What the client sees when the upstream answers so. */
async function seen(answer: string, isEnded = false): Promise<string> {
  const up = await upstream((visit: Visit) => {
    visit.send(answer);
    if (isEnded) visit.socket.end();
  });
  const client = await through(up.target);
  client.send(GET.replace('Host', 'Connection: close\r\nHost'));
  return client.closed();
}

describe('a response that could be read in two ways is answered 502:', () => {
  it('Content-Length beside Transfer-Encoding (RFC 9112 §6.1)', async () => {
    expect(await seen('HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')).toMatch(/^HTTP\/1\.1 502 /);
    expect(await seen('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n')).toMatch(/^HTTP\/1\.1 502 /);
  });

  it('two lengths, or one that is no number', async () => {
    expect(await seen('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab')).toMatch(/^HTTP\/1\.1 502 /);
    expect(await seen('HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na')).toMatch(/^HTTP\/1\.1 502 /);
    expect(await seen('HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\na')).toMatch(/^HTTP\/1\.1 502 /);
  });

  it('a transfer coding besides chunked, which nobody would name any more', async () => {
    expect(await seen('HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n')).toMatch(/^HTTP\/1\.1 502 /);
    expect(await seen('HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc', true)).toMatch(/^HTTP\/1\.1 502 /);
    expect(await seen('HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nabc', true)).toMatch(/^HTTP\/1\.1 502 /);
  });

  it('a control character in a value, a name that is no token, a line without a colon', async () => {
    for (const line of ['X: a\x01b', 'X: a\x7fb', 'X: a\rb', 'X Y: a', 'X : a', 'no colon', 'X: a\r\n folded']) {
      expect(await seen(`HTTP/1.1 200 OK\r\n${line}\r\nContent-Length: 0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 502 /);
    }
  });

  it('no HTTP at all, a status that cannot be sent, or a head that is too large', async () => {
    expect(await seen('SSH-2.0-OpenSSH_9.2\r\n\r\n', true)).toMatch(/^HTTP\/1\.1 502 /);
    expect(await seen('HTTP/1.1 20 OK\r\n\r\n', true)).toMatch(/^HTTP\/1\.1 502 /);
    expect(await seen(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 502 /);
  });
});

describe('the next client', () => {
  it('gets nothing of a response that the last one was sent too much of', async () => {
    let count = 0;
    const up = await upstream((visit) => visit.send(count++ === 0 ? `${OK}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison` : OK));
    const client = await through(up.target);
    client.send(GET);
    await client.answers(1);
    client.send(GET);
    expect((await client.answers(2)).map(({ body }) => body)).toEqual(['ok', 'ok']);
    expect(client.received).not.toContain('poison');
    expect(up.visits).toHaveLength(2); // that connection was not used again
  });

  it('is not asked for by a body: the upstream reads one request, whatever is in it', async () => {
    const up = await upstream();
    const client = await through(up.target);
    const inner = 'GET /admin HTTP/1.1\r\nHost: a\r\n\r\n';
    client.send(`GET /1 HTTP/1.1\r\nHost: a\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`);
    const sent = await (await up.visit()).has(/admin HTTP\/1\.1\r\nHost: a\r\n\r\n$/);
    expect(linesOf(sent)).toContain(`content-length: ${inner.length}`);
    expect(linesOf(sent)).toContain('connection: close'); // some upstreams do not read the body of a GET: nothing follows it on this connection
  });

  it('whatever a request holds, the upstream sees one head, framed by us', async () => {
    const up = await upstream(OK);
    const text = fc.string({
      unit: fc.constantFrom('a', '/', '.', '%', ';', ':', '@', 'é', '😀', '+', ' ', '#', '?', '2', 'F', '&', '\t'),
      maxLength: 20,
    });
    const name = fc.constantFrom(
      'X-A',
      'Connection',
      'TE',
      'Transfer-Encoding',
      'Content-Length',
      'Host',
      'Expect',
      'Upgrade',
      'Via',
      'Keep-Alive',
      'Proxy-X',
    );
    const value = fc.constantFrom('', 'close', 'chunked', '7', 'upgrade, x-a', 'h2c', '100-continue', 'a.example', ' ,, ', '1.1 x');
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('GET', 'POST', 'DELETE', 'X'),
        text,
        text,
        fc.array(fc.tuple(name, value)),
        text,
        async (method, path, query, fields, body) => {
          const target = `/${path.split('/').map(encodeURIComponent).join('/')}?${query.replace(/[^!-~]|#/gu, encodeURIComponent)}`;
          const before = up.visits.map((visit) => visit.text.length);
          const response = await proxy(new Request({ method, target, headers: fields, body }), up.target);
          expect((await response.collect()).toString()).toBe('ok');
          const sent = up.visits.map((visit, i) => visit.text.slice(before[i] ?? 0)).join('');
          const [head = '', ...rest] = sent.split('\r\n\r\n');
          expect(head).toMatch(/^[A-Z]+ \/[!-~]* HTTP\/1\.1\r\n/);
          const names = namesOf(`${head}\r\n\r\n`);
          for (const once of ['host', 'connection']) expect(names.filter((one) => one === once)).toEqual([once]);
          expect(names).not.toContain('transfer-encoding');
          expect(names.filter((one) => one === 'content-length').length).toBeLessThan(2);
          const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
          expect(rest.join('\r\n\r\n')).toBe(Buffer.from(body).toString('latin1'));
          expect(length).toBe(Buffer.byteLength(body));
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('TLS to the upstream', () => {
  const folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const make = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost';
  beforeAll(() => void execFileSync('openssl', [...make.split(' '), '-keyout', key, '-out', cert], { stdio: 'ignore' }));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('asks for the certificate of the target whatever Host says, and takes none that nobody vouches for', async () => {
    const names: (string | undefined)[] = [];
    const server = createServer({
      key: readFileSync(key),
      cert: readFileSync(cert),
      SNICallback: (name, done) => done(null, void names.push(name)),
    });
    onTestFinished(() => void server.close());
    await once(server.listen(0, 'localhost'), 'listening');
    server.on('tlsClientError', () => {});
    const target = `https://localhost:${(server.address() as { port: number }).port}`;
    await expect(proxy(new Request(), target, { host: 'evil.example' })).rejects.toMatchObject({ status: 502 });
    expect(names).toEqual(['localhost']);
    expect(String(log.mock.calls)).toContain('self-signed certificate');
  });
});

describe('the memory of a proxy', () => {
  it('does not grow with the bodies that go through it', async () => {
    const piece = Buffer.alloc(64 * 1024);
    let left = 512 * 1024 * 1024;
    const up = await upstream((visit) => {
      visit.send(`HTTP/1.1 200 OK\r\nContent-Length: ${left}\r\n\r\n`);
      const pump = (): void => {
        while (left > 0 && visit.socket.write(piece)) left -= piece.length;
      };
      visit.socket.on('drain', () => {
        left -= piece.length;
        pump();
      });
      pump();
    });
    const response = await proxy(new Request(), up.target);
    const before = process.memoryUsage.rss();
    let [size, peak] = [0, 0];
    for await (const bytes of (response.content as StreamContent).take()) {
      size += bytes.length;
      peak = Math.max(peak, process.memoryUsage.rss());
    }
    expect(size).toBe(512 * 1024 * 1024);
    expect(peak - before).toBeLessThan(200 * 1024 * 1024); // garbage of upstream and client, which live in this process as well
  });
});

describe('where Rouille failed, a proxy', () => {
  it('reads a chunked response: no chunk sizes in the body', async () => {
    expect(await seen('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n')).toMatch(
      /Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n$|Content-Length: 5\r\n\r\nhello$/, // by whether it came with the head
    );
  });

  it('sends a chunked request with the length that it has', async () => {
    const up = await upstream();
    const client = await through(up.target);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n');
    const sent = await (await up.visit()).has(/hello$/);
    expect(namesOf(sent)).not.toContain('transfer-encoding');
    expect(linesOf(sent)).toContain('content-length: 5');
  });

  it('lets empty values and values right behind the colon pass', async () => {
    const answer = await seen('HTTP/1.1 200 OK\r\nX-Empty:\r\nX-Tight:value\r\nContent-Length: 0\r\n\r\n');
    expect(answer).toContain('X-Empty: \r\n');
    expect(answer).toContain('X-Tight: value\r\n');
  });

  it('replaces host and drops connection in any case', async () => {
    const up = await upstream(OK);
    const client = await through(up.target, { host: 'b.example' });
    client.send('GET / HTTP/1.1\r\nhOST: a\r\ncONNECTION: keep-alive, x\r\nx: 1\r\n\r\n');
    await client.answers(1);
    const lines = linesOf((await up.visit()).text);
    expect(lines.filter((line) => /^(?:host|connection|x):/.test(line))).toEqual(['host: b.example', 'connection: keep-alive']);
  });

  it('waits for the final response behind an interim one, and sends both on', async () => {
    expect(await seen('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\n\r\nHTTP\/1\.1 200 [\s\S]*ok$/,
    );
  });

  it('keeps the length of a response', async () => {
    expect(await seen('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello')).toContain('Content-Length: 5\r\n');
  });

  it('answers 502, not 504, when nobody listens', async () => {
    await expect(proxy(new Request(), 'http://127.0.0.1:1')).rejects.toMatchObject({ status: 502, code: 'bad-gateway' });
  });

  it('waits for an upstream no longer than it was told, and needs no thread to wait', async () => {
    const up = await upstream();
    await expect(proxy(new Request(), up.target, { headersTimeout: 30 })).rejects.toMatchObject({ status: 504, code: 'gateway-timeout' });
  });

  it('sends the host of an absolute-form target, which is not the Host field', async () => {
    const up = await upstream(OK);
    const client = await through(up.target);
    client.send('GET http://real.example/ HTTP/1.1\r\nHost: real.example\r\n\r\n');
    await client.answers(1);
    expect(linesOf((await up.visit()).text)).toContain('x-forwarded-host: real.example');
  });
});
