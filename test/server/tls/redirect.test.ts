import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Response } from '../../../src/index.ts';
import { Authority } from '../../support/certificates.ts';
import { type Answer, serve, talk } from '../../support/serve.ts';

let authority: Authority;
beforeAll(() => {
  authority = new Authority();
});
afterAll(() => authority.remove());

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The answer to one request. */
async function ask(port: number, request: string): Promise<Answer> {
  const client = await talk(port);
  client.send(request);
  return (await client.answers(1))[0] as Answer;
}

describe('redirectHttp', () => {
  it('sends clients to the same address under https', async () => {
    const plain = await freePort();
    const { port } = await serve(() => Response.text(''), { tls: { ...authority.issue('a'), redirectHttp: plain } });
    const answer = await ask(plain, 'POST /a%20b?c=d HTTP/1.1\r\nHost: example.org:80\r\nContent-Length: 1\r\n\r\nx');
    expect(answer.status).toBe(308);
    expect(answer.headers['location']).toBe(`https://example.org:${port}/a%20b?c=d`);
  });

  it('may name another port, as where a balancer is in front', async () => {
    const plain = await freePort();
    await serve(() => Response.text(''), { tls: { ...authority.issue('b'), redirectHttp: { port: plain, to: 443 } } });
    const answer = await ask(plain, 'GET //evil.example/ HTTP/1.1\r\nHost: example.org\r\n\r\n');
    expect(answer.headers['location']).toBe('https://example.org//evil.example/');
  });

  it('knows where a client of a proxy wants to go (RFC 9112 §3.2.2)', async () => {
    const plain = await freePort();
    await serve(() => Response.text(''), { tls: { ...authority.issue('e'), redirectHttp: { port: plain, to: 443 } } });
    const whither = async (target: string): Promise<string | undefined> =>
      (await ask(plain, `GET ${target} HTTP/1.1\r\nHost: other.example\r\n\r\n`)).headers['location'];
    expect(await whither('http://example.org:80/a/b?c')).toBe('https://example.org/a/b?c');
    expect(await whither('HTTP://example.org?c')).toBe('https://example.org/?c');
    expect(await whither('http://example.org')).toBe('https://example.org/');
  });

  it('serves the challenges of ACME, and nothing else from there (RFC 8555 §8.3)', async () => {
    const plain = await freePort();
    const acme = join(authority.folder, 'webroot');
    mkdirSync(join(acme, '.well-known/acme-challenge'), { recursive: true });
    writeFileSync(join(acme, '.well-known/acme-challenge/token-1'), 'token-1.thumbprint');
    writeFileSync(join(acme, 'secret'), 'secret');
    await serve(() => Response.text(''), { tls: { ...authority.issue('c'), redirectHttp: { port: plain, acme } } });
    const get = (path: string): Promise<Answer> => ask(plain, `GET ${path} HTTP/1.1\r\nHost: example.org\r\n\r\n`);
    expect((await get('/.well-known/acme-challenge/token-1')).body).toBe('token-1.thumbprint');
    expect((await get('/.well-known/acme-challenge/token-2')).status).toBe(404);
    expect((await get('/.well-known/acme-challenge/..%2F..%2Fsecret')).status).toBe(404);
    expect((await get('/.well-known/acme-challenge/../../secret')).status).toBe(308);
  });

  it('that cannot listen ends the start', async () => {
    const occupant = createServer();
    await new Promise<void>((resolve) => occupant.listen(0, '127.0.0.1', resolve));
    const { port } = occupant.address() as { port: number };
    await expect(serve(() => Response.text(''), { tls: { ...authority.issue('d'), redirectHttp: port } })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    await new Promise((resolve) => occupant.close(resolve));
  });
});
