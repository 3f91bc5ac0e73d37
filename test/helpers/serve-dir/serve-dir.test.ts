import { appendFileSync, chmodSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Request, Response, type ServeDirOptions, serveDir } from '../../../src/index.ts';
import { createCollector } from '../../support/garbage.ts';
import { serve, talk } from '../../support/serve.ts';
import { until } from '../../support/until.ts';
import { allClosedBelow, folderWith, openBelow, WRITTEN, writeAt } from './folder.ts';

const get = (target: string, headers: Record<string, string> = {}, method = 'GET'): Request => new Request({ method, target, headers });
const fields = (response: Response | undefined): Record<string, string> => Object.fromEntries(response?.headers ?? []);

describe('serveDir', () => {
  it('answers GET with the file, its type, its validators, and the wish to be asked before it is used again', () => {
    const root = folderWith({ 'a.html': '<p>é' });
    const response = serveDir(get('/a.html'), root);
    expect([response?.status, response?.text()]).toEqual([200, '<p>é']);
    expect(fields(response)).toEqual({
      'Content-Type': 'text/html; charset=utf-8',
      'Cache-Control': 'no-cache',
      ETag: expect.stringMatching(/^"[0-9a-z]+-[0-9a-z]+"$/) as string,
      'Last-Modified': WRITTEN,
      'Accept-Ranges': 'bytes',
    });
  });

  it.each([
    ['a.PNG', 'image/png'],
    ['a.mjs', 'text/javascript; charset=utf-8'],
    ['a.css', 'text/css; charset=utf-8'],
    ['a.json', 'application/json; charset=utf-8'],
    ['a.wasm', 'application/wasm'],
    ['a.webp', 'image/webp'],
    ['a.avif', 'image/avif'],
    ['a.webm', 'video/webm'],
    ['a.md', 'text/markdown; charset=utf-8'],
    ['a.webmanifest', 'application/manifest+json; charset=utf-8'],
    ['a.flac', 'audio/x-flac'],
    ['a.svg', 'image/svg+xml'],
    ['a.zzz', 'application/octet-stream'],
    ['a.html', 'text/html; charset=utf-8'],
    ['a.js', 'text/javascript; charset=utf-8'],
    ['a.png', 'image/png'],
    ['a.jpg', 'image/jpeg'],
    ['a.gif', 'image/gif'],
    ['a.ico', 'image/vnd.microsoft.icon'],
    ['a.woff', 'font/woff'],
    ['a.woff2', 'font/woff2'],
    ['a.ttf', 'font/ttf'],
    ['a.pdf', 'application/pdf'],
    ['a.xml', 'application/xml'],
    ['a.mp4', 'video/mp4'],
    ['LICENSE', 'application/octet-stream'],
  ])('gives %s the type %s, whatever the case of its extension', (name, type) => {
    expect(serveDir(get(`/${name}`), folderWith({ [name]: 'x' }))?.header('content-type')).toBe(type);
  });

  it('says once in the log that the folder itself is not there, with its absolute path', () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => log.mockRestore());
    const root = folderWith({ 'a.txt': 'a' });
    for (const folder of ['no-such-folder', join(root, 'no\nsuch'), join(root, 'a.txt'), root]) {
      for (const target of ['/', '/x', '/x/y']) expect(serveDir(get(target), folder)).toBeUndefined();
    }
    const named = (path: string): string => `[serveDir] Cannot serve files: there is no folder ${JSON.stringify(path)}`;
    expect(log.mock.calls).toEqual([[named(resolve('no-such-folder'))], [named(join(root, 'no\nsuch'))], [named(join(root, 'a.txt'))]]);
  });

  it('is undefined where there is no file, so that the next helper is tried', () => {
    const root = folderWith({ 'a.txt': 'a', 'b/c.txt': 'c' });
    for (const target of ['/', '/x', '/b', '/b/', '/a.txt/', '/a.txt/b', `/${'x'.repeat(300)}`, `/${'x/'.repeat(3000)}`]) {
      expect(serveDir(get(target), root)).toBeUndefined();
    }
    expect(serveDir(get('/a.txt'), join(root, 'missing'))).toBeUndefined();
    expect(serveDir(get('/'), join(root, 'a.txt'))).toBeUndefined();
  });

  it('is undefined for other methods than GET and HEAD', () => {
    const root = folderWith({ 'a.css': 'a' });
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'get']) expect(serveDir(get('/a.css', {}, method), root)).toBeUndefined();
  });

  it('finds names with spaces, letters of any language, escapes and what looks like a query', () => {
    const root = folderWith({ 'a b.txt': '1', 'été/ß 猫.txt': '2', 'a%41.txt': '3', 'a?b#c.txt': '4', 'a+b;c.txt': '5' });
    const texts = ['/a%20b.txt', '/%C3%A9t%C3%A9/%C3%9F%20%E7%8C%AB.txt', '/a%2541.txt', '/a%3Fb%23c.txt?x', '/a+b;c.txt'];
    expect(texts.map((target) => serveDir(get(target), root)?.text())).toEqual(['1', '2', '3', '4', '5']);
  });

  it('finds a name that looks like an escaped slash, and no file for a slash that is one', () => {
    const root = folderWith({ 'a%2Fb.txt': 'one', 'a%252Fb.txt': 'two', 'a/b.txt': 'three' });
    const bodies = ['/a%252Fb.txt', '/a%25252Fb.txt', '/a%2Fb.txt', '/a/b.txt'].map((target) => serveDir(get(target), root)?.text());
    expect(bodies).toEqual(['one', 'two', undefined, 'three']);
  });

  it('takes a root that is relative, ends in a slash, or is a link that is switched while the server runs', () => {
    const root = folderWith({ 'v1/a.txt': 'one', 'v2/a.txt': 'two' });
    expect(serveDir(get('/package.json'), '.')?.status).toBe(200);
    expect(serveDir(get('/a.txt'), `${root}/v1/`)?.text()).toBe('one');
    const current = join(root, 'current');
    symlinkSync('v1', current);
    expect(serveDir(get('/a.txt'), current)?.text()).toBe('one');
    rmSync(current);
    symlinkSync('v2', current);
    expect(serveDir(get('/a.txt'), current)?.text()).toBe('two');
  });

  it('serves below a prefix that was cut off', () => {
    const root = folderWith({ 'a.txt': 'a' });
    const request = get('/static/a.txt').withoutPrefix('/static');
    expect(request && serveDir(request, root)?.text()).toBe('a');
  });

  it('serves several folders, each below its own prefix', () => {
    const [pages, assets] = [folderWith({ 'a.txt': 'page' }), folderWith({ 'a.txt': 'asset' })];
    const answer = (request: Request): Response | undefined => {
      const asset = request.withoutPrefix('/assets');
      return asset ? serveDir(asset, assets) : serveDir(request, pages);
    };
    expect([answer(get('/a.txt'))?.text(), answer(get('/assets/a.txt'))?.text()]).toEqual(['page', 'asset']);
    expect([answer(get('/assets/../a.txt'))?.text(), answer(get('/assetsa.txt'))]).toEqual(['page', undefined]);
  });

  it('serves an empty file, and one that is large, whole', async () => {
    const root = folderWith({ empty: '', 'large.bin': Buffer.alloc(3_000_000, 'abc') });
    const { port } = await serve((request) => serveDir(request, root) ?? Response.empty(404));
    const client = await talk(port);
    client.send(`GET /empty HTTP/1.1\r\nHost: a\r\n\r\nGET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n`);
    const [empty, large] = await client.answers(2);
    expect([empty?.status, empty?.headers['content-length'], empty?.body]).toEqual([200, '0', '']);
    expect([large?.headers['content-length'], large?.body === 'abc'.repeat(1_000_000)]).toEqual(['3000000', true]);
  });

  it('answers HEAD with the head of GET, and ignores a Range in it (RFC 9110 §9.3.2, §14.2)', async () => {
    const root = folderWith({ 'small.txt': 'small', 'large.bin': Buffer.alloc(200_000) });
    const { port } = await serve((request) => serveDir(request, root) ?? Response.empty(404));
    for (const name of ['small.txt', 'large.bin']) {
      const client = await talk(port);
      client.send(`HEAD /${name} HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1\r\nConnection: close\r\n\r\n`);
      const head = await client.closed();
      const other = await talk(port);
      other.send(`GET /${name} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      const whole = await other.closed();
      expect(head.replace(/Date: .*/, '')).toBe(whole.slice(0, head.length).replace(/Date: .*/, ''));
      expect(head.endsWith('\r\n\r\n')).toBe(true);
    }
  });
});

describe('the index of a folder', () => {
  it('stands for the path with the slash', () => {
    const root = folderWith({ 'index.html': 'top', 'b/index.html': 'below' });
    expect([serveDir(get('/'), root)?.text(), serveDir(get('/b/'), root)?.text()]).toEqual(['top', 'below']);
  });

  it('redirects from the path without it, keeping the query and the prefix that was cut off', () => {
    const root = folderWith({ 'b c/é/index.html': 'x', 'index.html': 'y' });
    const response = serveDir(get('/b%20c/%C3%A9?a=%2F&b'), root);
    expect([response?.status, response?.header('location'), response?.text()]).toEqual([301, '/b%20c/%C3%A9/?a=%2F&b', '']);
    const cut = get('/static/b%20c/%C3%A9').withoutPrefix('/static');
    expect(cut && serveDir(cut, root)?.header('location')).toBe('/static/b%20c/%C3%A9/');
    const top = get('/static').withoutPrefix('/static');
    expect(top && serveDir(top, root)?.header('location')).toBe('/static/');
    const slashed = get('/static/').withoutPrefix('/static');
    expect(slashed && serveDir(slashed, root)?.text()).toBe('y');
  });

  it('is another file when told, or none', () => {
    const root = folderWith({ 'b/main.htm': 'main', 'b/index.html': 'index' });
    expect(serveDir(get('/b/'), root, { index: 'main.htm' })?.text()).toBe('main');
    for (const target of ['/b', '/b/']) expect(serveDir(get(target), root, { index: false })).toBeUndefined();
    expect(serveDir(get('/b/index.html'), root, { index: false })?.text()).toBe('index');
  });

  it('does not exist when it is a folder itself, and then nothing tells of the folder around it', () => {
    const root = folderWith({ 'b/index.html/c': 'x', 'd/e.txt': 'y' });
    for (const target of ['/b', '/b/', '/d', '/d/']) expect(serveDir(get(target), root)).toBeUndefined();
  });
});

describe('the validators of a file (RFC 9110 §8.8)', () => {
  it('answer 304 to a client that has it, by tag or by date', () => {
    const root = folderWith({ 'a.txt': 'a', 'large.bin': Buffer.alloc(100_000) });
    for (const name of ['/a.txt', '/large.bin']) {
      const etag = serveDir(get(name), root)?.header('etag') ?? '';
      const response = serveDir(get(name, { 'If-None-Match': `"x", W/${etag}` }), root);
      expect([response?.status, response?.text(), fields(response)]).toEqual([
        304,
        '',
        { 'Cache-Control': 'no-cache', ETag: etag, 'Accept-Ranges': 'bytes' },
      ]);
      expect(serveDir(get(name, { 'If-Modified-Since': WRITTEN }), root)?.status).toBe(304);
      expect(serveDir(get(name, { 'If-Modified-Since': 'Tue, 31 Dec 2019 23:59:59 GMT' }), root)?.status).toBe(200);
      expect(serveDir(get(name, { 'If-Match': '"x"' }), root)?.status).toBe(412);
      expect(serveDir(get(name, { 'If-Match': etag }), root)?.status).toBe(200);
      expect(serveDir(get(name, { 'If-None-Match': etag }, 'HEAD'), root)?.status).toBe(304);
    }
  });

  it('change with the content, also when its size stays', () => {
    const root = folderWith({ 'a.txt': 'one' });
    const tag = (): string | undefined => serveDir(get('/a.txt'), root)?.header('etag');
    const tags = [tag()];
    writeAt(join(root, 'a.txt'), 'two', new Date('2020-01-01T00:00:00.001Z'));
    tags.push(tag());
    appendFileSync(join(root, 'a.txt'), 'x');
    tags.push(tag());
    expect(new Set(tags).size).toBe(3);
  });

  it('are weak for what was written a moment ago: it may be written again in the same tick of the clock (§8.8.1)', () => {
    const root = folderWith({});
    writeFileSync(join(root, 'a.txt'), 'one');
    const fresh = serveDir(get('/a.txt'), root)?.header('etag') ?? '';
    expect(fresh).toMatch(/^W\//);
    const past = new Date(Date.now() - 60_000);
    utimesSync(join(root, 'a.txt'), past, past);
    expect(serveDir(get('/a.txt'), root)?.header('etag')).toMatch(/^"/);
  });

  it('never lie in the future (§8.8.2.1)', () => {
    const root = folderWith({});
    writeAt(join(root, 'a.txt'), 'one', new Date(Date.now() + 3_600_000));
    const response = serveDir(get('/a.txt'), root);
    expect(Date.parse(response?.header('last-modified') ?? '')).toBeLessThanOrEqual(Date.now());
    expect(response?.header('etag')).toMatch(/^W\//);
  });

  it.each(['1970-01-01T00:00:01Z', '1980-01-01T00:00:00Z', '1985-10-26T08:15:00Z'])(
    'do not believe in %s, which package managers write on every version',
    (date) => {
      const root = folderWith({});
      writeAt(join(root, 'a.txt'), 'one', new Date(date));
      const before = serveDir(get('/a.txt'), root);
      writeAt(join(root, 'b.txt'), 'two', new Date(date));
      renameSync(join(root, 'b.txt'), join(root, 'a.txt'));
      const after = serveDir(get('/a.txt'), root);
      expect(after?.header('etag')).not.toBe(before?.header('etag'));
      expect(Date.parse(after?.header('last-modified') ?? '')).toBeGreaterThan(Date.now() - 60_000);
    },
  );
});

describe('caching', () => {
  it('is for maxAge seconds, for ever when immutable; shared caches are not asked to keep what a login protects', () => {
    const root = folderWith({ 'a.js': 'x' });
    const told = (options: ServeDirOptions): string | undefined => serveDir(get('/a.js'), root, options)?.header('cache-control');
    expect([told({}), told({ maxAge: 0 }), told({ maxAge: 60 }), told({ maxAge: 31_536_000, immutable: true })]).toEqual([
      'no-cache',
      'max-age=0',
      'max-age=60',
      'max-age=31536000, immutable',
    ]);
  });
});

describe('precompressed files', () => {
  const files = { 'a.js': 'plain', 'a.js.br': 'BR', 'a.js.gz': 'GZ', 'a.js.zst': 'ZST', 'b.js': 'plain', 'b.js.gz': 'GZ', 'c.js': 'plain' };

  it.each([
    ['gzip, deflate, br, zstd', 'BR', 'br'],
    ['gzip, zstd', 'ZST', 'zstd'],
    ['gzip', 'GZ', 'gzip'],
    ['x-gzip', 'GZ', 'gzip'],
    ['br;q=0.5, gzip;q=0.8', 'GZ', 'gzip'],
    ['br;q=0, *', 'ZST', 'zstd'],
    ['gzip;q=0.5, identity', 'plain', undefined],
    ['deflate', 'plain', undefined],
    ['identity;q=1, *;q=0', 'plain', undefined],
    ['', 'plain', undefined],
  ])('are sent to those who accept %j: %s (RFC 9110 §12.5.3)', (accepted, text, coding) => {
    const response = serveDir(get('/a.js', { 'Accept-Encoding': accepted }), folderWith(files));
    expect([response?.text(), response?.header('content-encoding')]).toEqual([text, coding]);
    expect([response?.header('content-type'), response?.header('vary')]).toEqual(['text/javascript; charset=utf-8', 'Accept-Encoding']);
  });

  it('have an ETag of their own each, and answer 304 to it', () => {
    const root = folderWith({ 'a.js': 'same', 'a.js.br': 'same', 'a.js.gz': 'same' });
    const tags = ['identity', 'br', 'gzip'].map(
      (coding) => serveDir(get('/a.js', { 'Accept-Encoding': coding }), root)?.header('etag') ?? '',
    );
    expect(new Set(tags).size).toBe(3);
    const again = serveDir(get('/a.js', { 'Accept-Encoding': 'br', 'If-None-Match': tags[1] ?? '' }), root);
    expect([again?.status, again?.header('vary'), again?.header('etag')]).toEqual([304, 'Accept-Encoding', tags[1]]);
    expect(serveDir(get('/a.js', { 'Accept-Encoding': 'br', 'If-None-Match': tags[0] ?? '' }), root)?.status).toBe(200);
  });

  it('say Vary where there is any of them, to every client, and nowhere else (§12.5.5)', () => {
    const root = folderWith(files);
    const vary = (target: string, accepted: string): string | undefined =>
      serveDir(get(target, { 'Accept-Encoding': accepted }), root)?.header('vary');
    expect([vary('/b.js', 'br'), vary('/b.js', ''), vary('/c.js', 'gzip')]).toEqual(['Accept-Encoding', 'Accept-Encoding', undefined]);
  });

  it('do not count when they are older than the file they were made of, when they are folders, or without their original', () => {
    const root = folderWith({ 'a.js': 'new', 'b.js': 'b', 'b.js.br/c': 'c', 'd.js.br': 'd' });
    writeAt(join(root, 'a.js.br'), 'old', new Date('2019-12-31T00:00:00Z'));
    const text = (target: string): string | undefined => serveDir(get(target, { 'Accept-Encoding': 'br' }), root)?.text();
    expect([text('/a.js'), text('/b.js'), text('/d.js')]).toEqual(['new', 'b', undefined]);
  });

  it('are not looked for when they are turned off, and can be had by their own name', () => {
    const root = folderWith(files);
    const response = serveDir(get('/a.js', { 'Accept-Encoding': 'br' }), root, { precompressed: false });
    expect([response?.text(), response?.header('vary')]).toEqual(['plain', undefined]);
    const own = serveDir(get('/a.js.gz', { 'Accept-Encoding': 'gzip' }), root);
    expect([own?.text(), own?.header('content-encoding'), own?.header('content-type')]).toEqual(['GZ', undefined, 'application/gzip']);
  });

  it('are found for the index of a folder too', () => {
    const root = folderWith({ 'index.html': 'plain', 'index.html.br': 'BR' });
    const response = serveDir(get('/', { 'Accept-Encoding': 'br' }), root);
    expect([response?.text(), response?.header('content-type')]).toEqual(['BR', 'text/html; charset=utf-8']);
  });
});

describe('fallthrough: false', () => {
  it('answers 404 where there is no file, and 405 to other methods (RFC 9110 §15.5.6)', () => {
    const root = folderWith({ 'a.txt': 'a' });
    const of = (target: string, method = 'GET'): Response | undefined => serveDir(get(target, {}, method), root, { fallthrough: false });
    expect([of('/a.txt')?.status, of('/b.txt')?.status, of('/.git')?.status]).toEqual([200, 404, 404]);
    expect([of('/a.txt', 'POST')?.status, of('/a.txt', 'POST')?.header('allow')]).toEqual([405, 'GET, HEAD']);
  });
});

describe('wrong options', () => {
  it.each([
    [{ index: '' }, /index is neither the name of a file nor false/],
    [{ index: '../index.html' }, /index is neither/],
    [{ index: true }, /index is neither/],
    [{ maxAge: -1 }, /maxAge is -1, not a whole number of seconds from 0 on/],
    [{ maxAge: 1.5 }, /maxAge is 1\.5, not a whole/],
    [{ maxAge: '1h' }, /maxAge is string, not a number/],
    [{ immutable: true }, /immutable has no effect without maxAge/],
    [{ dotfiles: 'allow' }, /dotfiles is string, not a boolean/],
    [{ precompressed: 1 }, /precompressed is number, not a boolean/],
    [{ fallthrough: null }, /fallthrough is null, not a boolean/],
    [{ maxage: 1 }, /unknown option "maxage"/],
    [null, /options is null, not an object/],
  ])('are refused, whatever is asked for: %j', (options, message) => {
    const call = (): unknown => serveDir(get('/', {}, 'POST'), '.', options as ServeDirOptions);
    expect(call).toThrow(message);
    expect(call).toThrow(expect.objectContaining({ code: 'bad-option' }) as Error);
  });

  it.each([
    ['', /root is empty/],
    [undefined, /root is undefined, not a string/],
    ['a\0b', /root holds NUL/],
  ])('a root that is %j', (root, message) => {
    expect(() => serveDir(get('/'), root as string)).toThrow(message);
  });
});

describe('the file of a response', () => {
  it('is closed when the handler returns if it is small, and when the exchange is over if it is large', async () => {
    const root = folderWith({ 'small.txt': 'x', 'large.bin': Buffer.alloc(5_000_000) });
    let duringSmall = -1;
    const { port } = await serve((request) => {
      const response = serveDir(request, root) ?? Response.empty(404);
      if (request.path === '/small.txt') duringSmall = openBelow(root);
      return request.path === '/dropped' ? Response.text('dropped') : response;
    });
    const client = await talk(port);
    client.send('GET /small.txt HTTP/1.1\r\nHost: a\r\n\r\nGET /large.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await client.closed();
    await allClosedBelow(root);
    expect(duringSmall).toBe(0);
  });

  it.each([
    ['a 304', { 'If-Modified-Since': WRITTEN }],
    ['a 412', { 'If-Match': '"x"' }],
    ['a 416', { Range: 'bytes=9000000-' }],
  ])('is closed at once for %s', (_what, headers) => {
    const root = folderWith({ 'large.bin': Buffer.alloc(100_000) });
    serveDir(get('/large.bin', headers), root);
    expect(openBelow(root)).toBe(0);
  });

  it('is closed when the handler drops the response, changes its body, or the client goes away midway', async () => {
    const root = folderWith({ 'large.bin': Buffer.alloc(30_000_000) });
    const { port, server } = await serve((request) => {
      const response = serveDir(request, root) ?? Response.empty(404);
      if (request.rawQuery === 'drop') return Response.text('other');
      return request.rawQuery === 'change' ? response.withBody('other') : response;
    });
    const client = await talk(port);
    client.send('GET /large.bin?drop HTTP/1.1\r\nHost: a\r\n\r\nGET /large.bin?change HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.answers(2);
    await allClosedBelow(root);
    client.send('GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until((text) => text.length > 100_000);
    client.socket.destroy();
    await server.close();
    await allClosedBelow(root);
  });

  it('is closed some time when the request was made by hand, and nobody has the response any more', async () => {
    const root = folderWith({ 'large.bin': Buffer.alloc(100_000) });
    const collectGarbage = createCollector();
    for (let i = 0; i < 20; i++) serveDir(get('/large.bin'), root);
    expect(openBelow(root)).toBe(20);
    await until(
      () => {
        collectGarbage();
        return openBelow(root) === 0 || undefined;
      },
      () => 'descriptors to be closed',
    );
  });

  it('is the one that was looked at, also when another has taken its place by the time it is sent', async () => {
    const root = folderWith({ 'a.bin': Buffer.alloc(100_000, 'a') });
    const { port } = await serve((request) => {
      const response = serveDir(request, root) ?? Response.empty(404);
      writeAt(join(root, 'b.bin'), Buffer.alloc(70_000, 'b'));
      renameSync(join(root, 'b.bin'), join(root, 'a.bin'));
      return response;
    });
    const client = await talk(port);
    client.send('GET /a.bin HTTP/1.1\r\nHost: a\r\n\r\n');
    const [answer] = await client.answers(1);
    expect(answer?.body === 'a'.repeat(100_000)).toBe(true);
  });

  it('is not there for a later request: such a response is a 500, and says why (code stale-file)', async () => {
    const root = folderWith({ 'a.bin': Buffer.alloc(100_000) });
    const errors: unknown[] = [];
    let kept: Response | undefined;
    const { port } = await serve(
      (request) => {
        kept ??= serveDir(request, root);
        return kept ?? Response.empty(404);
      },
      { onError: (error) => void errors.push(error) },
    );
    const client = await talk(port);
    client.send('GET /a.bin HTTP/1.1\r\nHost: a\r\n\r\nGET /a.bin HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.answers(2)).map(({ status }) => status)).toEqual([200, 500]);
    expect(errors).toEqual([expect.objectContaining({ code: 'stale-file' })]);
  });

  it('cuts the connection when the file becomes shorter while it is sent, so that nobody takes it for whole', async () => {
    const root = folderWith({ 'a.bin': Buffer.alloc(200_000) });
    const { port } = await serve(
      (request) => {
        const response = serveDir(request, root) ?? Response.empty(404);
        writeFileSync(join(root, 'a.bin'), 'short');
        return response;
      },
      { onError: () => {} },
    );
    const client = await talk(port);
    client.send('GET /a.bin HTTP/1.1\r\nHost: a\r\n\r\n');
    const text = await client.closed();
    expect(text).toContain('Content-Length: 200000');
    expect(text.length).toBeLessThan(1000);
  });
});

const mayReadAll = process.getuid?.() === 0;
if (mayReadAll) console.warn('SKIPPED: root may read every file, so that none can be kept from it');

describe.skipIf(mayReadAll)('a file that may not be read', () => {
  it('does not exist', () => {
    const root = folderWith({ 'a.txt': 'a' });
    chmodSync(join(root, 'a.txt'), 0);
    expect(serveDir(get('/a.txt'), root)).toBeUndefined();
  });
});
