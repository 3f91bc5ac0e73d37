import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HttpError, Request, Response } from '../../src/index.ts';

describe('the builders', () => {
  it.each([
    [Response.text('a'), 200, 'text/plain; charset=utf-8', 'a'],
    [Response.html('<p>'), 200, 'text/html; charset=utf-8', '<p>'],
    [Response.svg('<svg/>'), 200, 'image/svg+xml; charset=utf-8', '<svg/>'],
    [Response.json({ a: [1, null] }), 200, 'application/json; charset=utf-8', '{"a":[1,null]}'],
    [Response.bytes('image/png', Uint8Array.of(0x61)), 200, 'image/png', 'a'],
    [new Response('a'), 200, 'text/plain; charset=utf-8', 'a'],
    [new Response('a', { status: 201, headers: { 'content-type': 'x/y' } }), 201, 'x/y', 'a'],
    [Response.empty(), 204, undefined, ''],
    [Response.empty(404), 404, undefined, ''],
  ])('set status, type and body', (response, status, type, body) => {
    expect([response.status, response.header('content-type'), response.text()]).toEqual([status, type, body]);
  });

  it('refuse JSON that has no form', () => {
    expect(() => Response.json(undefined)).toThrow('no JSON form');
    const asOnTheWeb: (value: unknown, init?: object) => Response = Response.json;
    expect(() => asOnTheWeb({}, { status: 201 })).toThrow(
      expect.objectContaining({ code: 'bad-option', message: expect.stringContaining('withStatus') as string }),
    );
    expect(() => Response.json(1n)).toThrow('Cannot make JSON');
    const circle: { self?: unknown } = {};
    circle.self = circle;
    expect(() => Response.json(circle)).toThrow('Cannot make JSON');
  });

  it('redirect with 303 unless told, percent-encode, and refuse CR and LF', () => {
    expect([Response.redirect('/a').status, Response.redirect('/a', 308).status]).toEqual([303, 308]);
    expect(Response.redirect('/é b?x=%20&y="').header('location')).toBe('/%C3%A9%20b?x=%20&y=%22');
    expect(() => Response.redirect('/x\r\nSet-Cookie: a=b')).toThrow('CR, LF');
    expect(() => Response.redirect('/x', 200 as 303)).toThrow('status 200 is not a redirect');
  });

  it.each(['/\t/evil.example', '/\n/evil.example', '\u0001//evil.example', '\x1f/a', '/a\x7f'])(
    'refuse to redirect to %j: browsers strip control characters, and go to another place (WHATWG URL §4.4)',
    (location) => {
      expect(() => Response.redirect(location)).toThrow(
        expect.objectContaining({ name: 'TypeError', code: 'bad-header', message: expect.stringContaining('control character') as string }),
      );
    },
  );

  it('percent-encode backslashes and spaces in a redirect, which browsers would take for slashes or strip', () => {
    expect(Response.redirect('/\\evil.example').header('location')).toBe('/%5Cevil.example');
    expect(Response.redirect(' //evil.example').header('location')).toBe('%20//evil.example');
  });

  it.each([0, 99, 199, 1000, 200.5, Number.NaN])('refuse the status %s', (status) => {
    expect(() => Response.empty(status)).toThrow('not a whole number from 200 to 999');
    expect(() => Response.text('').withStatus(status)).toThrow(RangeError);
  });

  it('refuse a body that is none', () => {
    expect(() => new Response(42 as unknown as string)).toThrow('body is number');
    expect(() => Response.text(undefined as unknown as string)).toThrow('body is undefined');
  });

  it('send server-sent events in their format', async () => {
    async function* events(): AsyncGenerator<string | { data: string; event: string; id: string; retry: number }> {
      yield 'one\ntwo';
      yield { data: 'x', event: 'e', id: '7', retry: 100 };
    }
    const response = Response.events(events());
    expect([response.header('content-type'), response.header('cache-control')]).toEqual(['text/event-stream', 'no-cache']);
    expect((await response.collect()).toString()).toBe('data: one\ndata: two\n\nevent: e\nid: 7\nretry: 100\ndata: x\n\n');
  });

  it('refuse an event whose name or id would begin another field', async () => {
    async function* events(): AsyncGenerator<{ data: string; event: string }> {
      yield { data: 'x', event: 'e\ndata: forged' };
    }
    await expect(Response.events(events()).collect()).rejects.toThrow('its event has more than one line');
  });
});

describe('a Response', () => {
  it('is never changed: a constant stays what it is', () => {
    const constant = Response.text('a').withHeader('X-A', '1');
    const before = JSON.stringify([constant.status, constant.headers]);
    constant
      .withStatus(500)
      .withHeader('X-A', '2')
      .withAddedHeader('X-B', '3')
      .withoutHeader('X-A')
      .withCookie('s', '1')
      .withBody('b')
      .withEtag('e')
      .withNoCache();
    expect(JSON.stringify([constant.status, constant.headers])).toBe(before);
    expect(constant.text()).toBe('a');
  });

  it.each(['status', 'headers', 'ok'])('refuses to have its %s assigned: a constant would change for every later request', (name) => {
    const constant = Response.text('a');
    expect(() => Object.assign(constant, { [name]: 500 })).toThrow(TypeError);
    expect([constant.status, constant.ok]).toEqual([200, true]);
  });

  it('is not equal to one with another status in an assertion of a test', () => {
    expect(Response.empty(204)).not.toEqual(Response.empty(404));
    expect(Response.empty(404)).toEqual(Response.empty(404));
  });

  it('replaces a field where it stands first, in any case, and drops its other lines', () => {
    const response = new Response('', {
      headers: [
        ['x-a', '1'],
        ['b', '2'],
        ['X-A', '3'],
      ],
    }).withHeader('X-a', '4');
    expect(response.headers.filter(([name]) => name !== 'Content-Type')).toEqual([
      ['X-a', '4'],
      ['b', '2'],
    ]);
  });

  it.each(['a\rb', 'a\nb', 'a\0b', 'a\x7fb', '€'])('refuses the field value %j at the culprit', (value) => {
    expect(() => Response.text('').withHeader('X-A', value)).toThrow('Cannot set header "X-A"');
    expect(() => new Response('', { headers: { 'X-A': value } })).toThrow(TypeError);
  });

  it.each(['', 'a b', 'a:', 'a\r\n', 'é'])('refuses the field name %j', (name) => {
    expect(() => Response.text('').withHeader(name, 'x')).toThrow('is not a token');
  });

  it('gives all values of a field, one for each line, in any case of the name', () => {
    const response = Response.text('').withCookie('a', '1').withCookie('b', '2');
    expect(response.headerAll('set-cookie')).toEqual(['a=1; Path=/; HttpOnly; SameSite=Lax', 'b=2; Path=/; HttpOnly; SameSite=Lax']);
    expect(response.headerAll('SET-COOKIE')).toHaveLength(2);
    expect(response.headerAll('content-type')).toEqual(['text/plain; charset=utf-8']);
    expect(response.headerAll('x-none')).toEqual([]);
  });

  it('hands out a list of values that can be changed without changing the response', () => {
    const response = Response.text('').withHeader('X-A', '1');
    response.headerAll('x-a').push('2');
    expect(response.headerAll('x-a')).toEqual(['1']);
  });

  it('stores names of Object.prototype like any other', () => {
    const response = Response.text('').withHeader('__proto__', 'p').withHeader('constructor', 'c');
    expect([response.header('__proto__'), response.header('constructor')]).toEqual(['p', 'c']);
  });

  it('sets several cookies as several fields, each HttpOnly, Lax and for the whole site unless told', () => {
    const response = Response.text('')
      .withCookie('a', '1')
      .withCookie('b', '2', { maxAge: 60, httpOnly: false, sameSite: 'strict', secure: true, domain: 'a.example', path: '/x' });
    const cookies = response.headers.filter(([name]) => name === 'Set-Cookie').map(([, value]) => value);
    expect(cookies).toHaveLength(2);
    expect(cookies[0]).toBe('a=1; Path=/; HttpOnly; SameSite=Lax');
    expect(cookies[1]?.split('; ').toSorted()).toEqual(['Domain=a.example', 'Max-Age=60', 'Path=/x', 'SameSite=Strict', 'Secure', 'b=2']);
    expect(response.withoutCookie('a').headers.at(-1)?.[1]).toContain('Max-Age=0');
    expect(response.withoutCookie('a', { sameSite: 'none', secure: true, partitioned: true }).headers.at(-1)?.[1]).toBe(
      'a=; Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; Partitioned; SameSite=None',
    );
  });

  it('refuses cookies that browsers would drop', () => {
    const response = Response.text('');
    expect(() => response.withCookie('__Host-a', '1', { secure: true, domain: 'a.example' })).toThrow('__Host-');
    expect(() => response.withCookie('__Secure-a', '1')).toThrow('needs secure');
    expect(() => response.withCookie('a', '1', { sameSite: 'none' })).toThrow('needs secure');
    expect(() => response.withCookie('a b', '1')).toThrow(TypeError);
    expect(() => response.withCookie('a', '1', { path: '/;x' })).toThrow(TypeError);
  });

  it('names a download for old and new clients (RFC 6266)', () => {
    expect(Response.text('').withAttachment('a (1).txt').header('content-disposition')).toBe('attachment; filename="a (1).txt"');
    expect(Response.text('').withAttachment('été/naïve (1).txt').header('content-disposition')).toBe(
      'attachment; filename="na?ve (1).txt"; filename*=UTF-8\'\'na%C3%AFve%20%281%29.txt',
    );
  });

  it('keeps quotes out of the plain name of a download, and right in the extended one (RFC 6266 §4.3, appendix D)', () => {
    expect(Response.text('').withAttachment('a "b".txt').header('content-disposition')).toBe(
      'attachment; filename="a ?b?.txt"; filename*=UTF-8\'\'a%20%22b%22.txt',
    );
  });

  it('lets no name of a download begin another field or parameter', () => {
    expect(Response.text('').withAttachment('a\r\nSet-Cookie: b="c";').header('content-disposition')).toBe(
      'attachment; filename="a??Set-Cookie: b=?c?;"; filename*=UTF-8\'\'a%0D%0ASet-Cookie%3A%20b%3D%22c%22%3B',
    );
  });

  it('cuts folders of both kinds off the name of a download', () => {
    expect(Response.text('').withAttachment('../etc/passwd').header('content-disposition')).toBe('attachment; filename="passwd"');
    expect(Response.text('').withAttachment('C:\\a\\b".txt').header('content-disposition')).toBe(
      'attachment; filename="b?.txt"; filename*=UTF-8\'\'b%22.txt',
    );
  });

  it('quotes entity tags, keeps weak ones, and refuses a quote inside (RFC 9110 §8.8.3)', () => {
    expect([Response.text('').withEtag('v1').header('etag'), Response.text('').withEtag('W/"v1"').header('etag')]).toEqual([
      '"v1"',
      'W/"v1"',
    ]);
    expect(() => Response.text('').withEtag('a"b')).toThrow('Cannot set ETag');
  });

  it('refuses a date that is none for Last-Modified', () => {
    expect(() => Response.text('').withLastModified(new Date('yesterday'))).toThrow('the date is invalid');
    expect(Response.text('').withLastModified(new Date(0)).header('last-modified')).toBe('Thu, 01 Jan 1970 00:00:00 GMT');
  });

  it('says how long it may be kept', () => {
    const response = Response.text('');
    expect(response.withPublicCache(60).header('cache-control')).toBe('public, max-age=60');
    expect(response.withPrivateCache(0).header('cache-control')).toBe('private, max-age=0');
    expect(response.withNoCache().header('cache-control')).toBe('no-store');
    expect(() => response.withPublicCache(-1)).toThrow(RangeError);
  });

  it('reads its body as JSON for a test, but not when it is a stream', () => {
    expect(Response.json({ a: [1, null] }).json()).toEqual({ a: [1, null] });
    expect(Response.bytes('application/json', Buffer.from('"é"')).json()).toBe('é');
    expect(Response.stream('application/json', ['1']).json()).toBeUndefined();
    expect(() => Response.text('no').json()).toThrow(SyntaxError);
  });

  it('is ok from 200 to 399', () => {
    expect([200, 304, 399, 400, 500].map((status) => Response.empty(status).ok)).toEqual([true, true, true, false, false]);
  });

  it('gives a stream once, and says so the second time', async () => {
    const response = Response.stream(
      'text/plain',
      (function* stream() {
        yield 'a';
      })(),
    );
    expect([response.bytes(), (await response.collect()).toString()]).toEqual([undefined, 'a']);
    await expect(response.collect()).rejects.toThrow('has been sent before');
  });
});

describe('Response.file', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
    writeFileSync(join(folder, 'a.html'), '<p>');
    writeFileSync(join(folder, 'noend'), 'x');
    execFileSync('mkfifo', [join(folder, 'fifo')]);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('takes the type from the extension unless told', () => {
    expect(Response.file(join(folder, 'a.html')).header('content-type')).toBe('text/html; charset=utf-8');
    expect(Response.file(join(folder, 'noend')).header('content-type')).toBe('application/octet-stream');
    expect(Response.file(join(folder, 'a.html'), 'text/x').header('content-type')).toBe('text/x');
    expect(Response.file(join(folder, 'a.html')).text()).toBe('<p>');
  });

  it('tells logs, not clients, why there is no file', () => {
    const error = thrownBy(() => Response.file(join(folder, 'missing')));
    expect(error).toMatchObject({ status: 404, code: 'not-found', message: 'Not Found', cause: { code: 'ENOENT' } });
    expect(thrownBy(() => Response.file(join(folder, 'fifo')))).not.toHaveProperty('cause');
  });

  it('is a 404 as well when the file is gone by the time it is read', () => {
    writeFileSync(join(folder, 'gone'), 'x');
    const response = Response.file(join(folder, 'gone'));
    rmSync(join(folder, 'gone'));
    expect(thrownBy(() => response.bytes())).toBeInstanceOf(HttpError);
    expect(thrownBy(() => response.text())).toMatchObject({ status: 404 });
  });

  it.each(['missing', 'a.html/b', '.', 'fifo'])('is a 404 for %s, and does not wait for a pipe', (name) => {
    expect(() => Response.file(join(folder, name))).toThrow(HttpError);
  });
});

describe('HttpError', () => {
  it.each(['status', 'code', 'headers', 'details'])('refuses to have its %s assigned', (name) => {
    const constant = new HttpError(404, undefined, { headers: { 'X-A': '1' } });
    expect(() => Object.assign(constant, { [name]: 500 })).toThrow(TypeError);
    expect(() => (constant.headers as unknown[]).push(['X-B', '2'])).toThrow(TypeError);
    expect([constant.status, constant.code, constant.response.headers.length]).toEqual([404, 'not-found', 3]);
  });

  it('refuses options in place of the message, which would be sent as [object Object]', () => {
    expect(() => new HttpError(404, { code: 'gone' } as unknown as string)).toThrow(
      'Cannot make an HttpError: message is object, not a string',
    );
  });

  it('can be extended by a class that declares its code', () => {
    class Absent extends HttpError {
      override readonly code = 'no-such-user';
      constructor() {
        super(404);
      }
    }
    expect(new Absent().code).toBe('no-such-user');
  });

  it('answers with its status and message as text', () => {
    const { response } = new HttpError(403, 'Members only', { headers: { 'X-A': '1' } });
    expect([response.status, response.text(), response.header('content-type'), response.header('x-a')]).toEqual([
      403,
      'Members only',
      'text/plain; charset=utf-8',
      '1',
    ]);
    expect(response.header('x-content-type-options')).toBe('nosniff');
  });

  it('has a code for programs: its own, or the reason phrase', () => {
    expect([new HttpError(404).code, new HttpError(418).code, new HttpError(400, 'x', { code: 'my-code' }).code]).toEqual([
      'not-found',
      'status-418',
      'my-code',
    ]);
  });

  it.each([200, 399, 600, 404.5])('refuses the status %s', (status) => {
    expect(() => new HttpError(status)).toThrow(RangeError);
  });

  it('refuses a header field that cannot be sent where it is made, not where it is answered', () => {
    expect(() => new HttpError(400, 'x', { headers: { 'X-A': 'a\r\nSet-Cookie: b' } })).toThrow('Cannot set header "X-A"');
  });

  it('answers with its header fields as often as it is asked, also when they came from an iterator', () => {
    const error = new HttpError(503, 'x', { headers: new Map([['Retry-After', '60']]).entries() });
    expect([error.response.header('retry-after'), error.response.header('retry-after')]).toEqual(['60', '60']);
  });

  it('is told apart from other errors by Response.fromError', () => {
    expect(Response.fromError(new HttpError(409, 'Taken')).text()).toBe('Taken');
    const ours = Response.fromError(new Error('secret'));
    expect([ours.status, ours.text()]).toEqual([500, 'Internal Server Error']);
  });

  it('is answered by Response.fromError with the request as the server would: in JSON when the client prefers it', () => {
    const error = new HttpError(409, 'Taken', { code: 'taken', headers: { 'Retry-After': '9' }, details: { by: 'ada' } });
    const asking = (accept: string): Response => Response.fromError(error, new Request({ headers: { Accept: accept } }));
    const inJson = asking('application/json');
    expect([inJson.status, inJson.header('content-type'), inJson.header('retry-after'), inJson.header('x-content-type-options')]).toEqual([
      409,
      'application/json; charset=utf-8',
      '9',
      'nosniff',
    ]);
    expect(JSON.parse(inJson.text() ?? '')).toEqual({ status: 409, code: 'taken', message: 'Taken', by: 'ada' });
    expect([asking('text/html, application/json;q=0.9').text(), asking('*/*').text()]).toEqual(['Taken', 'Taken']);
    const bug = Response.fromError(new Error('secret'), new Request({ headers: { Accept: 'application/json' } }));
    expect(JSON.parse(bug.text() ?? '')).toEqual({ status: 500, code: 'internal-server-error', message: 'Internal Server Error' });
  });
});

function thrownBy(f: () => unknown): unknown {
  try {
    f();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown');
}
