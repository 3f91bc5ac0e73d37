/** Several certificates for the same names: who gets which, and what is refused. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Response } from '../../../src/index.ts';
import type { ServerOptions } from '../../../src/server/options.ts';
import { Authority, copyPair, day, type Files } from '../../support/certificates.ts';
import { serve } from '../../support/serve.ts';
import { until } from '../../support/until.ts';

let authority: Authority;
let ecdsa: Files;
let rsa: Files;
let other: Files;
beforeAll(() => {
  authority = new Authority();
  ecdsa = authority.issue('ecdsa');
  rsa = authority.issue('rsa', { kind: 'rsa' });
  other = authority.issue('other');
});
afterAll(() => authority.remove());

type Tls = NonNullable<ServerOptions['tls']>;

const ECDSA = 'ECDSA+SHA256';
const RSA = 'RSA-PSS+SHA256';

function lists(...pairs: readonly Files[]): { cert: string[]; key: string[] } {
  return { cert: pairs.map(({ cert }) => cert), key: pairs.map(({ key }) => key) };
}

function serveTls(tls: Tls, options: ServerOptions = {}): Promise<{ port: number }> {
  return serve(() => Response.text('hello'), { tls, ...options });
}

/** The common name that a client is shown which can check these signatures only. */
async function nameFor(port: number, signatures: string, version = '-tls1_3', servername = 'localhost'): Promise<string> {
  const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-servername', servername, '-sigalgs', signatures, version];
  const client = spawn('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  client.stdout.on('data', (piece: Buffer) => (text += String(piece)));
  await once(client, 'close');
  return /^subject=CN = (.*)$/m.exec(text)?.[1] ?? 'nobody';
}

describe('of a list of certificates, a client gets the one whose signatures it can check (RFC 8446 §4.4.2.2)', () => {
  it.each(['-tls1_2', '-tls1_3'])('with %s', async (version) => {
    const { port } = await serveTls(lists(ecdsa, rsa));
    expect(await nameFor(port, ECDSA, version)).toBe('ecdsa');
    expect(await nameFor(port, RSA, version)).toBe('rsa');
  });

  it('in whichever order they are given, as paths, text or bytes', async () => {
    const cert = [readFileSync(rsa.cert), readFileSync(ecdsa.cert, 'utf8')];
    const { port } = await serveTls({ cert, key: [rsa.key, readFileSync(ecdsa.key)] });
    expect(await nameFor(port, ECDSA)).toBe('ecdsa');
    expect(await nameFor(port, RSA)).toBe('rsa');
  });

  it('for a name of its own too', async () => {
    const { port } = await serveTls({ ...other, names: { 'example.org': lists(ecdsa, rsa) } });
    expect(await nameFor(port, ECDSA, '-tls1_3', 'example.org')).toBe('ecdsa');
    expect(await nameFor(port, RSA, '-tls1_3', 'example.org')).toBe('rsa');
    expect(await nameFor(port, ECDSA)).toBe('other');
    expect(await nameFor(port, RSA)).toBe('nobody');
  });

  it('and for a name beside a list of the main ones, none of which anybody gets for it', async () => {
    const [first, second] = [authority.issue('first'), authority.issue('second', { kind: 'rsa' })];
    const { port } = await serveTls({ ...lists(first, second), names: { 'example.org': lists(rsa, ecdsa) } });
    for (const version of ['-tls1_2', '-tls1_3']) {
      expect(await nameFor(port, ECDSA, version, 'example.org')).toBe('ecdsa');
      expect(await nameFor(port, RSA, version, 'example.org')).toBe('rsa');
      expect(await nameFor(port, ECDSA, version)).toBe('first');
      expect(await nameFor(port, RSA, version)).toBe('second');
    }
  });

  it('and the new one when the files of any of them have changed', async () => {
    const copy = { cert: join(authority.folder, 'second.pem'), key: join(authority.folder, 'second.key') };
    const replace = (by: Files): void => copyPair(by, copy);
    replace(ecdsa);
    const { port } = await serveTls(lists(rsa, copy));
    expect(await nameFor(port, ECDSA)).toBe('ecdsa');
    replace(other);
    await until(
      async () => ((await nameFor(port, ECDSA)) === 'other' ? true : undefined),
      () => 'the new certificate',
    );
    expect(await nameFor(port, RSA)).toBe('rsa');
  });
});

describe('of a list of certificates, at the start', () => {
  const failure = (tls: Tls): Promise<unknown> => serveTls(tls).catch((error: unknown) => (error as Error).message);

  it('a pair that does not fit is refused, also where the keys have only changed places', async () => {
    const swapped = { cert: [ecdsa.cert, rsa.cert], key: [rsa.key, ecdsa.key] };
    expect(await failure(swapped)).toMatch(/^Cannot start server: tls\.cert\[0\] and tls\.key\[0\] cannot be used: /);
    expect(await failure({ cert: [rsa.cert, ecdsa.cert], key: [rsa.key, other.key] })).toMatch(
      /tls\.cert\[1\] and tls\.key\[1\] cannot be used: /,
    );
    const names = { 'a.example': swapped };
    expect(await failure({ ...other, names })).toMatch(
      /tls\.names\["a\.example"\]\.cert\[0\] and tls\.names\["a\.example"\]\.key\[0\] cannot/,
    );
  });

  it('a single key of another kind than its certificate is refused as well', async () => {
    expect(await failure({ cert: ecdsa.cert, key: rsa.key })).toBe(
      'Cannot start server: tls.cert and tls.key cannot be used: the key is not that of the certificate',
    );
  });

  it('a name without a kind of key that the main one has is refused: some clients would get the main one for it', async () => {
    expect(await failure({ ...ecdsa, names: { 'a.example': rsa } })).toMatch(
      /tls\.names\["a\.example"\] has no certificate with a key of the kind ec, as tls\.cert has/,
    );
    expect(await failure({ ...lists(ecdsa, rsa), names: { 'a.example': other } })).toMatch(/no certificate with a key of the kind rsa/);
  });

  it('a file that holds no PEM, or is not there, is named', async () => {
    expect(await failure({ cert: [ecdsa.cert, 'package.json'], key: [ecdsa.key, rsa.key] })).toMatch(
      /tls\.cert\[1\] names a file that holds no PEM/,
    );
    expect(await failure({ cert: [ecdsa.cert, rsa.cert], key: [ecdsa.key, '/nowhere'] })).toMatch(
      /tls\.key\[1\] is neither PEM text nor a file/,
    );
  });

  it('two with the same kind of key are refused: nobody would get the first', async () => {
    expect(await failure(lists(ecdsa, rsa, other))).toMatch(/tls\.cert\[0\] and tls\.cert\[2\] both have keys of the kind ec/);
  });

  it('one that is not valid yet is refused', async () => {
    const early = authority.issue('early', { kind: 'rsa', from: day(1), to: day(2) });
    expect(await failure(lists(ecdsa, early))).toMatch(
      /tls\.cert\[1\] and tls\.key\[1\] cannot be used: the certificate is not valid before/,
    );
  });

  it('one that has expired is served, with a warning', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => printed.mockRestore());
    const { port } = await serveTls(lists(ecdsa, authority.issue('late', { kind: 'rsa', from: day(-2), to: day(-1) })), { log: 'text' });
    expect(printed.mock.calls.flat().join()).toMatch(/the certificate of CN=late has expired/);
    expect(await nameFor(port, RSA)).toBe('late');
  });
});
