import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { explanationFor } from '../../src/exchange/explain.ts';
import { toFetch } from '../../src/fetch.ts';
import { type Handler, HttpError, match, Request, Response, type ServerOptions, startServer } from '../../src/index.ts';
import { describeInChromium, launchChromium, lookAt } from '../support/chromium.ts';
import { type Answer, serve, Talk, talk } from '../support/serve.ts';

const BARE = 'Internal Server Error';
const FIELDS = ['Host: localhost', 'Connection: keep-alive'];
const PAGE = 'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

function ordersOf(user: string): never {
  throw new Error(`no orders of <${user}>`, { cause: new TypeError('fetch failed') });
}

function failing(request: Request): Response {
  const route = match(request, 'GET /users/{id}/orders');
  return route ? ordersOf(route.id) : Response.empty(404);
}

/** What a server that fails answers to a client on this machine. */
async function answerTo(lines: readonly string[], options: ServerOptions = {}, handler: Handler = failing): Promise<Answer> {
  const { port } = await serve(handler, { onError: () => undefined, ...options });
  const client = await talk(port);
  client.send(`GET /users/a&b/orders?page=2&api_token=t0p HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
  return (await client.answers(1))[0] as Answer;
}

describe('a 500 on the machine of its programmer', () => {
  it('is a page for a browser: the error, the line, the stack and causes, the route, the request without its secrets', async () => {
    const secrets = ['Cookie: sid=s3', 'Authorization: Basic c2Vj', 'X-Api-Key: k3y', 'Referer: http://localhost/?session=s3'];
    const { status, headers, body } = await answerTo([...FIELDS, PAGE, 'User-Agent: <b>me</b>', ...secrets]);
    expect([status, headers['content-type'], headers['cache-control']]).toEqual([500, 'text/html; charset=utf-8', 'no-store']);
    expect(body).toContain('<h1>Error: no orders of &lt;a&amp;b&gt;</h1>');
    expect(body).toMatch(/<mark> *\d+ {4}throw new Error\(`no orders of/);
    expect(body).toMatch(/<li class="own">ordersOf \(test\/exchange\/explain\.test\.ts:\d+:\d+\)/);
    expect(body).toContain('<h2>Caused by TypeError: fetch failed</h2>');
    expect(body).toContain('<th scope="row">Route</th><td>/users/{id}/orders</td>');
    expect(body).toContain('GET /users/a&amp;b/orders?page=2&amp;api_token=\u00e2\u0080\u00a2'); // the mask, one character a byte
    expect(body).toContain('&lt;b&gt;me&lt;/b&gt;');
    for (const secret of ['t0p', 's3', 'c2Vj', 'k3y']) expect(body).not.toContain(secret);
  });

  it('holds no script, and forbids the browser to run one, to frame it and to keep it', async () => {
    const { headers, body } = await answerTo([...FIELDS, PAGE]);
    expect(body).not.toMatch(/<script|\son\w+=|javascript:/i);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
  });

  it('is text for a client that names no HTML', async () => {
    const { headers, body } = await answerTo(FIELDS);
    expect(headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(body).toMatch(/^Error: no orders of <a&b>\n {4}at ordersOf \(test\/exchange\/explain\.test\.ts:\d+:\d+\)\n/);
    expect(body).toMatch(/\n> +\d+ \| {3}throw new Error/);
    expect(body).toContain('which matched /users/{id}/orders');
  });

  it('is JSON with the stack for a client that prefers it, in the members that a 500 has', async () => {
    const { headers, body } = await answerTo([...FIELDS, 'Accept: application/json']);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(JSON.parse(body)).toMatchObject({
      status: 500,
      code: 'internal-server-error',
      message: BARE,
      error: 'Error: no orders of <a&b>',
      causes: [{ error: 'TypeError: fetch failed' }],
      route: '/users/{id}/orders',
    });
    expect((JSON.parse(body) as { stack: string[] }).stack[0]).toMatch(/^ordersOf \(test\/exchange\/explain\.test\.ts:/);
  });

  it('is what the option errors says, also for a browser (RFC 9457)', async () => {
    const { headers, body } = await answerTo([...FIELDS, PAGE], { errors: 'problem' });
    expect(headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse(body)).toMatchObject({ title: BARE, status: 500, error: 'Error: no orders of <a&b>' });
  });

  it('is told of a promise that rejects, and of what is no Error', async () => {
    const rejected = await answerTo(FIELDS, {}, () => Promise.reject(new RangeError('later')));
    expect(rejected.body).toMatch(/^RangeError: later\n/);
    const odd = { reason: 'odd' } as unknown as Error; // whatever it says
    const thrown = await answerTo(FIELDS, {}, () => Promise.reject(odd));
    expect(thrown.body).toMatch(/^an object was thrown, not an Error: \{ reason: 'odd' \}\n/);
  });

  it('is told of an error whose causes are a ring', async () => {
    const error = new Error('round');
    error.cause = error;
    const { body } = await answerTo(FIELDS, {}, () => Promise.reject(error));
    expect(body.match(/^Caused by/gm)).toHaveLength(5);
  });

  it('shows no file that a message names: what looks like frames there came from a client', async () => {
    const forged = `x\n    at f (/etc/hostname:1:1)\n    at g (/etc/passwd:1:1)`;
    const { body } = await answerTo(FIELDS, {}, () => Promise.reject(Object.assign(new Error(forged), { stack: `Error: ${forged}` })));
    expect(body).not.toContain('root:');
    expect(body).not.toContain('> 1 |');
  });

  it('names a script by the URL it was given, which no file can have', async () => {
    const error = Object.assign(new Error('no'), { stack: 'Error: no\n    at page (file://elsewhere/pages/a.js:1:19)' });
    const { status, body } = await answerTo(FIELDS, {}, () => Promise.reject(error));
    expect(status).toBe(500);
    expect(body).toContain('file://elsewhere/pages/a.js:1:19');
  });

  it('leaves an HttpError, a thrown Response and the answer of onError as they are', async () => {
    const meant = await answerTo([...FIELDS, PAGE], {}, () => Promise.reject(new HttpError(500, 'Try again')));
    expect(meant.body).toBe('Try again');
    const own = await answerTo([...FIELDS, PAGE], { onError: () => Response.text('sorry').withStatus(500) });
    expect(own.body).toBe('sorry');
  });

  it('has no body for HEAD', async () => {
    const { port } = await serve(failing, { onError: () => undefined });
    const client = await talk(port);
    client.send(`HEAD /users/1/orders HTTP/1.1\r\n${FIELDS.join('\r\n')}\r\n\r\n`);
    client.end();
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 500 [^\0]*\r\n\r\n$/);
  });
});

describe('a 500 for anybody else', () => {
  it.each([
    ['a name of another site: DNS rebinding', ['Host: evil.example', 'Connection: keep-alive']],
    ['a name that begins like this machine', ['Host: localhost.evil.example', 'Connection: keep-alive']],
    ['another address', ['Host: 192.0.2.1:8000', 'Connection: keep-alive']],
    ['a page of another origin', [...FIELDS, 'Origin: https://evil.example']],
    ['a page without an origin of its own', [...FIELDS, 'Origin: null']],
    ['X-Forwarded-For', [...FIELDS, 'X-Forwarded-For: 192.0.2.1']],
    ['X-Forwarded-For as CGI would write it', [...FIELDS, 'X_Forwarded_For: 192.0.2.1']],
    ['X-Forwarded-Proto alone', [...FIELDS, 'x-forwarded-proto: http']],
    ['Forwarded', [...FIELDS, 'Forwarded: for=127.0.0.1']],
    ['Via', [...FIELDS, 'Via: 1.1 a']],
    ['X-Real-IP', [...FIELDS, 'X-Real-IP: 127.0.0.1']],
    ['a field of a content network', [...FIELDS, 'CF-Connecting-IP: 192.0.2.1']],
    ['True-Client-IP', [...FIELDS, 'True-Client-IP: 192.0.2.1']],
    ['no Connection, which a proxy removes', ['Host: localhost']],
    ['Connection: close, as old proxies send', ['Host: localhost', 'Connection: close']],
  ])('is bare: %s', async (_, lines) => {
    const { status, headers, body } = await answerTo([...lines, PAGE]);
    expect([status, headers['content-type'], body]).toEqual([500, 'text/plain; charset=utf-8', BARE]);
  });

  it('is bare for a target in absolute form, as proxies are asked', async () => {
    const { port } = await serve(failing, { onError: () => undefined });
    const client = await talk(port);
    client.send(`GET http://localhost/users/1/orders HTTP/1.1\r\n${FIELDS.join('\r\n')}\r\n\r\n`);
    expect((await client.answers(1))[0]?.body).toBe(BARE);
  });

  it('is bare for HTTP/1.0, in which proxies ask', async () => {
    const { port } = await serve(failing, { onError: () => undefined });
    const client = await talk(port);
    client.send(`GET /users/1/orders HTTP/1.0\r\n${FIELDS.join('\r\n')}\r\n\r\n`);
    expect((await client.answers(1))[0]?.body).toBe(BARE);
  });

  it('is bare where a proxy on this machine is trusted, whether it says something or not', async () => {
    expect((await answerTo([...FIELDS, PAGE], { trustProxy: ['127.0.0.0/8'] })).body).toBe(BARE);
    expect((await answerTo([...FIELDS, PAGE], { trustProxy: ['::ffff:127.0.0.1'] })).body).toBe(BARE);
  });

  it('is bare on a unix socket, where there is no address', async () => {
    const path = join(tmpdir(), `filrouge-explain-${process.pid}`);
    const server = await startServer(failing, { workers: 0, signals: false, path, onError: () => undefined });
    onTestFinished(() => server.close({ timeout: 0 }));
    const client = new Talk(connect(path));
    onTestFinished(() => void client.socket.destroy());
    client.send(`GET /users/1/orders HTTP/1.1\r\n${FIELDS.join('\r\n')}\r\n\r\n`);
    expect((await client.answers(1))[0]?.body).toBe(BARE);
  });

  it.each(['192.0.2.1', '10.0.0.1', '2001:db8::1', '::ffff:192.0.2.1', '172.17.0.1', undefined])(
    'is bare for the address %s',
    (address) => {
      const headers = [
        ['Host', 'localhost'],
        ['Connection', 'keep-alive'],
      ] as const;
      const told = (remoteAddress: string | undefined): Response | undefined =>
        explanationFor(
          { options: { errors: 'auto', onError: undefined, explainsTo: () => true } },
          new Request({ headers, remoteAddress }),
          new Error('x'),
        );
      expect(told(address)).toBeUndefined();
      expect(told('::1')?.status).toBe(500);
      expect(told('::ffff:127.0.0.1')?.status).toBe(500);
    },
  );

  it('is bare in production, whatever the client', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    onTestFinished(() => void vi.unstubAllEnvs());
    expect((await answerTo([...FIELDS, PAGE])).body).toBe(BARE);
    expect(JSON.parse((await answerTo([...FIELDS, 'Accept: application/json'])).body)).toEqual({
      status: 500,
      code: 'internal-server-error',
      message: BARE,
    });
  });

  it("is bare on somebody else's server, which knows its clients better", async () => {
    const answer = await toFetch(() => Promise.reject(new Error('x')), { onError: () => undefined })(
      new globalThis.Request('http://localhost/', { headers: { Connection: 'keep-alive', Accept: 'text/html' } }),
    );
    expect([answer.status, await answer.text()]).toEqual([500, BARE]);
  });
});

describeInChromium('the page in Chromium', { timeout: 30_000 }, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  it('bars nobody and needs no moving sideways, on a desk and on a phone', async () => {
    const { port } = await serve(failing, { onError: () => undefined });
    const page = await browser.newPage();
    const answer = await page.goto(`http://localhost:${port}/users/7/orders`);
    expect([answer?.status(), await page.textContent('h1')]).toEqual([500, 'Error: no orders of <7>']);
    await lookAt(page, 'error', { fullPage: true });
    await page.close();
  });
});
