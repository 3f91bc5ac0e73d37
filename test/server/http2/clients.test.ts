/** Clients that others have written, each as it is: what it asks for over HTTP/2 is what the handler is asked, and what is answered comes back. */
import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Agent, request as undiciRequest } from 'undici';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Request, Response } from '../../../src/index.ts';
import type { ServerOptions } from '../../../src/server/options.ts';
import { Authority, type Files } from '../../support/certificates.ts';
import { answerOf } from '../../support/http2.ts';
import { serve } from '../../support/serve.ts';

const LARGE = 5 * 1024 * 1024;
const DOWN = Buffer.alloc(LARGE, 'down, byte by byte; ');
const UP = Buffer.alloc(LARGE, 'up, and up; ');
const SEVERAL = 20;
const PYTHON = '/usr/bin/python3'; // Debian's, for which it packages python3-h2
const SCRIPT = fileURLToPath(new URL('../../support/http2_client.py', import.meta.url));

const authority = new Authority();
const folder = mkdtempSync(join(tmpdir(), 'filrouge-clients-'));
let certificate: Files;
beforeAll(() => {
  certificate = authority.issue('clients');
  writeFileSync(join(folder, 'up'), UP);
});
afterAll(() => {
  authority.remove();
  rmSync(folder, { recursive: true });
});

/** What the server answers: a large body, or what it was asked. */
function answer(incoming: Request): Response {
  if (incoming.path === '/down') return Response.bytes('text/plain', DOWN);
  return Response.text(`${incoming.httpVersion} ${incoming.method} ${incoming.target} ${incoming.body.size} ${md5(incoming.body.bytes())}`);
}

/** What a client that speaks HTTP/2 is answered. */
function echoOf(method: string, target: string, body: Uint8Array | string = ''): string {
  return `2.0 ${method} ${target} ${Buffer.byteLength(body)} ${md5(body)}`;
}

function md5(bytes: Uint8Array | string): string {
  return createHash('md5').update(bytes).digest('hex');
}

/** Starts a server; the URL ends with a slash. */
async function start(isTls: boolean, maxBodySize: number = 2 * LARGE): Promise<string> {
  const options: ServerOptions = { maxBodySize, ...(isTls ? { tls: certificate } : { h2c: true }) };
  const { port } = await serve(answer, options);
  return `${isTls ? 'https' : 'http'}://127.0.0.1:${port}/`;
}

/** Runs a program. @returns What it printed, one character a byte. */
function run(program: string, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const settings = { encoding: 'latin1', maxBuffer: 3 * LARGE, timeout: 30_000 } as const;
    execFile(program, args, settings, (error, printed, complaints) => {
      if (error) reject(new Error(`${program}: ${error.message} ${complaints}`));
      else resolve(printed);
    });
  });
}

/** A `describe` that is skipped where a program does not run; in CI it fails instead. */
function describeWith(program: string, args: readonly string[], debian: string, tests: () => void): void {
  const isThere = spawnSync(program, args).status === 0;
  if (!isThere) console.warn(`SKIPPED: tests need "${program} ${args.join(' ')}" (Debian: apt-get install ${debian})`);
  describe.skipIf(!isThere && process.env['CI'] === undefined)(program, { timeout: 40_000 }, tests);
}

const OVER = [
  ['in the clear', false],
  ['over TLS', true],
] as const;

describe.each(OVER)('node:http2, %s', (_, isTls) => {
  it('gets, posts, downloads, uploads, and all of it at once', async () => {
    const url = await start(isTls);
    const session = connect(url, { rejectUnauthorized: false });
    onTestFinished(() => session.destroy());
    const ask = async (method: string, path: string, body?: Uint8Array | string): Promise<string> => {
      const stream = session.request({ ':method': method, ':path': path }, { endStream: body === undefined });
      if (body !== undefined) stream.end(body);
      return (await answerOf(stream)).body;
    };
    await expectAll(ask);
  });
});

/** Gets, posts, downloads, uploads, and does all of it at once, with a client that asks so. */
async function expectAll(ask: (method: string, path: string, body?: Uint8Array | string) => Promise<string>): Promise<void> {
  expect(await ask('GET', '/a?b')).toBe(echoOf('GET', '/a?b'));
  expect(await ask('POST', '/', 'a body')).toBe(echoOf('POST', '/', 'a body'));
  const [down, up, ...others] = await Promise.all([
    ask('GET', '/down'),
    ask('PUT', '/up', UP),
    ...Array.from({ length: SEVERAL }, (_, i) => ask('POST', `/${i}`, `body ${i}`)),
  ]);
  expect(md5(down)).toBe(md5(DOWN));
  expect(up).toBe(echoOf('PUT', '/up', UP));
  expect(others).toEqual(Array.from({ length: SEVERAL }, (_, i) => echoOf('POST', `/${i}`, `body ${i}`)));
}

describe('undici, over TLS', () => {
  it('gets, posts, downloads, uploads, and all of it at once', async () => {
    const url = await start(true);
    const dispatcher = new Agent({ allowH2: true, connect: { rejectUnauthorized: false }, connections: 1, pipelining: 100 });
    onTestFinished(() => dispatcher.destroy());
    const ask = async (method: string, path: string, body?: Uint8Array | string): Promise<string> => {
      const response = await undiciRequest(new URL(path, url), { dispatcher, method, body: body ?? null });
      return Buffer.from(await response.body.arrayBuffer()).toString();
    };
    await expectAll(ask);
  });
});

describeWith('curl', ['--http2', '--version'], 'curl', () => {
  it.each(OVER)('gets, posts, downloads and uploads, %s', async (_, isTls) => {
    const url = await start(isTls);
    const curl = (...args: string[]): Promise<string> => run('curl', '-sSk', isTls ? '--http2' : '--http2-prior-knowledge', ...args);
    expect(await curl(`${url}a?b`)).toBe(echoOf('GET', '/a?b'));
    expect(await curl('-d', 'a body', url)).toBe(echoOf('POST', '/', 'a body'));
    expect(md5(Buffer.from(await curl(`${url}down`), 'latin1'))).toBe(md5(DOWN));
    expect(await curl('-T', join(folder, 'up'), `${url}up`)).toBe(echoOf('PUT', '/up', UP));
    expect(await curl('-I', url)).toMatch(/^HTTP\/2 200 /);
  });

  it.each(OVER)('reads why its upload is refused, while that goes on (%s)', async (_, isTls) => {
    const url = await start(isTls, 1000);
    const version = isTls ? '--http2' : '--http2-prior-knowledge';
    expect(await run('curl', '-sSk', version, '-w', ' %{http_code}', '-T', join(folder, 'up'), `${url}up`)).toMatch(/1000 bytes.* 413$/);
  });

  it('asks for several at once', async () => {
    const url = await start(true);
    const printed = await run('curl', '-sSk', '--http2', '-Z', '--parallel-immediate', `${url}[1-${SEVERAL}]`);
    const wanted = Array.from({ length: SEVERAL }, (_, i) => echoOf('GET', `/${i + 1}`));
    expect(printed.match(/2\.0 GET \/\d+ 0 [\da-f]{32}/g)?.toSorted()).toEqual(wanted.toSorted());
  });

  it('asks for an upgrade to HTTP/2 in the clear, which no RFC has any more, and gets HTTP/1.1', async () => {
    expect(await run('curl', '-sS', '--http2', await start(false))).toMatch(/^1\.1 GET \/ /);
  });
});

describeWith('nghttp', ['--version'], 'nghttp2-client', () => {
  it.each(OVER)('gets, posts, downloads and uploads, %s', async (_, isTls) => {
    const url = await start(isTls);
    const nghttp = (...args: string[]): Promise<string> => run('nghttp', '-y', ...args);
    writeFileSync(join(folder, 'small'), 'a body');
    expect(await nghttp(`${url}a?b`)).toBe(echoOf('GET', '/a?b'));
    expect(await nghttp('-d', join(folder, 'small'), url)).toBe(echoOf('POST', '/', 'a body'));
    expect(md5(Buffer.from(await nghttp(`${url}down`), 'latin1'))).toBe(md5(DOWN));
    expect(await nghttp('-d', join(folder, 'up'), `${url}up`)).toBe(echoOf('POST', '/up', UP));
    expect(await nghttp('-d', join(folder, 'small'), '--trailer', 'x-sum: 1', url)).toBe(echoOf('POST', '/', 'a body'));
    expect(await nghttp('-H', 'expect: 100-continue', '-d', join(folder, 'small'), url)).toBe(echoOf('POST', '/', 'a body'));
  });

  it('says nothing of errors, for several at once, with padding, small windows and a small table', async () => {
    const url = await start(false);
    const urls = Array.from({ length: SEVERAL }, (_, i) => `${url}${i}`);
    const printed = await run('nghttp', '-nvy', '-b', '100', '-w', '14', '-W', '14', '-c', '128', ...urls, `${url}down`);
    expect(printed).not.toMatch(/RST_STREAM|INVALID|PROTOCOL_ERROR|\[ERROR\]/);
    expect(printed.match(/:status: 200/g)).toHaveLength(SEVERAL + 1);
  });
});

describeWith('h2load', ['--version'], 'nghttp2-client', () => {
  it.each(OVER)('has every one of its requests answered, %s', async (_, isTls) => {
    const url = await start(isTls);
    const printed = await run('h2load', '-n', '5000', '-c', '4', '-m', '10', '-t', '1', url, `${url}a`, `${url}b`);
    expect(printed).toMatch(/5000 succeeded, 0 failed, 0 errored, 0 timeout/);
    const posted = await run('h2load', '-n', '500', '-c', '4', '-m', '10', '-d', join(folder, 'up').replace(/up$/, 'post'), url);
    expect(posted).toMatch(/500 succeeded, 0 failed, 0 errored, 0 timeout/);
    const downloaded = await run('h2load', '-n', '20', '-c', '2', '-m', '10', `${url}down`);
    expect(downloaded).toMatch(/20 succeeded, 0 failed, 0 errored, 0 timeout/);
  });

  beforeAll(() => writeFileSync(join(folder, 'post'), Buffer.alloc(20_000, 'x')));
});

describeWith(PYTHON, ['-c', 'import h2'], 'python3-h2', () => {
  it.each(OVER)('with h2 gets, posts, downloads, uploads, and all of it at once, %s', async (_, isTls) => {
    const url = await start(isTls);
    const printed = await run(PYTHON, SCRIPT, new URL(url).port, isTls ? 'tls' : 'clear', String(SEVERAL), join(folder, 'up'));
    expect(printed.trim().split('\n')).toEqual([
      `/a?b ${echoOf('GET', '/a?b')}`,
      `/ ${echoOf('POST', '/', 'a body')}`,
      `/down ${md5(DOWN)}`,
      `/up ${echoOf('PUT', '/up', UP)}`,
      ...Array.from({ length: SEVERAL }, (_, i) => `/${i} ${echoOf('POST', `/${i}`, `body ${i}`)}`),
    ]);
  });
});
