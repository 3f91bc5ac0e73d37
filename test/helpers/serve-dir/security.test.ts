/**
 * Static files and the mistakes that others made with them, by name.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isInside } from '../../../src/helpers/serve-dir/folder.ts';
import { Request, Response, serveDir } from '../../../src/index.ts';
import { parseAnswers, serve, talk } from '../../support/serve.ts';
import { folderWith, openBelow, writeAt } from './folder.ts';

const text = (target: string, root: string, options = {}): string | undefined => serveDir(new Request({ target }), root, options)?.text();

/** What raw targets are answered by a server with a guard in front of its files, as most have one. */
async function answersOf(targets: readonly string[], root: string): Promise<[status: number, body: string][]> {
  const { port } = await serve((request) => {
    if (request.path.startsWith('/private')) return Response.text('guarded').withStatus(403);
    return serveDir(request, root) ?? Response.text('missing').withStatus(404);
  });
  return Promise.all(
    targets.map(async (target): Promise<[number, string]> => {
      const client = await talk(port);
      client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      const [answer] = parseAnswers(await client.closed(), true);
      return [answer?.status ?? 0, answer?.body ?? ''];
    }),
  );
}

describe('nothing outside the folder is served', () => {
  it.each([
    '/../secret.txt',
    '/a/../../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/%2e%2e%2fsecret.txt',
    '/.%2e/secret.txt',
    '/%252e%252e%252fsecret.txt',
    '/..%5csecret.txt',
    '/..\\secret.txt',
    '/....//secret.txt',
    '/..;/secret.txt',
    '/%c0%ae%c0%ae/secret.txt',
    '/%c0%ae%c0%ae%c0%afsecret.txt',
    '/..%c0%afsecret.txt',
    '/%uff0e%uff0e/secret.txt',
    '/secret.txt%00.html',
    '/a/%00../../secret.txt',
    '//../secret.txt',
    '/a//../../secret.txt',
    '/file:///etc/passwd',
    'http://a/../secret.txt',
    'http://a/..%2fsecret.txt',
    '/root-secret/secret.txt',
    '/../root-secret/secret.txt',
  ])('with the target %s', async (target) => {
    const folder = folderWith({ 'root/a/b.txt': 'fine', 'secret.txt': 'SECRET', 'root-secret/secret.txt': 'SECRET' });
    const [[status, body] = []] = await answersOf([target], join(folder, 'root'));
    expect([400, 404]).toContain(status);
    expect(body).not.toContain('SECRET');
  });

  it('by a link to a file, to a folder, to a link, or with another root as prefix of its name (CVE of /srv/public-secret)', () => {
    const folder = folderWith({ 'public/a.txt': 'a', 'public-secret/b.txt': 'SECRET', 'c.txt': 'SECRET' });
    const root = join(folder, 'public');
    symlinkSync('../c.txt', join(root, 'file'));
    symlinkSync('../public-secret', join(root, 'folder'));
    symlinkSync('folder', join(root, 'twice'));
    symlinkSync('/etc/hostname', join(root, 'absolute'));
    symlinkSync('/proc/self/environ', join(root, 'proc'));
    symlinkSync('loop', join(root, 'loop'));
    symlinkSync('nowhere', join(root, 'broken'));
    for (const target of ['/file', '/folder/b.txt', '/twice/b.txt', '/absolute', '/proc', '/loop', '/broken']) {
      expect(text(target, root)).toBeUndefined();
    }
    expect(openBelow(folder)).toBe(0);
  });

  it('and no redirect tells which folders are there', () => {
    const folder = folderWith({ 'public/a.txt': 'a', 'other/index.html': 'SECRET' });
    const root = join(folder, 'public');
    symlinkSync('../other', join(root, 'link'));
    symlinkSync('/etc', join(root, 'etc'));
    for (const target of ['/link', '/link/', '/etc', '/etc/']) expect(serveDir(new Request({ target }), root)).toBeUndefined();
  });

  it('nor a compressed file that a link leads to', () => {
    const folder = folderWith({ 'public/a.js': 'plain', 'secret.br': 'SECRET' });
    symlinkSync('../secret.br', join(folder, 'public/a.js.br'));
    const request = new Request({ target: '/a.js', headers: { 'Accept-Encoding': 'br' } });
    expect(serveDir(request, join(folder, 'public'))?.text()).toBe('plain');
  });

  it('while links that stay inside are followed, also through names with a dot, as package managers and Kubernetes make them', () => {
    const root = folderWith({ 'real/a.txt': 'a', '..data/b.txt': 'b' });
    symlinkSync('real', join(root, 'link'));
    symlinkSync(join(root, 'real/a.txt'), join(root, 'absolute.txt'));
    symlinkSync('..data/b.txt', join(root, 'b.txt'));
    expect([text('/link/a.txt', root), text('/absolute.txt', root), text('/b.txt', root)]).toEqual(['a', 'a', 'b']);
  });

  it('also while somebody switches a folder for a link to elsewhere, all the time', async () => {
    const folder = folderWith({ 'public/a/f.txt': 'fine', 'secret/f.txt': 'SECRET' });
    const root = join(folder, 'public');
    const script = `
      const fs = require('node:fs'), [a, b, link] = process.argv.slice(1);
      fs.symlinkSync('../secret', link);
      process.send('ready');
      for (;;) { fs.renameSync(a, b); fs.renameSync(link, a); fs.renameSync(a, link); fs.renameSync(b, a); }`;
    const { spawn } = await import('node:child_process');
    const paths = ['a', 'b', 'link'].map((name) => join(root, name));
    const other = spawn(process.execPath, ['-e', script, ...paths], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    await new Promise((resolve) => other.once('message', resolve));
    const seen = new Set<string | undefined>();
    for (let i = 0; i < 20_000; i++) seen.add(text('/a/f.txt', root));
    other.kill('SIGKILL');
    await new Promise((resolve) => other.once('exit', resolve));
    expect([...seen].filter((found) => found !== 'fine' && found !== undefined)).toEqual([]);
    expect(seen.has('fine')).toBe(true);
  });
});

describe('a path that a guard has seen', () => {
  it.each([
    '/private/key.txt',
    '/private//key.txt',
    '//private/key.txt',
    '/./private/key.txt',
    '/a/../private/key.txt',
    '/%70rivate/key.txt',
    '/private%2fkey.txt',
    '/%2fprivate/key.txt',
    '/a%2f..%2fprivate/key.txt',
    '/a/..%2fprivate/key.txt',
    '/a%5c..%5cprivate%5ckey.txt',
    '/;x/private/key.txt',
    '/private;x/key.txt',
    '/.;/private/key.txt',
    '/PRIVATE/key.txt',
    '/priva%EF%BD%94e/key.txt',
    'http://a//private/key.txt',
    'http://a/%2e/private/key.txt',
    '/#/../private/key.txt',
    '/%23/../private/key.txt',
    '/?/../private/key.txt',
  ])(
    'is the path of the file, for %s (hono CVE-2026-29087, -39406, -39407, -54286; nginx CVE-2026-27654: other spellings passed the guard)',
    async (target) => {
      const root = folderWith({ 'private/key.txt': 'SECRET', 'a/b.txt': 'b' });
      const [[status, body] = []] = await answersOf([target], root);
      expect([400, 403, 404]).toContain(status);
      expect(body).not.toContain('SECRET');
    },
  );

  it('is spelled as the disk has it, on disks that ignore case or the form of letters', () => {
    expect(isInside('/srv/www/private/a', '/srv/www', '/srv/www/Private/a', false)).toBe(false);
    expect(isInside('/srv/www/e\u0301', '/srv/www', '/srv/www/\xe9', false)).toBe(false);
    expect(isInside('/srv/www/private/a', '/srv/www', '/srv/www/link/a', false)).toBe(true);
    expect(isInside('/srv/www-secret/a', '/srv/www', '/srv/www/link', false)).toBe(false);
    expect(isInside('/srv/www', '/srv/www', '/srv/www/link', false)).toBe(false);
    expect(isInside('/etc/passwd', '/', '/link', false)).toBe(true);
  });

  it('is the only name of a file on Windows, where each has several', () => {
    expect(isInside('C:\\www\\private\\a.txt', 'C:\\www', 'C:\\www\\PRIVAT~1\\a.txt', true)).toBe(false);
    expect(isInside('C:\\www\\a.txt', 'C:\\www', 'C:\\www\\a.txt.', true)).toBe(false);
    expect(isInside('C:\\www\\a.txt', 'C:\\www', 'C:\\www\\a.txt', true)).toBe(true);
  });
});

describe('names that begin with a dot', () => {
  const files = {
    '.env': 'SECRET',
    '.git/config': 'SECRET',
    'a/.b/c.txt': 'SECRET',
    '.well-known/x.txt': 'x',
    'a.b': 'fine',
    '...': 'SECRET',
  };

  it.each(['/.env', '/%2eenv', '/.git/config', '/.git/', '/.git', '/a/.b/c.txt', '/.well-known/x.txt', '/...', '/a/.%62/c.txt'])(
    'do not exist: %s',
    (target) => {
      expect(text(target, folderWith(files))).toBeUndefined();
    },
  );

  it('exist when they are asked for, and dots elsewhere always do', () => {
    const root = folderWith(files);
    expect(text('/.well-known/x.txt', root, { dotfiles: true })).toBe('x');
    expect(text('/...', root, { dotfiles: true })).toBe('SECRET');
    expect(text('/a.b', root)).toBe('fine');
    expect(text('/..', root, { dotfiles: true })).toBeUndefined();
  });
});

describe('what is no regular file', () => {
  it('is not served, and a FIFO without a writer does not make anybody wait', () => {
    const root = folderWith({ 'index.html': 'x' });
    execFileSync('mkfifo', [join(root, 'fifo'), join(root, 'a.txt.br')]);
    writeAt(join(root, 'a.txt'), 'plain');
    mkdirSync(join(root, 'folder'));
    for (const target of ['/fifo', '/folder', '/folder/']) expect(text(target, root)).toBeUndefined();
    expect(serveDir(new Request({ target: '/a.txt', headers: { 'Accept-Encoding': 'br' } }), root)?.text()).toBe('plain');
    expect(openBelow(root)).toBe(0);
  });

  it('is not served: devices, sockets', async () => {
    const root = folderWith({});
    symlinkSync('/dev/zero', join(root, 'zero'));
    const socket = createServer().listen(join(root, 'socket'));
    await new Promise((resolve) => socket.once('listening', resolve));
    for (const target of ['/zero', '/socket']) expect(text(target, root)).toBeUndefined();
    for (const target of ['/dev/zero', '/dev/null', '/dev/tty']) {
      expect(serveDir(new Request({ target }), '/')?.status ?? 404).toBe(404);
    }
    socket.close();
  });
});

describe('redirects to the slash (send and serve-static CVE-2024-43799, -43800; express CVE-2024-29041)', () => {
  it.each([
    ['//evil.example/..', '/docs'],
    ['//evil.example//docs', undefined],
    ['///docs', '/docs/'],
    ['/%2Fevil.example/../docs', '/docs/'],
    ['/docs%2F', undefined],
    ['/%2Fdocs', undefined],
    ['/\\evil.example/docs', undefined],
    ['http://evil.example/docs', '/docs/'],
    ['/docs?//evil.example', '/docs/?//evil.example'],
    ['/<script>', '/%3Cscript%3E/'],
    ['/javascript:alert(1)', '/javascript:alert(1)/'],
  ])('to %s lead to this host, or nowhere', async (target, location) => {
    const root = folderWith({
      'docs/index.html': 'x',
      '<script>/index.html': 'x',
      'javascript:alert(1)/index.html': 'x',
      'evil.example/x': 'x',
    });
    const { port } = await serve((request) => serveDir(request, root) ?? Response.empty(404));
    const client = await talk(port);
    client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    const [answer] = parseAnswers(await client.closed(), true);
    const found = answer?.headers['location'];
    if (location?.endsWith('/') || location?.includes('?')) expect([answer?.status, found]).toEqual([301, location]);
    else expect(found).toBeUndefined();
    expect(answer?.body).not.toContain('script');
  });
});

describe('floods of ranges (Apache CVE-2011-3192, Rack CVE-2024-26141)', () => {
  it('cost no more than the file itself', () => {
    const root = folderWith({ 'a.bin': Buffer.alloc(60_000) });
    const lists = [
      Array.from({ length: 1300 }, (_, i) => `5-${i + 5}`).join(),
      Array.from({ length: 1300 }, (_, i) => `${i}-${i}`).join(),
      '0-,'.repeat(1300),
      Array.from({ length: 8 }, () => '-60000').join(),
      ','.repeat(16_000),
    ];
    for (const list of lists) {
      const response = serveDir(new Request({ target: '/a.bin', headers: { Range: `bytes=${list}` } }), root);
      expect([response?.status, response?.bytes()?.length]).toEqual([200, 60_000]);
    }
    const most = serveDir(
      new Request({ target: '/a.bin', headers: { Range: `bytes=${Array.from({ length: 8 }, (_, i) => `${i * 2}-${i * 2}`).join()}` } }),
      root,
    );
    expect(most?.bytes()?.length).toBeLessThan(2000);
  });
});

describe('the static files of Rouille and ehttpd, whose defects are not ours', () => {
  const root = (): string =>
    folderWith({ 'x.css': 'body {}', 'photo.PNG': 'png', 'big.bin': Buffer.alloc(1_048_576), 'film.bin': '0123456789' });
  const ask = (target: string, headers = {}, method = 'GET'): Response | undefined =>
    serveDir(new Request({ method, target, headers }), root());

  it('POST does not get a file', () => {
    expect(ask('/x.css', {}, 'POST')).toBeUndefined();
  });
  it('an extension in capitals has its type', () => {
    expect(ask('/photo.PNG')?.header('content-type')).toBe('image/png');
  });
  it('an ETag is quoted, and compared as a list, weakly, with *', () => {
    const folder = root();
    const tag = serveDir(new Request({ target: '/x.css' }), folder)?.header('etag') ?? '';
    expect(tag).toMatch(/^"[^"]+"$/);
    const statuses = [`"a", ${tag}`, `W/${tag}`, '*', '"a"'].map(
      (list) => serveDir(new Request({ target: '/x.css', headers: { 'If-None-Match': list } }), folder)?.status,
    );
    expect(statuses).toEqual([304, 304, 304, 200]);
  });
  it('a 304 carries no Content-Type', () => {
    expect(ask('/x.css', { 'If-None-Match': '*' })?.header('content-type')).toBeUndefined();
  });
  it('a charset is spelled utf-8', () => {
    expect(ask('/x.css')?.header('content-type')).toBe('text/css; charset=utf-8');
  });
  it('a file of 1 MiB keeps its length', async () => {
    const folder = root();
    const { port } = await serve((request) => serveDir(request, folder) ?? Response.empty(404));
    const client = await talk(port);
    client.send('GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n');
    const [answer] = await client.answers(1);
    expect([answer?.headers['content-length'], answer?.headers['transfer-encoding'], answer?.body.length]).toEqual([
      '1048576',
      undefined,
      1_048_576,
    ]);
  });
  it('-4 means the last four bytes', () => {
    expect(ask('/film.bin', { Range: 'bytes=-4' })?.text()).toBe('6789');
  });
  it('a file is not public in shared caches for an hour unless told', () => {
    expect(ask('/x.css')?.header('cache-control')).toBe('no-cache');
  });
  it('a file that is written anew under a descriptor is the old or the new, never a mixture', () => {
    const folder = root();
    const response = serveDir(new Request({ target: '/film.bin' }), folder);
    writeFileSync(join(folder, 'new'), 'abcdefghij');
    renameSync(join(folder, 'new'), join(folder, 'film.bin'));
    expect(response?.text()).toBe('0123456789');
    rmSync(join(folder, 'film.bin'));
    expect(serveDir(new Request({ target: '/film.bin' }), folder)).toBeUndefined();
  });
});
