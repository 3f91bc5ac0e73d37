import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cookies } from '../../src/helpers/cookies.ts';
import { cookieValuesOf, parseCookie } from '../../src/http/fields/cookie.ts';
import { Request, Response } from '../../src/index.ts';
import { cpuTime } from '../support/cpu-time.ts';

const sent = (...lines: string[]): Request => new Request({ headers: lines.map((line) => ['Cookie', line] as const) });

describe('cookies (RFC 6265 §4.2, §5.4)', () => {
  it('reads the values by name', () => {
    expect({ ...cookies(sent('a=1; b=2;c=3 ;  d = 4')) }).toEqual({ a: '1', b: '2', c: '3', d: '4' });
    expect({ ...cookies(new Request()) }).toEqual({});
  });

  it('gives an object without a prototype, so that __proto__ is a name like others', () => {
    const read = cookies(sent('__proto__=a; constructor=b'));
    expect(Object.getPrototypeOf(read)).toBeNull();
    expect(Object.entries(read)).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
    expect(cookies(sent(''))['toString']).toBeUndefined();
  });

  it('takes the first of several with one name', () => {
    expect(cookies(sent('a=1; a=2'))['a']).toBe('1');
    expect(cookies(sent('a=; a=2'))['a']).toBe('');
  });

  it('are all read where one name is asked for, the first of them the same', () => {
    expect(cookieValuesOf('b; a=1;c=a;\ta = "2" ; =a=; a=%33;a', 'a')).toEqual(['1', '2', '3']);
    const piece = fc.constantFrom('a', 'b', '=', ';', ' ', '\t', '"', '%41', '%');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const line = pieces.join('');
        expect(cookieValuesOf(line, 'a')[0]).toBe(parseCookie(line)['a']);
        expect(cookieValuesOf(line, 'a')).toEqual(line.split(';').flatMap((pair) => parseCookie(pair)['a'] ?? []));
      }),
    );
  });

  it('takes quotes off, decodes escapes, and leaves a broken escape as it came', () => {
    expect({ ...cookies(sent('a="x y"; b=%C3%A9; c=%zz; d="%41"; e="; f=""; g=a=b')) }).toEqual({
      a: 'x y',
      b: 'é',
      c: '%zz',
      d: 'A',
      e: '"',
      f: '',
      g: 'a=b',
    });
  });

  it('passes over what is no name=value', () => {
    expect({ ...cookies(sent('flag; a=1;; ;b')) }).toEqual({ a: '1' });
  });

  it('joins the lines that HTTP/2 clients may send one by one (RFC 9113 §8.2.3)', () => {
    expect({ ...cookies(sent('a=1', 'b=2', 'a=3')) }).toEqual({ a: '1', b: '2' });
  });

  it.each([';', 'a;', '=;', 'a=;', '"; ', '%'])('reads 64 KiB of %j in a few milliseconds', (piece) => {
    const request = sent(piece.repeat(65_536 / piece.length));
    expect(cpuTime(() => cookies(request))).toBeLessThan(100);
  });

  it('cannot be set with a name, path or domain that would begin another attribute (cookie CVE-2024-47764)', () => {
    const set = (...args: Parameters<Response['withCookie']>): Response => Response.text('').withCookie(...args);
    for (const name of ['userName=<script>alert(1)</script>; Max-Age=2592000; a', 'a;b', 'a=b', 'a,b', 'a\r\nb', '']) {
      expect(() => set(name, '1')).toThrow(expect.objectContaining({ code: 'bad-cookie' }));
    }
    for (const odd of ['/; Max-Age=1', '/\r\nX: y', 'a.example; Secure', 'a.example\0']) {
      expect(() => set('a', '1', { path: odd })).toThrow(expect.objectContaining({ code: 'bad-cookie' }));
      expect(() => set('a', '1', { domain: odd })).toThrow(expect.objectContaining({ code: 'bad-cookie' }));
    }
    expect(set('a', '1; Secure\r\nX: y').header('set-cookie')).toBe('a=1%3B%20Secure%0D%0AX%3A%20y; Path=/; HttpOnly; SameSite=Lax');
  });

  it('gives back what withCookie sets', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const value = text.toWellFormed();
        const [pair = ''] = (Response.empty().withCookie('it', value).header('set-cookie') ?? '').split(';');
        expect(cookies(sent(pair))['it']).toBe(value);
      }),
    );
  });
});

it('cannot be set when its name and value are more than browsers take (RFC 6265bis §5.6)', () => {
  const page = Response.text('');
  expect(page.withCookie('a', 'x'.repeat(4095)).header('set-cookie')).toContain('x; ');
  for (const value of ['x'.repeat(4096), 'x'.repeat(5000), 'é'.repeat(683)]) {
    expect(() => page.withCookie('a', value)).toThrow(expect.objectContaining({ name: 'TypeError', code: 'bad-cookie' }));
  }
});
