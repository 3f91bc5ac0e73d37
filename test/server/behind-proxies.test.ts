/** The proxies of docs/operations.md and docs/scaling.md, run as the pages have them, before a server that trusts them, and a client that lies to them. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Request, Response, startServer } from '../../src/index.ts';
import { accepting, freePort, type Program, startCommand } from '../support/program.ts';
import { parseAnswers, serve, Talk } from '../support/serve.ts';
import { until } from '../support/until.ts';

/** Each program where Debian's package puts it. */
const PROGRAMS = { nginx: '/usr/sbin/nginx', haproxy: '/usr/sbin/haproxy', caddy: '/usr/bin/caddy' } as const;
/** Another address than that of the proxies, whose fields must tell it. */
const CLIENT = '127.0.0.2';
const TRUST = { trustProxy: ['127.0.0.1'] };

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'filrouge-proxies-'));
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', join(folder, 'shop.key')];
  const certificate = ['-x509', '-days', '1', '-subj', '/CN=shop.example', '-out', join(folder, 'shop.pem')];
  execFileSync('openssl', ['req', ...key, ...certificate], { stdio: 'ignore' });
  const both = readFileSync(join(folder, 'shop.pem'), 'utf8') + readFileSync(join(folder, 'shop.key'), 'utf8');
  writeFileSync(join(folder, 'both.pem'), both);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A proxy that runs until the test ends. */
interface Running {
  readonly program: Program;
  readonly plain: number;
  readonly secure: number;
}

describeWith('nginx', () => {
  it('hands on its own word as docs/operations.md has it, over plain HTTP and over TLS', async () => {
    const { port } = await serve(facts, TRUST);
    await expectItsOwnWord(await startNginx(`127.0.0.1:${port}`));
  });

  it("hands it on over a unix socket, whose peer is trusted by 'unix'", async () => {
    const path = join(folder, 'socket');
    const server = await startServer(facts, { workers: 0, signals: false, path, trustProxy: ['unix'] });
    onTestFinished(() => server.close({ timeout: 0 }));
    await expectItsOwnWord(await startNginx(`unix:${path}`));
  });
});

describeWith('haproxy', () => {
  it('hands on its own word as docs/operations.md has it, over plain HTTP and over TLS', async () => {
    const { port } = await serve(facts, TRUST);
    const [plain, secure] = [await freePort(), await freePort()];
    const block = filled(blockOf('haproxy'), {
      'bind :80\n': `bind 127.0.0.1:${plain}\n`,
      'bind :443 ssl': `bind 127.0.0.1:${secure} ssl`,
      '/etc/ssl/shop.pem': join(folder, 'both.pem'),
      '127.0.0.1:8000': `127.0.0.1:${port}`,
    });
    const program = startCommand(PROGRAMS.haproxy, ['-db', '-f', fileOf('haproxy.cfg', `${block}\n`)]);
    await expectItsOwnWord({ program, plain, secure });
  });

  it('leads to three hosts as docs/scaling.md has it, and to the others when one is gone', async () => {
    const hosts = [await serve(facts, TRUST), await serve(facts, TRUST), await serve(facts, TRUST)] as const;
    const plain = await freePort();
    const block = filled(blockOf('haproxy', 'docs/scaling.md'), {
      'bind :80\n': `bind 127.0.0.1:${plain}\n`,
      '10.0.0.11:8000': `127.0.0.1:${hosts[0].port}`,
      '10.0.0.12:8000': `127.0.0.1:${hosts[1].port}`,
      '10.0.0.13:8000': `127.0.0.1:${hosts[2].port}`,
    });
    const program = startCommand(PROGRAMS.haproxy, ['-db', '-f', fileOf('hosts.cfg', `${block}\n`)]);
    await isReady({ program, plain, secure: 0 });
    await hosts[1].server.close({ timeout: 0 });
    for (let i = 0; i < 6; i++) {
      const socket = connect({ port: plain, host: '127.0.0.1', localAddress: CLIENT, allowHalfOpen: true });
      expect(await answerOn(socket, hostile('https'))).toEqual([CLIENT, false, 'shop.example', 'nothing']);
    }
  });
});

describeWith('caddy', () => {
  it('hands on its own word as docs/operations.md has it, over TLS, which it wants for all', async () => {
    const { port } = await serve(facts, TRUST);
    const [plain, secure] = [await freePort(), await freePort()];
    const block = filled(blockOf('caddyfile'), { '127.0.0.1:8000': `127.0.0.1:${port}` });
    const options = `admin off\nlocal_certs\nskip_install_trust\ndefault_bind 127.0.0.1\nhttp_port ${plain}\nhttps_port ${secure}`;
    const file = fileOf('Caddyfile', `{\n${options}\nstorage file_system ${join(folder, 'caddy')}\n}\n${block}\n`);
    const home = { HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder };
    const program = startCommand(PROGRAMS.caddy, ['run', '--config', file, '--adapter', 'caddyfile'], home);
    await isReady({ program, plain, secure });
    expect(await askOverTls(secure, hostile('http'))).toEqual([CLIENT, true, 'shop.example', 'nothing']);
  });
});

describe('a proxy that passes on what the client sends', () => {
  it('has the lies of its client believed, which the others must not', async () => {
    const { port } = await serve(facts, TRUST);
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    expect(await answerOn(socket, hostile('https'))).toEqual([
      '10.9.8.7',
      true,
      'evil.example',
      'for=10.9.8.7;proto=https;host=evil.example',
    ]);
  });
});

describe('a 500 behind a proxy on the same machine that says nothing of itself', () => {
  describeWith('nginx', () => {
    it.each([
      ['as it asks by default', ''],
      ['in HTTP/1.1', 'proxy_http_version 1.1;'],
      ['in HTTP/1.1 over connections that it keeps', 'proxy_http_version 1.1; proxy_set_header Connection "";'],
      ['with the name that the client has asked for', 'proxy_http_version 1.1; proxy_set_header Host $host;'],
    ])('is bare: %s', async (_, lines) => {
      const { port } = await serve(failing, { onError: () => undefined });
      const plain = await freePort();
      const location = `location / { proxy_pass http://127.0.0.1:${port}; ${lines} }`;
      const program = startNginxWith(`server { listen 127.0.0.1:${plain}; ${location} }`);
      await expectBare({ program, plain, secure: 0 });
    });
  });

  describeWith('haproxy', () => {
    it.each(['http-keep-alive', 'http-server-close', 'httpclose'])('is bare: option %s', async (option) => {
      const { port } = await serve(failing, { onError: () => undefined });
      const plain = await freePort();
      const timeouts = 'timeout connect 5s\ntimeout client 5s\ntimeout server 5s';
      const block = `defaults\nmode http\noption ${option}\n${timeouts}\nlisten all\nbind 127.0.0.1:${plain}\nserver one 127.0.0.1:${port}\n`;
      const program = startCommand(PROGRAMS.haproxy, ['-db', '-f', fileOf('bare.cfg', block)]);
      await expectBare({ program, plain, secure: 0 });
    });
  });

  describeWith('caddy', () => {
    it('is bare, also with the name of the server itself', async () => {
      const { port } = await serve(failing, { onError: () => undefined });
      const plain = await freePort();
      const site = `http://:${plain} {\nbind 127.0.0.1\nreverse_proxy 127.0.0.1:${port} {\nheader_up Host localhost\nheader_up -X-Forwarded-*\n}\n}`;
      const file = fileOf('Bare', `{\nadmin off\n}\n${site}\n`);
      const home = { HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder };
      const program = startCommand(PROGRAMS.caddy, ['run', '--config', file, '--adapter', 'caddyfile'], home);
      await expectBare({ program, plain, secure: 0 });
    });
  });

  it('is a page without the proxy, for the same request', async () => {
    const { port } = await serve(failing, { onError: () => undefined });
    expect(await askAsProgrammer(port)).toMatch(/^<!doctype html>/);
  });
});

function failing(): never {
  throw new Error('secret of the server');
}

async function expectBare(running: Running): Promise<void> {
  await isReady(running);
  expect(await askAsProgrammer(running.plain)).toBe('Internal Server Error');
}

/** What a client is answered that claims in every way it can to be a browser on the machine of the server. */
async function askAsProgrammer(port: number): Promise<string | undefined> {
  const socket = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  const client = new Talk(socket);
  client.send('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\nAccept: text/html\r\n\r\n');
  const [answer] = await client.answers(1);
  expect(answer?.status).toBe(500);
  return answer?.body;
}

/** What the server takes the client for, and what reaches it of the other family of fields. */
function facts(request: Request): Response {
  return Response.json([request.remoteAddress, request.secure, request.host, request.header('forwarded') ?? 'nothing']);
}

/** A request in which the client claims to be somebody else, in every field that could tell of it. */
function hostile(protocol: 'http' | 'https'): string {
  const lines = [
    'GET / HTTP/1.1',
    'Host: shop.example',
    `Forwarded: for=10.9.8.7;proto=${protocol};host=evil.example`,
    'Forwarded: for="6',
    'X-Forwarded-For: 10.9.8.7',
    'X-Forwarded-For: 10.9.8.7',
    `X-Forwarded-Proto: ${protocol}`,
    'X-Forwarded-Host: evil.example',
    'Connection: close',
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

async function expectItsOwnWord(running: Running): Promise<void> {
  await isReady(running);
  const socket = connect({ port: running.plain, host: '127.0.0.1', localAddress: CLIENT, allowHalfOpen: true });
  expect(await answerOn(socket, hostile('https'))).toEqual([CLIENT, false, 'shop.example', 'nothing']);
  expect(await askOverTls(running.secure, hostile('http'))).toEqual([CLIENT, true, 'shop.example', 'nothing']);
}

/** @throws What the program has printed when it has ended instead. */
async function isReady({ program, plain }: Running): Promise<void> {
  const end = program.ended.then((code) => {
    throw new Error(`It has ended with ${code}:\n${program.stdout}${program.stderr}`);
  });
  await Promise.race([accepting(plain), end]);
}

async function startNginx(upstream: string): Promise<Running> {
  const [plain, secure] = [await freePort(), await freePort()];
  const block = filled(blockOf('nginx'), {
    'server 127.0.0.1:8000;': `server ${upstream};`,
    'listen 80;': `listen 127.0.0.1:${plain};`,
    'listen 443 ssl;': `listen 127.0.0.1:${secure} ssl;`,
    '/etc/ssl/shop.pem': join(folder, 'shop.pem'),
    '/etc/ssl/shop.key': join(folder, 'shop.key'),
  });
  return { program: startNginxWith(block), plain, secure };
}

/** @param block What its `http` holds. */
function startNginxWith(block: string): Program {
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const paths = kinds.map((kind) => `${kind}_temp_path ${join(folder, kind)};`).join('\n');
  const own = `daemon off;\nmaster_process off;\npid ${join(folder, 'nginx.pid')};\nerror_log stderr;\nevents {}`;
  const file = fileOf('nginx.conf', `${own}\nhttp {\naccess_log off;\n${paths}\n${block}\n}\n`);
  return startCommand(PROGRAMS.nginx, ['-e', 'stderr', '-p', folder, '-c', file]);
}

/** The one fenced block of a page that is marked so. */
function blockOf(language: string, page = 'docs/operations.md'): string {
  const blocks = [...readFileSync(page, 'utf8').matchAll(/^```(\w+)\n([\s\S]*?)\n```$/gm)];
  const found = blocks.filter(([, mark]) => mark === language).map(([, , code]) => code ?? '');
  expect(found.length, `blocks marked ${language}`).toBe(1);
  return found[0] ?? '';
}

/** The block with our ports and paths in place of its own, each of which it must have. */
function filled(block: string, places: Readonly<Record<string, string>>): string {
  let text = block;
  for (const [theirs, ours] of Object.entries(places)) {
    expect(text).toContain(theirs);
    text = text.replaceAll(theirs, ours);
  }
  return text;
}

function fileOf(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** Asks as soon as the proxy has a certificate. */
async function askOverTls(port: number, bytes: string): Promise<unknown> {
  const socket = await until(
    () => openTls(port),
    () => `a handshake on port ${port}`,
  );
  return answerOn(socket, bytes);
}

function openTls(port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const raw = connect({ port, host: '127.0.0.1', localAddress: CLIENT, allowHalfOpen: true });
    const socket = connectTls({ socket: raw, servername: 'shop.example', rejectUnauthorized: false }, () => resolve(socket));
    for (const side of [raw, socket]) side.on('error', () => resolve(undefined));
  });
}

async function answerOn(socket: Socket, bytes: string): Promise<unknown> {
  onTestFinished(() => void socket.destroy());
  const client = new Talk(socket);
  client.send(bytes);
  const [answer] = parseAnswers(await client.closed(), true);
  expect(answer?.status).toBe(200);
  return JSON.parse(answer?.body ?? '');
}

/** A `describe` that is skipped where there is no such program; in CI it fails instead. */
function describeWith(name: keyof typeof PROGRAMS, tests: () => void): void {
  const isThere = existsSync(PROGRAMS[name]);
  if (!isThere) console.warn(`SKIPPED: the tests behind ${name} need ${PROGRAMS[name]} (Debian: apt-get install ${name})`);
  describe.skipIf(!isThere && process.env['CI'] === undefined)(name, tests);
}
