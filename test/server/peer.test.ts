import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FieldLines } from '../../src/http/field-lines.ts';
import type { Peer } from '../../src/http/request.ts';
import { createRateLimiter, Response, type ServerOptions, startServer } from '../../src/index.ts';
import { clientBehind, type ProxyHeader, TrustedProxies } from '../../src/server/peer.ts';
import { ask, parseAnswers, Talk } from '../support/serve.ts';

type Facts = [address: string | undefined, secure: boolean | undefined, host: string | undefined];

const LOOPBACK = ['127.0.0.1'];

/** What a server takes the client for, whose peer 127.0.0.1 sends these field lines in a request for `own`. */
async function told(lines: readonly string[], options: ServerOptions = {}): Promise<Facts> {
  const head = ['GET / HTTP/1.1', 'Host: own', 'Connection: close', ...lines, '', ''].join('\r\n');
  const { seen } = await ask(head, options);
  const request = seen[0]?.request;
  return [request?.remoteAddress, request?.secure, request?.host];
}

describe('the client behind a proxy', () => {
  it('is nobody unless trustProxy names the peer: anybody can send these fields', async () => {
    const lines = ['X-Forwarded-For: 192.0.2.1', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: a.example', 'Forwarded: for=192.0.2.2'];
    expect(await told(lines)).toEqual(['127.0.0.1', false, 'own']);
    expect(await told(lines, { trustProxy: ['10.0.0.0/8'] })).toEqual(['127.0.0.1', false, 'own']);
  });

  it('is found in X-Forwarded-For from the right, over trusted addresses only', async () => {
    const options = { trustProxy: ['127.0.0.0/8', '10.0.0.0/8'] };
    const lines = ['X-Forwarded-For: 203.0.113.9, 192.0.2.1, 10.1.2.3', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: a.example'];
    expect(await told(lines, options)).toEqual(['192.0.2.1', true, 'a.example']);
    expect(await told(['X-Forwarded-For: 192.0.2.1, not-an-address'], options)).toEqual(['127.0.0.1', false, 'own']);
    expect(await told(['X-Forwarded-For: 10.0.0.1, 10.0.0.2'], options)).toEqual(['10.0.0.1', false, 'own']);
    expect(await told(['X-Forwarded-For: 203.0.113.9', 'X-Forwarded-For: 192.0.2.1'], options)).toEqual(['192.0.2.1', false, 'own']);
  });

  it("is never what the client's own Forwarded says, when the proxy writes X-Forwarded", async () => {
    const hostile = 'Forwarded: for=10.9.8.7;proto=https;host=evil.example';
    const proxys = ['X-Forwarded-For: 192.0.2.1', 'X-Forwarded-Proto: http'];
    expect(await told([hostile, ...proxys], { trustProxy: LOOPBACK })).toEqual(['192.0.2.1', false, 'own']);
    expect(await told([hostile], { trustProxy: LOOPBACK })).toEqual(['127.0.0.1', false, 'own']);
  });

  it("is never what the client's own X-Forwarded fields say, when the proxy writes Forwarded", async () => {
    const options = { trustProxy: LOOPBACK, proxyHeader: 'forwarded' } as const;
    const hostile = ['X-Forwarded-For: 10.9.8.7', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: evil.example'];
    expect(await told([...hostile, 'Forwarded: for=192.0.2.1;proto=http'], options)).toEqual(['192.0.2.1', false, 'own']);
    expect(await told(hostile, options)).toEqual(['127.0.0.1', false, 'own']);
  });

  it('is found in Forwarded with its quotes, IPv6 and ports (RFC 7239 §4, §6)', async () => {
    const options = { trustProxy: LOOPBACK, proxyHeader: 'forwarded' } as const;
    const line = 'Forwarded: for=192.0.2.1, For="[2001:db8::7]:4711";proto=https;host="b.example:8443"';
    expect(await told([line], options)).toEqual(['2001:db8::7', true, 'b.example:8443']);
    expect(await told(['Forwarded: for=unknown'], options)).toEqual(['127.0.0.1', false, 'own']);
  });

  it('is not hidden by an unclosed quote on a line of its own before that of the proxy', async () => {
    const options = { trustProxy: LOOPBACK, proxyHeader: 'forwarded' } as const;
    expect(await told(['Forwarded: for="6', 'Forwarded: for=192.0.2.1;proto=https'], options)).toEqual(['192.0.2.1', true, 'own']);
    expect(await told(['Forwarded: for="\\', 'Forwarded: for=192.0.2.1;proto=https'], options)).toEqual(['192.0.2.1', true, 'own']);
  });

  it.each(['for=10.9.8.7;x="', 'for=10.9.8.7;proto=https;host=evil.example;x="\\'])(
    'is not what stands before an unclosed quote on the line that the proxy goes on writing: %s',
    async (claim) => {
      const options = { trustProxy: LOOPBACK, proxyHeader: 'forwarded' } as const;
      expect(await told([`Forwarded: ${claim}, for=192.0.2.1;proto=http`], options)).toEqual(['127.0.0.1', false, 'own']);
      expect(await told([`Forwarded: ${claim}, for="[2001:db8::1]";host="b.example"`], options)).toEqual(['127.0.0.1', false, 'own']);
    },
  );

  it('keeps the address of the peer, and takes protocol and host, where the proxy tells no address', async () => {
    expect(await told(['X-Forwarded-Proto: https'], { trustProxy: LOOPBACK })).toEqual(['127.0.0.1', true, 'own']);
    expect(await told(['X-Forwarded-Host: a.example'], { trustProxy: LOOPBACK })).toEqual(['127.0.0.1', false, 'a.example']);
    const options = { trustProxy: LOOPBACK, proxyHeader: 'forwarded' } as const;
    expect(await told(['Forwarded: proto=https'], options)).toEqual(['127.0.0.1', true, 'own']);
    expect(await told(['Forwarded: for=_hidden;proto=https;host=a.example'], options)).toEqual(['127.0.0.1', true, 'a.example']);
  });

  it('believes nobody beyond a hop without an address', async () => {
    const options = { trustProxy: LOOPBACK, proxyHeader: 'forwarded' } as const;
    const line = 'Forwarded: for=10.9.8.7;proto=http;host=evil.example, for=_hidden;proto=https';
    expect(await told([line], options)).toEqual(['127.0.0.1', true, 'own']);
    expect(await told(['X-Forwarded-For: 10.9.8.7, unknown', 'X-Forwarded-Proto: https'], { trustProxy: LOOPBACK })).toEqual([
      '127.0.0.1',
      true,
      'own',
    ]);
  });

  it.each(['192.0.2.256', '[192.0.2.1', '[]', '[2001:db8::1]x', 'fe80::1%eth0', 'a.example', 'unix:', ''])(
    'is not %j, which is not an address',
    async (node) => {
      expect(await told([`X-Forwarded-For: ${node}`], { trustProxy: LOOPBACK })).toEqual(['127.0.0.1', false, 'own']);
      const options = { trustProxy: LOOPBACK, proxyHeader: 'forwarded' } as const;
      expect(await told([`Forwarded: for="${node}"`], options)).toEqual(['127.0.0.1', false, 'own']);
    },
  );

  it('ignores a host that cannot be one', async () => {
    expect(await told(['X-Forwarded-Host: a.example/x'], { trustProxy: LOOPBACK })).toEqual(['127.0.0.1', false, 'own']);
    expect(await told(['X-Forwarded-Host: evil.example, a.example'], { trustProxy: LOOPBACK })).toEqual(['127.0.0.1', false, 'a.example']);
  });
});

describe('an IPv4-mapped address (RFC 4291 §2.5.5.2)', () => {
  it.each(['::ffff:192.0.2.1', '::FFFF:c000:201', '0:0:0:0:0:ffff:192.0.2.1'])('is an IPv4 address in fields: %s', async (address) => {
    expect(await told([`X-Forwarded-For: ${address}`], { trustProxy: LOOPBACK })).toEqual(['192.0.2.1', false, 'own']);
    const options = { trustProxy: LOOPBACK, proxyHeader: 'forwarded' } as const;
    expect(await told([`Forwarded: for="[${address}]:80"`], options)).toEqual(['192.0.2.1', false, 'own']);
  });

  it('is an IPv4 address in the list of proxies, and in a range of it', async () => {
    for (const range of ['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:127.0.0.0/104']) {
      expect(await told(['X-Forwarded-For: 192.0.2.1'], { trustProxy: [range] })).toEqual(['192.0.2.1', false, 'own']);
    }
    expect(await told(['X-Forwarded-For: 192.0.2.1'], { trustProxy: ['::ffff:126.0.0.0/104'] })).toEqual(['127.0.0.1', false, 'own']);
  });
});

describe('clientBehind', () => {
  const peer: Peer = { remoteAddress: '10.0.0.1', remotePort: 4711, secure: false, host: undefined, readAt: 1 };
  const behind = (
    fields: readonly (readonly [string, string])[],
    trust: readonly string[],
    header: ProxyHeader = 'x-forwarded',
    from = peer,
  ): Peer => {
    const trusted = new TrustedProxies(header);
    for (const range of trust) expect(trusted.add(range)).toBe(true);
    return clientBehind(from, FieldLines.of(fields), trusted);
  };

  it('is the very peer where nothing is told', () => {
    expect(behind([['Forwarded', 'for=192.0.2.1']], ['10.0.0.0/8'])).toBe(peer);
    expect(behind([['X-Forwarded-For', ' , ']], ['10.0.0.0/8'])).toBe(peer);
    expect(behind([['Forwarded', ', ,']], ['10.0.0.0/8'], 'forwarded')).toBe(peer);
  });

  it('has a port only where the address is that of the peer', () => {
    expect(behind([['X-Forwarded-For', '192.0.2.1']], [])).toMatchObject({ remoteAddress: '192.0.2.1', remotePort: undefined });
    expect(behind([['X-Forwarded-Proto', 'https']], [])).toMatchObject({ remoteAddress: '10.0.0.1', remotePort: 4711, secure: true });
  });

  it('goes back over a chain of proxies, each telling of the one before', () => {
    const lines = [
      ['Forwarded', 'for=10.9.9.9;host=evil.example'],
      ['Forwarded', 'for=192.0.2.1;proto=https;host=a.example, for=10.0.0.2'],
    ] as const;
    expect(behind(lines, ['10.0.0.0/8'], 'forwarded')).toMatchObject({ remoteAddress: '192.0.2.1', secure: true, host: 'a.example' });
  });

  it('matches several protocols with the addresses from the right', () => {
    const fields = [
      ['X-Forwarded-For', '203.0.113.9, 192.0.2.1, 10.0.0.2'],
      ['X-Forwarded-Proto', 'http, https, http'],
    ] as const;
    expect(behind(fields, ['10.0.0.0/8'])).toMatchObject({ remoteAddress: '192.0.2.1', secure: true });
  });
});

describe('trusted proxies', () => {
  it('are found whatever their spelling, and with their zone', () => {
    const trusted = new TrustedProxies('forwarded');
    for (const range of ['192.0.2.0/24', '2001:db8::/32', 'fe80::/10']) expect(trusted.add(range)).toBe(true);
    expect(['192.0.2.9', '::ffff:192.0.2.9', '2001:DB8:0::1', 'fe80::1%eth0'].map((address) => trusted.has(address))).toEqual(
      Array(4).fill(true),
    );
    expect(['192.0.3.1', '2001:db9::1', 'unix', '', undefined].map((address) => trusted.has(address))).toEqual(Array(5).fill(false));
  });
});

describe('the peer of a unix socket', () => {
  /** Asks a server on a unix socket, and gives what its handler has answered. */
  async function askUnix(lines: readonly string[], options: ServerOptions): Promise<unknown> {
    const folder = mkdtempSync(join(tmpdir(), 'filrouge-peer-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'socket');
    const keys: string[] = [];
    const store = { hit: (key: string) => ({ count: keys.push(key), resetAfter: 1 }) };
    const limiter = createRateLimiter({ limit: 9, window: 60, store });
    const server = await startServer(
      async (request) => {
        await limiter.check(request);
        return Response.json([request.remoteAddress ?? 'none', request.secure, request.host, keys[0]?.replace(/^.*?:/, '')]);
      },
      { workers: 0, signals: false, path, ...options },
    );
    onTestFinished(() => server.close({ timeout: 0 }));
    const client = new Talk(connect(path));
    await once(client.socket, 'connect');
    client.send(['GET / HTTP/1.1', 'Host: own', 'Connection: close', ...lines, '', ''].join('\r\n'));
    return JSON.parse(parseAnswers(await client.closed())[0]?.body ?? '');
  }

  const lines = ['X-Forwarded-For: 192.0.2.1', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: a.example'];

  it("is trusted by the word 'unix'", async () => {
    expect(await askUnix(lines, { trustProxy: ['unix'] })).toEqual(['192.0.2.1', true, 'a.example', '192.0.2.1']);
  });

  it('is not trusted without it', async () => {
    expect(await askUnix(lines, {})).toEqual(['none', false, 'own', 'unix']);
    expect(await askUnix(lines, { trustProxy: ['0.0.0.0/0', '::/0'] })).toEqual(['none', false, 'own', 'unix']);
  });

  it('counts as itself where it tells no address', async () => {
    expect(await askUnix(['X-Forwarded-Proto: https', 'X-Forwarded-For: unix:'], { trustProxy: ['unix'] })).toEqual([
      'none',
      true,
      'own',
      'unix',
    ]);
  });
});
