import { chmodSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type RecordOptions, Request, recordRequest } from '../../../src/index.ts';
import { setId } from '../../../src/process/requests/ids.ts';
import { requestFromFile } from '../../../src/testing.ts';
import { newFolder, recordsIn } from '../../support/records.ts';

async function recorded(request: Request, options: Partial<RecordOptions> = {}): Promise<{ path: string; text: string }> {
  const path = await recordRequest(request, { folder: newFolder(), ...options });
  if (path === undefined) throw new Error('Nothing was recorded');
  return { path, text: readFileSync(path, 'latin1') };
}

/** The lines that are written to standard error while the test runs. */
function errorLines(): string[] {
  const lines: string[] = [];
  const spy = vi.spyOn(console, 'error').mockImplementation((line: string) => void lines.push(line));
  onTestFinished(() => spy.mockRestore());
  return lines;
}

describe('recordRequest', () => {
  it('writes comments, a request line with a URL, the fields and the body', async () => {
    const request = new Request({
      method: 'POST',
      target: '/notes?page=2',
      headers: { Host: 'notes.example', Cookie: 'sid=abc; theme=dark', Authorization: 'Bearer abc' },
      json: { text: 'milk', password: 'abc' },
      remoteAddress: '203.0.113.7',
      secure: true,
    });
    setId(request, 'f00');
    const { text } = await recorded(request, { why: 'to show it', mask: ['Password'] });
    expect(text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/, 'TIME')).toBe(
      [
        '# recorded: TIME',
        '# why: to show it',
        '# request: f00',
        '# client: 203.0.113.7, TLS, HTTP/1.1',
        '# masked: authorization, proxy-authorization, cookie, x-api-key, x-auth-token, x-csrf-token, x-xsrf-token, password',
        '# body: 32 bytes',
        'POST http://localhost:8000/notes?page=2 HTTP/1.1',
        'Host: notes.example',
        'Cookie: sid=***; theme=***',
        'Authorization: Bearer ***',
        'Content-Type: application/json',
        'Content-Length: 32',
        '',
        '{"text":"milk","password":"***"}',
      ].join('\r\n'),
    );
  });

  it('tells an error by its name, its code and its place, and not by its message, which may hold a secret', async () => {
    const error = Object.assign(new RangeError('the secret is 1234\n    at 1234 (a.js:1:1)'), { code: 'ERR_X' });
    const { text } = await recorded(new Request(), { why: error });
    expect(text).toMatch(/^# why: RangeError ERR_X at .*record-request\.test\.ts:\d+:\d+\)?\r$/m);
    expect(text).not.toContain('1234');
  });

  it('records what was thrown that is no error, or cannot be looked at', async () => {
    expect((await recorded(new Request(), { why: { token: 'x' } })).text).toContain('# why: object was thrown, not an Error\r\n');
    const evil = new Error('x');
    Object.defineProperty(evil, 'stack', {
      get: () => {
        throw new Error('no');
      },
    });
    expect((await recorded(new Request(), { why: evil })).text).toContain('# why: an error that cannot be looked at\r\n');
  });

  it('records the request that came, when it is given one that is made from it', async () => {
    const cut = new Request({ target: '/api/notes?x=1' }).withoutPrefix('/api');
    expect((await recorded(cut as Request)).text).toContain('GET http://localhost:8000/api/notes?x=1 HTTP/1.1\r\n');
  });

  it('leads to this machine, also when the client has asked for another one', async () => {
    const { text, path } = await recorded(new Request({ target: 'http://user:pass@elsewhere.example/a?b', headers: { Host: 'x' } }));
    expect(text).toContain('GET http://localhost:8000/a?b HTTP/1.1\r\n');
    expect(text).toContain(', for http://***@elsewhere.example\r\n');
    expect(text).not.toContain('pass@');
    expect(requestFromFile(path).host).toBe('***@elsewhere.example');
  });

  it('keeps a body of 5 MB byte by byte', async () => {
    const body = Buffer.alloc(5 * 1024 * 1024);
    for (let i = 0; i < body.length; i++) body[i] = (i * 31 + (i >> 8)) & 0xff;
    const { path } = await recorded(new Request({ method: 'POST', body }));
    expect(requestFromFile(path).body.bytes().equals(body)).toBe(true);
  });

  it('records the first bytes of a body that is too large for the file, and says so', async () => {
    const { path, text } = await recorded(new Request({ method: 'POST', body: Buffer.alloc(100_000, 'a') }), { maxFileSize: 65_536 });
    expect(text.length).toBeLessThanOrEqual(65_536);
    expect(text).toMatch(/^# body: the first \d+ of 100000 bytes\r$/m);
    expect(text).toContain('Content-Length: 100000\r\n');
    expect(() => requestFromFile(path)).toThrow(
      /line \d+: Content-Length is 100000, but the body has \d+ bytes: not all of it was recorded/,
    );
    expect(requestFromFile(path, { partial: true }).body.size).toBeGreaterThan(60_000);
  });

  it('leaves a body out that cannot be searched for what is to be masked', async () => {
    const bodies: readonly [type: string, body: string, encoding?: string][] = [
      ['application/json', '{"password": "hidden", }'],
      ['application/json', '"\xff hidden'],
      ['application/json; charset', '{"password":"hidden"}'],
      ['multipart/form-data; boundary=x', '--y\r\nContent-Disposition: form-data; name="password"\r\n\r\nhidden\r\n--y--\r\n'],
      ['multipart/form-data', '--y\r\nContent-Disposition: form-data; name="password"\r\n\r\nhidden\r\n--y--\r\n'],
      ['multipart/form-data; boundary=y', '--y\r\nContent-Disposition: form-data; name="password"\r\n\r\nhidden'],
      [
        'multipart/form-data; boundary=y',
        '--y\r\nContent-Disposition: form-data; name="a"\r\n--y\r\nContent-Disposition: form-data; name="password"\r\n\r\nhidden\r\n--y--\r\n',
      ],
      ['text/plain, application/json', '{"password":"hidden", }'],
      ['application/x-www-form-urlencoded', 'password=hidden', 'gzip'],
    ];
    for (const [type, body, encoding] of bodies) {
      const headers = { 'Content-Type': type, ...(encoding && { 'Content-Encoding': encoding }) };
      const { text } = await recorded(new Request({ method: 'POST', headers, body: Buffer.from(body, 'latin1') }), { mask: ['password'] });
      expect(text).not.toContain('hidden');
      expect(text).toContain(`# body: left out: it cannot be searched for what is to be masked; it had ${body.length} bytes\r\n`);
    }
  });

  it('masks what is JSON whatever it is said to be, and leaves other types as they are', async () => {
    const body = '{"password":"hidden"}';
    for (const headers of [{}, { 'Content-Type': 'text/plain' }, { 'Content-Type': 'application/octet-stream' }]) {
      expect((await recorded(new Request({ method: 'POST', headers, body }), { mask: ['password'] })).text).toContain('{"password":"***"}');
    }
    const form = new FormData();
    form.append('meta', body); // which gives it no type
    form.append('file', new Blob([body], { type: 'application/octet-stream' }), 'a.bin');
    form.append('text', '{"password":"shown", }');
    const web = new globalThis.Response(form);
    const headers = { 'Content-Type': web.headers.get('content-type') as string };
    const { text } = await recorded(new Request({ method: 'POST', headers, body: Buffer.from(await web.arrayBuffer()) }), {
      mask: ['password'],
    });
    expect(text.match(/\{"password".*\}/g)).toEqual(['{"password":"***"}', '{"password":"***"}', '{"password":"shown", }']);
    const xml = new Request({ method: 'POST', headers: { 'Content-Type': 'text/xml' }, body: '<password>shown</password>' });
    expect((await recorded(xml, { mask: ['password'] })).text).toContain('<password>shown</password>');
  });

  it('masks parameters in fields and queries, however deep in a URL', async () => {
    const once = encodeURIComponent('/a?x=1&password=hidden');
    const values = [
      'https://a.example/?x=1&password=hidden#y',
      'https://a.example/#password=hidden',
      `https://a.example/?next=${once}&z=1`,
      `https://a.example/?next=${encodeURIComponent(`/b?next=${once}`)}&z=1`,
      'password=hidden',
      'Custom user=1, password="hidden"',
      'a=1;password=hidden',
      'a=1&pass%77ord=hidden?a=hidden',
    ];
    const headers = values.map((value, i) => [`X-${i}`, value] as const);
    const { text } = await recorded(new Request({ target: `/?${values[3]}`, headers }), { mask: ['password'] });
    expect(text).not.toContain('hidden');
    expect(text).toContain('X-2: https://a.example/?next=***&z=1\r\n');
  });

  it('copes with what is made to be slow to mask', async () => {
    const request = new Request({
      method: 'POST',
      target: `/?${'a=%253F'.repeat(1000)}`,
      headers: [
        ...Array.from({ length: 60 }, (_, i) => [`X-${i}`, '?a='.repeat(2000)] as const),
        ...Array.from({ length: 60 }, (_, i) => [`Y-${i}`, `${'a'.repeat(100_000)}?=`] as const),
        ['Content-Type', 'application/json'],
      ],
      body: `{${'"a":0,'.repeat(150_000)}"b":${'['.repeat(2000)}${']'.repeat(2000)}}`,
    });
    const { path } = await recorded(request, { mask: ['password'] });
    expect(requestFromFile(path).body.text()).toBe(request.body.text());
  });

  it('cannot be made to begin a line, or to name a file elsewhere', async () => {
    const request = new Request({ target: '/a\r\nX-Evil: 1', headers: { 'X-A': 'ÿ' } });
    setId(request, '../../etc/passwd\n');
    const { text, path } = await recorded(request, { why: 'a\r\nb\n# c', mask: ['x\r\ny'] });
    expect(path).toMatch(/Z-request-etcpasswd\.http$/);
    expect(text.split('\r\n')).toHaveLength(10);
    expect(text).toContain('# why: a??b?# c\r\n');
    expect(text).toContain('GET http://localhost:8000/a%0D%0AX-Evil:%201 HTTP/1.1\r\n');
    expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  });

  it('lets nobody else read the file, or the folder that it makes', async () => {
    const folder = join(newFolder(), 'new', 'inner');
    const { path } = await recorded(new Request(), { folder });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('keeps the newest files, whoever writes them, and leaves all others alone', async () => {
    const folder = newFolder();
    const others = ['notes.http', '2020-01-01T00-00-00.000Z-x.txt', '.2099-01-01T00-00-00.000Z-request-a.http.tmp'];
    for (const name of others) writeFileSync(join(folder, name), 'x');
    writeFileSync(join(folder, '.2020-01-01T00-00-00.000Z-request-a.http.tmp'), 'of a process that has died');
    mkdirSync(join(folder, '2020-01-01T00-00-00.000Z-request-dir.http'));
    const outside = join(newFolder(), 'outside');
    writeFileSync(outside, 'x');
    symlinkSync(outside, join(folder, '2020-01-01T00-00-00.000Z-request-link.http'));
    const paths: (string | undefined)[] = [];
    for (let i = 0; i < 6; i++) paths.push(await recordRequest(new Request({ target: `/${i}` }), { folder, maxFiles: 3 }));
    const files = readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
    expect(files.filter((name) => !others.includes(name))).toHaveLength(3);
    expect(files).toEqual(expect.arrayContaining(others));
    expect(files.map((name) => join(folder, name))).toContain(paths.at(-1));
    expect(readlinkSync(join(folder, '2020-01-01T00-00-00.000Z-request-link.http'))).toBe(outside);
  });

  it('follows a folder that is a link, and no link within it', async () => {
    const [real, link] = [newFolder(), join(newFolder(), 'link')];
    symlinkSync(real, link);
    const { path } = await recorded(new Request(), { folder: link });
    expect(path.startsWith(link)).toBe(true);
    expect(recordsIn(real)).toHaveLength(1);
  });

  it('tells of a folder that it cannot write to once, and of the next trouble when it has worked in between', async () => {
    const lines = errorLines();
    const folder = newFolder();
    const inner = join(folder, 'file');
    writeFileSync(inner, 'in the way');
    const attempt = (): Promise<string | undefined> => recordRequest(new Request(), { folder: join(inner, 'x') });
    expect(await attempt()).toBeUndefined();
    expect(await attempt()).toBeUndefined();
    expect(lines).toEqual([
      expect.stringMatching(/^\[recordRequest\] cannot record requests in ".*": ENOTDIR: .*; said once, until it works again$/),
    ]);
  });

  it('leaves nothing behind when the disk is full', async () => {
    const lines = errorLines();
    expect(await recordRequest(new Request({ method: 'POST', body: 'x' }), { folder: '/dev/full/x' })).toBeUndefined();
    expect(lines).toHaveLength(1);
  });

  it.runIf(process.getuid?.() !== 0)('tells of a folder in which it may not write', async () => {
    const lines = errorLines();
    const folder = newFolder();
    chmodSync(folder, 0o500);
    onTestFinished(() => chmodSync(folder, 0o700));
    expect(await recordRequest(new Request(), { folder })).toBeUndefined();
    expect(lines[0]).toContain('EACCES');
  });

  it('drops what is beyond the bound of a flood, holds no more, and says it once', async () => {
    const lines = errorLines();
    const folder = newFolder();
    const body = Buffer.alloc(8 * 1024 * 1024, 'x');
    const all = Array.from({ length: 200 }, () => recordRequest(new Request({ method: 'POST', body }), { folder, maxFiles: 4 }));
    const paths = await Promise.all(all);
    const written = paths.filter((path) => path !== undefined);
    expect(written.length).toBe(8); // 64 MiB of them
    expect(recordsIn(folder)).toHaveLength(4);
    expect(lines).toEqual([expect.stringContaining('more go wrong than the disk can take')]);
    expect(await recordRequest(new Request(), { folder })).toBeDefined();
  });

  it('refuses wrong options', () => {
    const wrong: readonly [options: unknown, message: string][] = [
      [{}, 'Cannot record request: folder is undefined, not a string'],
      [{ folder: '' }, 'Cannot record request: folder is empty'],
      [{ folder: 'x', masks: [] }, 'Cannot record request: unknown option "masks": did you mean "mask"?'],
      [{ folder: 'x', mask: 'password' }, 'Cannot record request: mask is string, not a list of names'],
      [{ folder: 'x', mask: [''] }, 'Cannot record request: mask holds "", which is not a name'],
      [{ folder: 'x', maxFiles: 0 }, 'Cannot record request: maxFiles is 0, not a whole number from 1 to 10000'],
      [{ folder: 'x', maxFileSize: 1 }, 'Cannot record request: maxFileSize is 1, not a whole number from 65536 to 1073741824'],
    ];
    for (const [options, message] of wrong) {
      expect(() => recordRequest(new Request(), options as RecordOptions)).toThrow(
        expect.objectContaining({ message, code: 'bad-option' }),
      );
    }
  });
});
