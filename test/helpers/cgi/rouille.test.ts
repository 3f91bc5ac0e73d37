/**
 * What Rouille's CGI does wrong, found by reading it: each was a leak, a crash or a request that never ended.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { cgi } from '../../../src/cgi.ts';
import { Request, type Response } from '../../../src/index.ts';
import { childless, children, environmentOf, shell, textOf } from '../../support/cgi/shell.ts';
import { serve, talk } from '../../support/serve.ts';

const HEAD = "printf 'Content-Type: text/plain\\n\\n';";
afterEach(() => vi.unstubAllEnvs());

describe('where Rouille failed, a script', () => {
  it('does not see the environment of the server', async () => {
    vi.stubEnv('DATABASE_PASSWORD', 'secret');
    expect(JSON.stringify(await environmentOf(new Request()))).not.toContain('secret');
  });

  it('sees the fields of the request, Host and cookies among them, and never HTTP_PROXY', async () => {
    const headers = { Host: 'a.example', Cookie: 'a=1', 'Content-Encoding': 'gzip', Proxy: 'http://evil.example' };
    const environment = await environmentOf(new Request({ headers }));
    expect(environment).toMatchObject({ HTTP_HOST: 'a.example', HTTP_COOKIE: 'a=1', HTTP_CONTENT_ENCODING: 'gzip' });
    expect(environment).not.toHaveProperty('HTTP_PROXY');
  });

  it('has the address without the port in REMOTE_ADDR, and the real name and port of the server', async () => {
    const { port } = await serve((request) => shell(`${HEAD} echo $REMOTE_ADDR $REMOTE_PORT $SERVER_NAME $SERVER_PORT`, request));
    const client = await talk(port);
    client.send(`GET / HTTP/1.1\r\nHost: a.example:${port}\r\n\r\n`);
    expect((await client.answers(1))[0]?.body).toBe(`127.0.0.1 ${client.socket.localPort} a.example ${port}\n`);
  });

  it.each([
    ['by a client that names none', {}, '', (port: number) => port],
    ['through a trusted proxy', { trustProxy: ['127.0.0.1'] }, 'X-Forwarded-Proto: https\r\n', () => 443],
    ['through a trusted proxy that says nothing', { trustProxy: ['127.0.0.1'] }, '', (port: number) => port],
    ['after a local redirect', {}, '', (port: number) => port],
  ])('has the port of ours that was connected to: %s', async (how, options, fields, expected) => {
    const echo = (request: Request): Promise<Response> => shell(`${HEAD} echo $SERVER_PORT $REMOTE_PORT`, request);
    const redirecting = (request: Request): Promise<Response> =>
      cgi(request, 'sh', { args: ['-c', 'printf "Location: /b\\n\\n"'], localRedirect: echo });
    const { port } = await serve(how.endsWith('redirect') ? redirecting : echo, options);
    const client = await talk(port);
    client.send(`GET / HTTP/1.1\r\nHost: a.example\r\n${fields}\r\n`);
    expect((await client.answers(1))[0]?.body).toBe(`${expected(port)} ${client.socket.localPort}\n`);
  });

  it('is told the real length of a body that came in chunks, and sees its end', async () => {
    const { port } = await serve((request) => shell(`${HEAD} echo $CONTENT_LENGTH; cat`, request));
    const client = await talk(port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n');
    expect((await client.answers(1))[0]?.body).toBe('5\nabcde');
  });

  it('may fill its output before it reads its input', async () => {
    const script = `${HEAD} head -c 1000000 /dev/zero; wc -c`;
    const output = await textOf(await shell(script, new Request({ method: 'POST', body: Buffer.alloc(1_000_000) })));
    expect(output.slice(1_000_000).trim()).toBe('1000000');
  });

  it('need not read its input', async () => {
    const response = await shell(`${HEAD} echo done`, new Request({ method: 'POST', body: Buffer.alloc(1_000_000) }));
    expect([response.status, await textOf(response)]).toEqual([200, 'done\n']);
  });

  it('may write "status" in any case, empty values, no space behind the colon, and bytes that are no UTF-8', async () => {
    const response = await shell("printf 'STATUS:404\\nContent-Type:text/plain\\nX-Empty:\\nX-Latin: \\351\\n\\n'");
    expect(response.status).toBe(404);
    expect(response.headers).toEqual([
      ['Content-Type', 'text/plain'],
      ['X-Empty', ''],
      ['X-Latin', 'é'],
    ]);
  });

  it('that is malformed costs an answer, not a crash', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    await expect(shell("printf 'no colon\\n\\n'")).rejects.toMatchObject({ status: 502 });
    await expect(shell("printf 'Status: é\\n\\n'")).rejects.toMatchObject({ status: 502 });
    log.mockRestore();
  });

  it('redirects with Location alone', async () => {
    expect((await shell("printf 'Location: https://a.example/\\n\\n'")).status).toBe(302);
  });

  it('leaves no zombie', async () => {
    for (let i = 0; i < 20; i++) await textOf(await shell(`${HEAD} echo x`));
    await childless();
    expect(children()).toEqual([]);
  });
});
