import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalPath, encodePath, parseTarget } from '../../src/http/target.ts';

/** What an attacker would put together. */
const piece = fc.constantFrom(
  '/',
  '//',
  '.',
  '..',
  '%2e',
  '%2E%2e',
  '%2f',
  '%5c',
  '\\',
  '%00',
  '%',
  '%zz',
  '%c0%af',
  '%e2%82%ac',
  '%25',
  'a',
  'private',
  ';p=1',
  'é',
  '\xff',
  '%c3%a9',
  '~',
  ':',
  '%252e',
  '%252F',
  '%25252F',
  '%252',
  'F',
  '@$&+,=!',
);
const rawPath = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`);

describe('canonicalPath', () => {
  it.each([
    ['/', '/'],
    ['/a/b', '/a/b'],
    ['/a//b///c', '/a/b/c'],
    ['//a', '/a'],
    ['/a/', '/a/'],
    ['/a//', '/a/'],
    ['/a/./b', '/a/b'],
    ['/a/../b', '/b'],
    ['/a/..', '/'],
    ['/a/b/..', '/a/'],
    ['/a/.', '/a/'],
    ['/../../etc/passwd', '/etc/passwd'],
    ['/%2e%2e/%2E%2E/etc', '/etc'],
    ['/a%2Fb', '/a%2Fb'],
    ['/a%2fb', '/a%2Fb'],
    ['/h%65llo', '/hello'],
    ['/%E2%82%AC', '/€'],
    ['/caf\xc3\xa9', '/café'],
    ['/a;p=1/b', '/a;p=1/b'],
    ['/%252e%252e', '/%2e%2e'],
    ['/a%252Fb', '/a%252Fb'],
    ['/a%25252Fb%2F', '/a%25252Fb%2F'],
    ['/a%252fb', '/a%2fb'],
    ['/a%2525', '/a%25'],
    ['/...', '/...'],
    ['/.well-known', '/.well-known'],
  ])('spells %s as %s', (raw, path) => {
    expect(canonicalPath(raw)).toBe(path);
  });

  it.each(['/a%00b', '/a\0b', '/a\\b', '/a%5Cb', '/%', '/%z1', '/%ff', '/%c0%af', '/%ed%a0%80', '/\xff'])(
    'refuses %j, which has no safe meaning',
    (raw) => {
      expect(canonicalPath(raw)).toBeUndefined();
    },
  );

  it('never gives a path with a dot segment, an empty segment, a backslash or NUL', () => {
    fc.assert(
      fc.property(rawPath, (raw) => {
        const path = canonicalPath(raw);
        if (path === undefined) return;
        expect(path.startsWith('/')).toBe(true);
        const segments = path.slice(1).split('/');
        expect(segments.slice(0, -1)).not.toContain('');
        expect(segments).not.toContain('.');
        expect(segments).not.toContain('..');
        expect(path).not.toMatch(/[\\\0]/);
      }),
      { numRuns: 5000 },
    );
  });

  it('gives the same path again for a path that was encoded', () => {
    fc.assert(
      fc.property(rawPath, (raw) => {
        const path = canonicalPath(raw);
        if (path !== undefined) expect(canonicalPath(encodePath(path))).toBe(path);
      }),
      { numRuns: 5000 },
    );
  });

  it('agrees with the URL standard where that has no other opinion', () => {
    const simple = fc
      .array(fc.constantFrom('a', 'b', '.', '..', 'c.d', '%20', '~'), { minLength: 1, maxLength: 8 })
      .map((parts) => `/${parts.join('/')}`);
    fc.assert(
      fc.property(simple, (raw) => {
        expect(canonicalPath(raw)).toBe(decodeURIComponent(new URL(raw, 'http://a').pathname));
      }),
    );
  });
});

describe('encodePath', () => {
  it('leaves alone what RFC 3986 §3.3 lets stand in a path, and nothing else', () => {
    const ascii = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));
    const allowed = ascii.filter((character) => /[\w\-.~!$&'()*+,;=:@/]/.test(character));
    for (const character of allowed) expect(encodePath(`/a${character}`)).toBe(`/a${character}`);
    for (const character of ascii.filter((one) => !allowed.includes(one))) {
      const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0');
      expect(encodePath(`/a${character}`)).toBe(`/a%${code}`);
    }
  });

  it.each([
    '/@bob',
    '/odata/$metadata',
    '/a;b',
    '/v1/x:publish',
    '/@vite/client',
    "/a-._~!$&'()*+,;=:@",
    '/a%20b',
    '/%E2%82%AC',
    '/a%2Fb',
    '/a%252Fb',
  ])('sends %s as it came (RFC 3986 §3.3)', (raw) => {
    expect(encodePath(canonicalPath(raw) ?? '')).toBe(raw);
  });

  it('gives no two paths one spelling', () => {
    fc.assert(
      fc.property(rawPath, rawPath, (one, other) => {
        const [a, b] = [canonicalPath(one), canonicalPath(other)];
        if (a === undefined || b === undefined || a === b) return;
        expect(encodePath(a)).not.toBe(encodePath(b));
      }),
      { numRuns: 5000 },
    );
  });
});

describe('parseTarget', () => {
  it('takes path and query apart at the first question mark', () => {
    expect(parseTarget('/a?x=1?y')).toEqual({ path: '/a', rawQuery: 'x=1?y', authority: undefined });
  });

  it('takes the authority of an absolute-form target (RFC 9112 §3.2.2)', () => {
    expect(parseTarget('http://a.example:80/p?q')).toEqual({ path: '/p', rawQuery: 'q', authority: 'a.example:80' });
    expect(parseTarget('HTTPS://a.example')).toEqual({ path: '/', rawQuery: '', authority: 'a.example' });
    expect(parseTarget('http://a.example?q')).toEqual({ path: '/', rawQuery: 'q', authority: 'a.example' });
  });

  it('refuses an empty authority and other schemes (RFC 9110 §4.2.1)', () => {
    expect(parseTarget('http:///a')).toBeUndefined();
    expect(parseTarget('ftp://a/b')).toBeUndefined();
    expect(parseTarget('a')).toBeUndefined();
  });

  it('never routes on a fragment', () => {
    expect(parseTarget('/a#/../b')).toEqual({ path: '/a', rawQuery: '', authority: undefined });
  });
});
