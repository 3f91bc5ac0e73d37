/** A dispatcher of the application in place of our own connections: with the real things of undici. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { Agent, Client, type Dispatcher, MockAgent } from 'undici';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Handler, Request, startServer } from '../../../src/index.ts';
import { type ProxyOptions, proxy } from '../../../src/proxy.ts';
import { serve, talk } from '../../support/serve.ts';
import { through, upstream } from './upstream.ts';

const log = vi.spyOn(console, 'error');
beforeEach(() => void log.mockReset().mockImplementation(() => {}));
afterEach(() => void log.mockReset());

/** A folder that is gone when the test ends. */
function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

async function listening(server: Server, where: string | number): Promise<void> {
  server.listen(where);
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
}

const collected = async (options: ProxyOptions, request = new Request(), target = 'http://api.example'): Promise<unknown[]> => {
  const response = await proxy(request, target, options);
  return [response.status, (await response.collect()).toString()];
};

describe('a MockAgent', () => {
  function mocked(): MockAgent {
    const agent = new MockAgent();
    agent.disableNetConnect();
    onTestFinished(() => agent.close());
    return agent;
  }

  it('answers for an upstream that is not there, with status, fields and body', async () => {
    const agent = mocked();
    const headers = { 'Set-Cookie': ['a=1', 'b=2'], 'X-One': '1', Connection: 'X-One' };
    agent
      .get('http://api.example')
      .intercept({ path: '/base/users?q=1', method: 'POST', body: (body: unknown) => String(body) === 'hello' })
      .reply(201, '{"id":7}', { headers });
    const request = new Request({ method: 'POST', target: '/users?q=1', body: 'hello' });
    const response = await proxy(request, 'http://api.example/base', { dispatcher: agent });
    expect([response.status, (await response.collect()).toString()]).toEqual([201, '{"id":7}']);
    expect([response.headerAll('set-cookie'), response.header('x-one')]).toEqual([['a=1', 'b=2'], undefined]);
    agent.assertNoPendingInterceptors();
  });

  it('is sent the Host and the fields that an upstream would get', async () => {
    const agent = mocked();
    const seen: unknown[] = [];
    const pool = agent.get('https://api.example');
    pool.intercept({ path: '/' }).reply(200, ({ headers }) => {
      seen.push((headers as Record<string, string>)['Host'], (headers as Record<string, string>)['X-Forwarded-For']);
      return 'ok';
    });
    expect(await collected({ dispatcher: agent }, new Request({ remoteAddress: '192.0.2.1' }), 'https://api.example')).toEqual([200, 'ok']);
    expect(seen).toEqual(['api.example', '192.0.2.1']);
  });

  it('fails as an upstream does: 502, and what has failed is in the log', async () => {
    const agent = mocked();
    agent.get('http://api.example').intercept({ path: '/broken' }).replyWithError(new Error('no such luck'));
    await expect(proxy(new Request({ target: '/broken' }), 'http://api.example', { dispatcher: agent })).rejects.toMatchObject({
      code: 'bad-gateway',
    });
    await expect(proxy(new Request({ target: '/other' }), 'http://api.example', { dispatcher: agent })).rejects.toMatchObject({
      code: 'bad-gateway',
    });
    expect(String(log.mock.calls)).toMatch(/\[proxy http:\/\/api\.example\] Cannot answer GET "\/broken": no such luck/);
    expect(String(log.mock.calls)).toMatch(/"\/other": Mock dispatch not matched/);
  });
});

describe('an upstream on a unix socket', () => {
  it('is reached by a Client with its path, for requests and for upgrades', async () => {
    const path = join(folder(), 'app.sock');
    const server = createServer((request, response) => request.pipe(response.setHeader('X-Path', request.url ?? '')));
    server.on('upgrade', (_request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
      socket.pipe(socket);
    });
    await listening(server, path);
    const dispatcher = new Client('http://localhost', { socketPath: path });
    onTestFinished(() => dispatcher.destroy());
    const client = await through('http://localhost', { dispatcher });
    client.send('POST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc');
    const [answer] = await client.answers(1);
    expect([answer?.status, answer?.headers['x-path'], answer?.body]).toEqual([200, '/a?b', 'abc']);
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    await client.until(/101 Switching Protocols[\s\S]*\r\n\r\n$/);
    client.send('through the socket');
    await client.until(/through the socket$/);
  });

  it('may be one of ours', async () => {
    const path = join(folder(), 'ours.sock');
    const answer: Handler = async () => (await import('../../../src/index.ts')).Response.text('from the socket');
    const server = await startServer(answer, { path, workers: 0, signals: false });
    onTestFinished(() => server.close());
    const dispatcher = new Agent({ connect: { socketPath: path } });
    onTestFinished(() => dispatcher.destroy());
    expect(await collected({ dispatcher })).toEqual([200, 'from the socket']);
  });
});

describe('an upstream that asks for a certificate', () => {
  it('gets the one of an Agent, and its own is checked against the authority of the Agent', async () => {
    const place = folder();
    const make = (...args: string[]): void => void execFileSync('openssl', args, { cwd: place, stdio: 'ignore' });
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    make('req', '-x509', ...key, '-days', '1', '-subj', '/CN=authority', '-keyout', 'ca.key', '-out', 'ca.pem');
    for (const name of ['localhost', 'proxy']) {
      make(
        'req',
        '-new',
        ...key,
        '-subj',
        `/CN=${name}`,
        '-addext',
        `subjectAltName=DNS:${name}`,
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.csr`,
      );
      make(
        'x509',
        '-req',
        '-in',
        `${name}.csr`,
        '-CA',
        'ca.pem',
        '-CAkey',
        'ca.key',
        '-CAcreateserial',
        '-days',
        '1',
        '-copy_extensions',
        'copy',
        '-out',
        `${name}.pem`,
      );
    }
    const file = (name: string): Buffer => readFileSync(join(place, name));
    const options = {
      key: file('localhost.key'),
      cert: file('localhost.pem'),
      ca: file('ca.pem'),
      requestCert: true,
      rejectUnauthorized: true,
    };
    const server = createTlsServer(options, (request, response) => {
      response.end((request.socket as TLSSocket).getPeerCertificate().subject.CN);
    });
    await listening(server, 0);
    const target = `https://localhost:${(server.address() as { port: number }).port}`;
    const ca = file('ca.pem');
    const known = new Agent({ connect: { ca, key: file('proxy.key'), cert: file('proxy.pem') } });
    const nobody = new Agent({ connect: { ca } });
    onTestFinished(() => Promise.all([known.destroy(), nobody.destroy()]).then(() => {}));
    expect(await collected({ dispatcher: known }, new Request(), target)).toEqual([200, 'proxy']);
    await expect(proxy(new Request(), target, { dispatcher: nobody })).rejects.toMatchObject({ code: 'bad-gateway' });
    await expect(proxy(new Request(), target)).rejects.toMatchObject({ code: 'bad-gateway' }); // nobody vouches for it
  });
});

describe('with a dispatcher', () => {
  it('the time-outs are those of the proxy, not those of the dispatcher', async () => {
    const up = await upstream();
    const agent = new Agent({ headersTimeout: 1, bodyTimeout: 1 });
    onTestFinished(() => agent.destroy());
    const seen: unknown[] = [];
    const dispatcher: Pick<Dispatcher, 'dispatch'> = {
      dispatch(options, handler) {
        seen.push([options.headersTimeout, options.bodyTimeout]);
        return agent.dispatch(options, handler);
      },
    };
    await expect(proxy(new Request(), up.target, { dispatcher, headersTimeout: 20 })).rejects.toMatchObject({ code: 'gateway-timeout' });
    expect(seen).toEqual([[0, 0]]);
  });

  it('a client that leaves ends the request to the upstream', async () => {
    const up = await upstream();
    const dispatcher = new Agent();
    onTestFinished(() => dispatcher.destroy());
    const { port } = await serve((request) => proxy(request, up.target, { dispatcher }));
    const client = connect(port, '127.0.0.1', () => client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'));
    await (await up.visit()).has(/\r\n\r\n$/);
    client.resetAndDestroy();
    await (await up.visit()).closed();
  });

  it('what lacks dispatch is refused, and what throws there is an upstream that fails', async () => {
    for (const dispatcher of [null, {}, 'http://localhost']) {
      const options = { dispatcher } as unknown as ProxyOptions;
      await expect(proxy(new Request(), 'http://api.example', options)).rejects.toMatchObject({ code: 'bad-option' });
    }
    const dispatcher = {
      dispatch(): never {
        throw new Error('out of order');
      },
    };
    await expect(proxy(new Request(), 'http://api.example', { dispatcher })).rejects.toMatchObject({ code: 'bad-gateway' });
    expect(String(log.mock.calls)).toContain('out of order');
    const client = await talk((await serve((request) => proxy(request, 'http://api.example', { dispatcher }))).port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.answers(1))[0]?.status).toBe(502);
  });
});
