import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Authority, copyPair, serialOf } from '../support/certificates.ts';
import { accepting, freePort, start } from '../support/program.ts';
import { until } from '../support/until.ts';

let authority: Authority;
let port: number;
let plain: number;
beforeAll(() => {
  authority = new Authority();
});
afterAll(() => authority.remove());

function take(name: string): string {
  const files = authority.issue(name);
  copyPair(files, { cert: join(authority.folder, 'cert.pem'), key: join(authority.folder, 'key.pem') });
  return serialOf(files);
}

async function open(): Promise<void> {
  [port, plain] = [await freePort(), await freePort()];
  start('.build/examples/https.js', { PORT: String(port), HTTP_PORT: String(plain), FOLDER: authority.folder });
  await accepting(port);
  await accepting(plain);
}

function curl(...args: string[]): string {
  return execFileSync('curl', ['-sk', ...args], { encoding: 'utf8' });
}

function serialSeen(): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: authority.pem }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    }).on('error', reject);
  });
}

describe('examples/https', () => {
  it('does what its first lines promise', async () => {
    take('first');
    await open();
    const at = `https://localhost:${port}/`;
    expect(curl('--http2', at)).toBe('you came over HTTP/2.0\n');
    expect(curl('--http1.1', at)).toBe('you came over HTTP/1.1\n');
    expect(curl('-i', at)).toMatch(/strict-transport-security: max-age=86400/i);
    expect(curl('-i', `http://localhost:${plain}/a?b=c`)).toMatch(
      new RegExp(`^HTTP/1.1 308 Permanent Redirect\\r\\n[^]*Location: https://localhost:${port}/a\\?b=c\\r\\n`),
    );
    expect(curl(`http://localhost:${port}/`)).toBe('This port speaks HTTPS: use https:// in the address\n');

    mkdirSync(join(authority.folder, 'webroot/.well-known/acme-challenge'), { recursive: true });
    writeFileSync(join(authority.folder, 'webroot/.well-known/acme-challenge/abc'), 'proof');
    expect(curl(`http://localhost:${plain}/.well-known/acme-challenge/abc`)).toBe('proof');

    const next = take('second');
    await until(
      async () => ((await serialSeen()) === next ? true : undefined),
      () => 'the new certificate',
    );
  });
});
