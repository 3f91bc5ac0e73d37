import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Response } from '../../../src/index.ts';
import { resolveOptions } from '../../../src/server/options.ts';
import { answerOf, ask } from '../../support/http2.ts';
import { FrameParser, HELLO, headers, PREFACE } from '../../support/http2-frames.ts';
import { serve, talk } from '../../support/serve.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const answer = ({ httpVersion, secure }: { httpVersion: string; secure: boolean }): Response => Response.text(`${httpVersion} ${secure}`);

describe('HTTP/2 in the clear', () => {
  it('is refused with 505 without h2c', async () => {
    const { port, server } = await serve(answer);
    const client = await talk(port);
    client.send(HELLO);
    expect((await client.answers(1))[0]).toMatchObject({ status: 505 });
    await client.closed();
    expect(server.status().refused).toEqual({ 505: 1 });
  });

  it('is spoken with h2c to clients that begin with the preface, and HTTP/1.1 to others', async () => {
    const { port } = await serve(answer, { h2c: true });
    const client = connectHttp2(`http://127.0.0.1:${port}`);
    onTestFinished(() => client.destroy());
    expect(await ask(client)).toMatchObject({ body: '2.0 false' });
    const other = await talk(port);
    other.send(GET);
    expect((await other.answers(1))[0]).toMatchObject({ status: 200, body: '1.1 false' });
    other.send(GET);
    expect(await other.answers(2)).toHaveLength(2);
  });

  it('is recognized byte by byte, and so is HTTP/1.1 whose method begins like it', async () => {
    const { port } = await serve(answer, { h2c: true });
    const client = await talk(port);
    for (const byte of Buffer.concat([HELLO, headers(1)])) client.send(Buffer.from([byte]));
    await client.until((text) => new FrameParser().push(Buffer.from(text, 'latin1')).some(({ type }) => type === 'DATA'));
    const other = await talk(port);
    for (const character of GET.replace('GET', 'PRIVATE')) other.send(character);
    expect((await other.answers(1))[0]).toMatchObject({ status: 200, body: '1.1 false' });
  });

  it('is refused with 505 when the preface is another', async () => {
    const { port } = await serve(answer, { h2c: true });
    const client = await talk(port);
    client.send('PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n');
    expect((await client.answers(1))[0]).toMatchObject({ status: 505 });
  });

  it('has no time without end to begin', async () => {
    const { port, server } = await serve(answer, { h2c: true, headersTimeout: 50 });
    const silent = await talk(port);
    const slow = await talk(port);
    slow.send(PREFACE.subarray(0, 10));
    expect(await silent.closed()).toBe('');
    expect(await slow.closed()).toBe('');
    const last = await talk(port);
    await server.close();
    await last.closed();
  });

  it('has what a client sent that ends in the middle of the preface answered as HTTP/1.1', async () => {
    const { port } = await serve(answer, { h2c: true });
    const client = await talk(port);
    client.send('PR');
    client.end();
    await client.closed();
    expect((await client.answers(1))[0]).toMatchObject({ status: 400 });
  });
});

describe('the options of HTTP/2', () => {
  const tls = { cert: '-----BEGIN CERTIFICATE-----', key: '-----BEGIN PRIVATE KEY-----' };

  it('are refused where they would do nothing', () => {
    expect(() => resolveOptions({ h2c: true, tls })).toThrow('h2c has no effect with tls');
    expect(() => resolveOptions({ http2: true })).toThrow('http2 has no effect without tls');
    expect(resolveOptions({ http2: false })).toMatchObject({ http2: false, h2c: false });
    expect(resolveOptions({ tls })).toMatchObject({ http2: true, h2c: false });
  });

  it('are booleans', () => {
    expect(() => resolveOptions({ h2c: 1 as never })).toThrow(TypeError);
    expect(() => resolveOptions({ http2: 'yes' as never })).toThrow(TypeError);
  });
});

describe('HTTP/2 under TLS', () => {
  let folder = '';
  let tls = { cert: '', key: '' };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'filrouge-h2-tls-'));
    tls = { cert: join(folder, 'a.pem'), key: join(folder, 'a.key') };
    const options = '-nodes -days 2 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -subj /CN=localhost'.split(' ');
    execFileSync('openssl', ['req', '-x509', ...options, '-keyout', tls.key, '-out', tls.cert], { stdio: 'ignore' });
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  async function secured(port: number, ALPNProtocols: string[]): Promise<TLSSocket> {
    const socket = connectTls({ port, host: '127.0.0.1', ALPNProtocols, rejectUnauthorized: false });
    onTestFinished(() => void socket.destroy());
    await once(socket, 'secureConnect');
    return socket;
  }

  it('is spoken to clients that offer it, several at once, the first of which load it', async () => {
    const { port } = await serve(answer, { tls });
    const bodies = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const client = connectHttp2(`https://localhost:${port}`, { rejectUnauthorized: false });
        onTestFinished(() => client.destroy());
        return (await answerOf(client.request({ ':path': '/' }))).body;
      }),
    );
    expect(bodies).toEqual(Array.from({ length: 5 }, () => '2.0 true'));
  });

  it('brings large bodies both ways', async () => {
    const { port } = await serve((request) => Response.text(request.body.text()), { tls });
    const client = connectHttp2(`https://localhost:${port}`, { rejectUnauthorized: false });
    onTestFinished(() => client.destroy());
    const body = 'x'.repeat(3_000_000);
    expect((await ask(client, { ':method': 'POST', ':path': '/' }, body)).body === body).toBe(true);
  });

  it('is not spoken to clients that do not, nor with http2: false', async () => {
    const { port } = await serve(answer, { tls });
    expect((await secured(port, ['http/1.1'])).alpnProtocol).toBe('http/1.1');
    const { port: without } = await serve(answer, { tls, http2: false });
    const socket = await secured(without, ['h2', 'http/1.1']);
    expect(socket.alpnProtocol).toBe('http/1.1');
    socket.write(GET);
    expect(String((await once(socket, 'data'))[0])).toContain('1.1 true');
  });
});
