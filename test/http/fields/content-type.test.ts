import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseContentType } from '../../../src/http/fields/content-type.ts';

const charsetOf = (value: string): string | undefined => parseContentType(value)?.parameters.get('charset');

describe('parseContentType (RFC 9110 §8.3)', () => {
  it('reads type and parameters, names in any case', () => {
    const content = parseContentType('Text/HTML;Charset="utf-8"; boundary=a');
    expect([content?.type, Object.fromEntries(content?.parameters ?? [])]).toEqual(['text/html', { charset: 'utf-8', boundary: 'a' }]);
  });

  it('takes whitespace around the semicolon, and empty parameters (§5.6.6)', () => {
    expect(charsetOf('a/b \t;\t ;; charset=x ;')).toBe('x');
  });

  it('undoes quoted pairs (§5.6.4)', () => {
    expect(charsetOf('a/b; charset="a\\"b\\\\;c"')).toBe('a"b\\;c');
  });

  it('lets the first of two parameters with one name stand', () => {
    expect(charsetOf('a/b; charset=1; CHARSET=2')).toBe('1');
  });

  it('keeps names of Object.prototype apart', () => {
    expect(parseContentType('a/b; __proto__=x; constructor=y')?.parameters.get('__proto__')).toBe('x');
  });

  it.each([
    undefined,
    '',
    'text',
    'text/',
    '/html',
    'text/html/x',
    'text /html',
    'a/b, c/d',
    'a/b; charset',
    'a/b; charset=',
    'a/b; charset = x',
    'a/b; charset="x',
    'a/b; charset="x"y',
    'a/b; =x',
    'a/b x',
    'a/b\xa0',
    'a/b; charset="\x00"',
  ])('is undefined for %j', (value) => {
    expect(parseContentType(value)).toBeUndefined();
  });

  it('reads back what is put together by the rules', () => {
    const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,8}$/);
    const text = fc.stringMatching(/^[\t\x20-\x7e\x80-\xff]{0,8}$/);
    fc.assert(
      fc.property(token, token, token, text, (major, minor, name, value) => {
        const quoted = `"${value.replace(/["\\]/g, '\\$&')}"`;
        const content = parseContentType(`${major}/${minor}; ${name}=${quoted}`);
        expect(content?.type).toBe(`${major}/${minor}`.toLowerCase());
        expect(content?.parameters.get(name.toLowerCase())).toBe(value);
      }),
    );
  });
});
