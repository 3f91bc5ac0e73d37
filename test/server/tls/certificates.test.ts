import { once } from 'node:events';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Response } from '../../../src/index.ts';
import type { ServerOptions } from '../../../src/server/options.ts';
import { Authority, copyPair, day, type Files, serialOf } from '../../support/certificates.ts';
import { serve } from '../../support/serve.ts';
import { until } from '../../support/until.ts';

let authority: Authority;
let main: Files;
let other: Files;
beforeAll(() => {
  authority = new Authority();
  main = authority.issue('main');
  other = authority.issue('other', { names: ['example.org', '*.example.org'] });
});
afterAll(() => authority.remove());

type Tls = NonNullable<ServerOptions['tls']>;

function serveTls(tls: Tls, options: ServerOptions = {}): Promise<{ port: number }> {
  return serve((request) => Response.text(request.clientCertificate?.subject ?? 'nobody'), { tls, ...options });
}

/** A handshake that succeeds. */
async function shakeHands(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({
    port,
    host: '127.0.0.1',
    ca: authority.pem,
    servername: 'localhost',
    checkServerIdentity: () => undefined,
    ...options,
  });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

/** The body of an answer. */
async function get(socket: TLSSocket): Promise<string> {
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  let text = '';
  for await (const piece of socket) text += String(piece);
  return text.split('\r\n\r\n')[1] ?? '';
}

async function nameFor(port: number, servername: string): Promise<string> {
  return String((await shakeHands(port, { servername })).getPeerCertificate().subject.CN);
}

describe('certificates are chosen by the name that a client asks for (RFC 6066 §3)', () => {
  it('exactly, by an asterisk for one label, and else the main one', async () => {
    const { port } = await serveTls({ ...main, names: { 'Example.org': other, '*.example.org': other } });
    expect(await nameFor(port, 'example.org')).toBe('other');
    expect(await nameFor(port, 'www.EXAMPLE.org')).toBe('other');
    expect(await nameFor(port, 'a.b.example.org')).toBe('main');
    expect(await nameFor(port, 'localhost')).toBe('main');
    expect(await nameFor(port, '')).toBe('main');
  });

  it('from PEM as text or bytes as well', async () => {
    const { port } = await serveTls({ cert: Buffer.from(authority.pem), key: join(authority.folder, 'ca.key') });
    expect(await nameFor(port, 'localhost')).toBe('authority');
  });
});

describe('clients are asked for certificates', () => {
  const client = (): ConnectionOptions => {
    const files = authority.issue('ada');
    return { cert: readFileSync(files.cert), key: readFileSync(files.key) };
  };
  const asking = (how: 'ask' | 'require', options: ServerOptions = {}): Promise<{ port: number }> =>
    serveTls({ ...main, ca: authority.pem, clientCertificates: how }, options);

  it('and the handler sees one that somebody vouches for', async () => {
    const { port } = await asking('ask');
    expect(await get(await shakeHands(port, client()))).toBe('CN=ada');
  });

  it('and none, or one that nobody vouches for, is none', async () => {
    const { port } = await asking('ask');
    expect(await get(await shakeHands(port))).toBe('nobody');
    const stranger = new Authority();
    onTestFinished(() => stranger.remove());
    const files = stranger.issue('eve');
    expect(await get(await shakeHands(port, { cert: readFileSync(files.cert), key: readFileSync(files.key) }))).toBe('nobody');
  });

  it('and the connection ends without one, where it is required', async () => {
    const { port } = await asking('require');
    const socket = connect({ port, host: '127.0.0.1', ca: authority.pem, checkServerIdentity: () => undefined });
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED');
  });

  it('by the same authority, whatever name they ask for', async () => {
    const { port } = await serveTls({ ...main, ca: authority.pem, clientCertificates: 'ask', names: { 'example.org': other } });
    expect(await get(await shakeHands(port, { ...client(), servername: 'example.org' }))).toBe('CN=ada');
  });

  it('and a name has no authority of its own: a client may name one host in its handshake and ask another', async () => {
    const names = { 'example.org': { ...other, ca: authority.pem } };
    await expect(serveTls({ ...main, clientCertificates: 'ask', names })).rejects.toThrow(/tls\.names\["example\.org"\]\.ca/);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('and a session that is taken up again has it, until others may vouch (%s)', async (version) => {
    const ca = join(authority.folder, `clients-${version}.pem`);
    writeFileSync(ca, authority.pem);
    const { port } = await serveTls({ ...main, ca, clientCertificates: 'ask' });
    const options: ConnectionOptions = { minVersion: version, maxVersion: version };
    const first = await shakeHands(port, { ...options, ...client() });
    let session: Buffer | undefined = first.getSession(); // that of TLS 1.3 comes behind the handshake
    first.on('session', (ticket: Buffer) => (session = ticket));
    expect(await get(first)).toBe('CN=ada');
    const back = async (): Promise<[boolean, string]> => {
      const socket = await shakeHands(port, { ...options, session });
      return [socket.isSessionReused(), await get(socket)];
    };
    expect(await back()).toEqual([true, 'CN=ada']);
    const stranger = new Authority();
    onTestFinished(() => stranger.remove());
    writeFileSync(ca, stranger.pem);
    await until(
      async () => ((await back())[0] ? undefined : true),
      () => 'the end of the session',
    );
    expect(await back()).toEqual([false, 'nobody']);
  });
});

describe('certificates are read again', () => {
  /** Files of their own, to be changed. */
  function copy(name: string): Files {
    const files = { cert: join(authority.folder, `${name}-copy.pem`), key: join(authority.folder, `${name}-copy.key`) };
    replace(files, main);
    return files;
  }
  function replace(files: Files, by: Files): void {
    copyPair(by, files);
  }
  async function serialAt(port: number): Promise<string> {
    return (await shakeHands(port)).getPeerCertificate().serialNumber;
  }

  it('when their files have changed: no connection ends, new ones get the new certificate', async () => {
    const files = copy('changed');
    const { port } = await serveTls(files);
    const before = await shakeHands(port);
    replace(files, other);
    await until(
      async () => ((await serialAt(port)) === serialOf(other) ? true : undefined),
      () => 'the new certificate',
    );
    expect(await get(before)).toBe('nobody');
  });

  it('and the old one is kept, and that is said, when the new one cannot be used', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => printed.mockRestore());
    const files = copy('broken');
    const { port } = await serveTls(files, { log: 'text' });
    writeFileSync(files.cert, 'no certificate');
    await until(
      () => printed.mock.calls.find(([line]) => String(line).includes('the old one stays')),
      () => 'the line that says so',
    );
    expect(await serialAt(port)).toBe(serialOf(main));
    replace(files, other);
    await until(
      async () => ((await serialAt(port)) === serialOf(other) ? true : undefined),
      () => 'the mended certificate',
    );
  });

  it('and a name has its new one, and a client its new staple', async () => {
    const files = copy('stapled');
    const ocsp = join(authority.folder, 'staple.der');
    writeFileSync(ocsp, 'first');
    const { port } = await serveTls({ ...main, names: { 'example.org': { ...files, ocsp } } });
    const stapled = async (): Promise<string> => {
      const socket = connect({
        port,
        host: '127.0.0.1',
        servername: 'example.org',
        rejectUnauthorized: false,
        requestOCSP: true,
      } as ConnectionOptions);
      onTestFinished(() => void socket.destroy());
      const [staple] = (await once(socket, 'OCSPResponse')) as [Buffer | null];
      return String(staple);
    };
    expect(await stapled()).toBe('first');
    appendFileSync(ocsp, ' and second');
    await until(
      async () => ((await stapled()) === 'first and second' ? true : undefined),
      () => 'the new staple',
    );
  });
});

describe('at the start', () => {
  const failure = (tls: Tls): Promise<unknown> => serveTls(tls).catch((error: unknown) => (error as Error).message);

  it('wrong files are refused, with a message that says which', async () => {
    expect(await failure({ ...main, key: other.key })).toMatch(
      /^Cannot start server: tls.cert and tls.key cannot be used: .*key values mismatch/,
    );
    expect(await failure({ ...main, cert: '/nowhere.pem' })).toMatch(/tls\.cert is neither PEM text nor a file that can be read: ENOENT/);
    expect(await failure({ ...main, cert: 'package.json' })).toMatch(/tls\.cert names a file that holds no PEM text/);
    expect(await failure({ ...main, names: { 'a.example': { ...main, key: other.key } } })).toMatch(/tls\.names\["a\.example"\]\.cert/);
  });

  it('a certificate that is not valid yet is refused', async () => {
    expect(await failure(authority.issue('early', { from: day(1), to: day(2) }))).toMatch(/is not valid before/);
  });

  it('one that has expired is served, with a warning', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => printed.mockRestore());
    await serveTls(authority.issue('late', { from: day(-2), to: day(-1) }), { log: 'text' });
    expect(printed.mock.calls.flat().join()).toMatch(/the certificate of CN=late has expired on .*: clients will refuse it/);
  });

  it('names that are none are refused', async () => {
    expect(await failure({ ...main, names: { 'a b': main } })).toMatch(/tls\.names holds "a b", which is not a host name/);
    expect(await failure({ ...main, names: { '*': main } })).toMatch(/not a host name/);
  });
});

describe('TLS', () => {
  it('is 1.2 or later (RFC 8996)', async () => {
    const { port } = await serveTls(main);
    const old = connect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
      ciphers: 'ALL:@SECLEVEL=0',
    });
    const [error] = (await once(old, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toMatch(/ALERT_PROTOCOL_VERSION/);
    expect((await shakeHands(port, { maxVersion: 'TLSv1.2' })).getProtocol()).toBe('TLSv1.2');
  });

  it('tells a client that speaks HTTP in the clear what to do', async () => {
    const { port } = await serveTls(main);
    const client = connectPlain(port, '127.0.0.1', () => client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'));
    let text = '';
    for await (const piece of client) text += String(piece);
    expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*\r\n\r\nThis port speaks HTTPS: use https:\/\/ in the address\n$/);
  });

  it('goes on beside a thousand handshakes that are never finished', async () => {
    const { port } = await serveTls(main, { maxConnections: 2000, headersTimeout: 60_000 });
    const halves = Array.from({ length: 1000 }, () => connectPlain(port, '127.0.0.1').on('error', () => {}));
    onTestFinished(() => halves.forEach((socket) => void socket.destroy()));
    await Promise.all(halves.map((socket) => once(socket, 'connect')));
    for (const socket of halves) socket.write('\x16\x03\x01\x00\xc8\x01', 'latin1');
    expect(await get(await shakeHands(port))).toBe('nobody');
  });
});
