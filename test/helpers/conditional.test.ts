import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { conditional } from '../../src/helpers/conditional.ts';
import { parseEntityTag, parseEntityTags } from '../../src/http/fields/etag.ts';
import { Request, Response } from '../../src/index.ts';
import { cpuTime } from '../support/cpu-time.ts';

const BEFORE = 'Sat, 29 Oct 1994 19:43:30 GMT';
const AT = 'Sat, 29 Oct 1994 19:43:31 GMT';
const AFTER = 'Sat, 29 Oct 1994 19:43:32 GMT';

const asked = (headers: Record<string, string | string[]>, method = 'GET'): Request => new Request({ method, headers });
const page = Response.html('page').withEtag('v1').withHeader('Last-Modified', AT);
const status = (headers: Record<string, string | string[]>, method = 'GET', response = page): number =>
  conditional(asked(headers, method), response).status;

describe('If-None-Match (RFC 9110 §13.1.2)', () => {
  it.each([
    ['"v1"', 304],
    ['W/"v1"', 304],
    ['"v0", W/"v1" , "v2"', 304],
    ['*', 304],
    ['"v2"', 200],
    ['"V1"', 200],
    ['', 200],
    ['v1', 200],
    ['"v1', 200],
    ['"v0" "v1"', 200],
    ['w/"v1"', 200],
  ])('with %j answers GET and HEAD %i, by weak comparison', (list, expected) => {
    expect(status({ 'If-None-Match': list })).toBe(expected);
    expect(status({ 'If-None-Match': list }, 'HEAD')).toBe(expected);
  });

  it('compares a weak ETag too, tags with commas in them, and every line of the field', () => {
    expect(status({ 'If-None-Match': '"v1"' }, 'GET', page.withEtag('W/"v1"'))).toBe(304);
    expect(status({ 'If-None-Match': '"x,y", "z"' }, 'GET', page.withEtag('x,y'))).toBe(304);
    expect(status({ 'If-None-Match': ['"v0"', '"v1"'] })).toBe(304);
  });

  it('answers 412 to a method that changes something, when the tag matches', () => {
    for (const method of ['PUT', 'POST', 'PATCH', 'DELETE']) {
      expect(status({ 'If-None-Match': '"v1"' }, method)).toBe(412);
      expect(status({ 'If-None-Match': '*' }, method)).toBe(412);
      expect(status({ 'If-None-Match': '"v2"' }, method)).toBe(200);
    }
  });

  it('with * lets a PUT through that creates (201): there was nothing before', () => {
    const created = Response.empty(201).withEtag('v1');
    expect(status({ 'If-None-Match': '*' }, 'PUT', created)).toBe(201);
    expect(status({ 'If-None-Match': '"v1"' }, 'PUT', created)).toBe(201);
  });

  it('without an ETag matches nothing but *', () => {
    expect(status({ 'If-None-Match': '"v1"' }, 'GET', Response.text('x'))).toBe(200);
    expect(status({ 'If-None-Match': '*' }, 'GET', Response.text('x'))).toBe(304);
  });
});

describe('If-Match (RFC 9110 §13.1.1)', () => {
  it.each([
    ['"v1"', 200],
    ['"v0", "v1"', 200],
    ['*', 200],
    ['W/"v1"', 412],
    ['"v0"', 412],
    ['', 412],
    ['v1', 412],
  ])('with %j answers %i whatever the method, by strong comparison', (list, expected) => {
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) expect(status({ 'If-Match': list }, method)).toBe(expected);
  });

  it('never matches a weak ETag, nor a response without one', () => {
    expect(status({ 'If-Match': '"v1"' }, 'PUT', page.withEtag('W/"v1"'))).toBe(412);
    expect(status({ 'If-Match': '"v1"' }, 'PUT', Response.empty())).toBe(412);
    expect(status({ 'If-Match': '*' }, 'PUT', Response.empty(201))).toBe(412);
  });
});

describe('If-Modified-Since (RFC 9110 §13.1.3)', () => {
  it.each([
    [BEFORE, 200],
    [AT, 304],
    [AFTER, 304],
    ['Saturday, 29-Oct-94 19:43:31 GMT', 304],
    ['yesterday', 200],
  ])('of %j answers GET and HEAD %i', (date, expected) => {
    expect(status({ 'If-Modified-Since': date })).toBe(expected);
    expect(status({ 'If-Modified-Since': date }, 'HEAD')).toBe(expected);
  });

  it('is for GET and HEAD only', () => {
    for (const method of ['PUT', 'POST', 'DELETE']) expect(status({ 'If-Modified-Since': AFTER }, method)).toBe(200);
  });

  it('is ignored beside If-None-Match, without Last-Modified, and when it stands twice', () => {
    expect(status({ 'If-Modified-Since': AFTER, 'If-None-Match': '"v0"' })).toBe(200);
    expect(status({ 'If-Modified-Since': AFTER }, 'GET', Response.text('x'))).toBe(200);
    expect(status({ 'If-Modified-Since': [AFTER, AFTER] })).toBe(200);
  });
});

describe('If-Unmodified-Since (RFC 9110 §13.1.4)', () => {
  it.each([
    [BEFORE, 412],
    [AT, 200],
    [AFTER, 200],
    ['yesterday', 200],
  ])('of %j answers every method %i', (date, expected) => {
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) expect(status({ 'If-Unmodified-Since': date }, method)).toBe(expected);
  });

  it('is ignored beside If-Match, and without Last-Modified', () => {
    expect(status({ 'If-Unmodified-Since': BEFORE, 'If-Match': '"v1"' }, 'PUT')).toBe(200);
    expect(status({ 'If-Unmodified-Since': BEFORE }, 'PUT', Response.empty())).toBe(204);
  });
});

describe('the order of conditions (RFC 9110 §13.2.2)', () => {
  it('asks If-Match before If-None-Match', () => {
    expect(status({ 'If-Match': '"v0"', 'If-None-Match': '"v1"' })).toBe(412);
    expect(status({ 'If-Match': '"v1"', 'If-None-Match': '"v1"' })).toBe(304);
  });

  it('asks If-Unmodified-Since before the others', () => {
    expect(status({ 'If-Unmodified-Since': BEFORE, 'If-None-Match': '"v1"' })).toBe(412);
    expect(status({ 'If-Unmodified-Since': AT, 'If-Modified-Since': AT })).toBe(304);
  });
});

describe('conditional', () => {
  it('leaves responses alone that are not 2xx, and methods without a representation (§13.2.1)', () => {
    for (const code of [301, 304, 404, 412, 500]) {
      expect(status({ 'If-None-Match': '*', 'If-Match': '"v0"' }, 'GET', page.withStatus(code))).toBe(code);
    }
    expect(status({ 'If-None-Match': '*' }, 'OPTIONS')).toBe(200);
    expect(status({ 'If-Match': '"v0"' }, 'OPTIONS')).toBe(200);
  });

  it('gives back the very response when nothing is asked, or nothing is different', () => {
    expect(conditional(asked({}), page)).toBe(page);
    expect(conditional(asked({ 'If-None-Match': '"v0"' }), page)).toBe(page);
  });

  it('keeps in a 304 what §15.4.5 names and what is not of the body, and drops the rest', () => {
    const whole = page
      .withHeader('Cache-Control', 'max-age=60')
      .withHeader('Content-Location', '/page.en')
      .withHeader('Expires', AFTER)
      .withHeader('Vary', 'Accept-Language')
      .withHeader('Content-Language', 'en')
      .withHeader('Content-Encoding', 'gzip')
      .withHeader('Content-Length', '4')
      .withHeader('Content-Security-Policy', "default-src 'self'")
      .withCookie('a', '1');
    const response = conditional(asked({ 'If-None-Match': '"v1"' }), whole);
    expect(response.headers.map(([name]) => name)).toEqual([
      'ETag',
      'Cache-Control',
      'Content-Location',
      'Expires',
      'Vary',
      'Content-Security-Policy',
      'Set-Cookie',
    ]);
    expect(response.bytes()).toEqual(Buffer.alloc(0));
    expect(whole.header('content-type')).toBe('text/html; charset=utf-8');
  });

  it('keeps Last-Modified in a 304 without an ETag: it is all a cache has', () => {
    const response = conditional(asked({ 'If-Modified-Since': AT }), Response.text('x').withHeader('Last-Modified', AT));
    expect(response.headers).toEqual([['Last-Modified', AT]]);
  });

  it('says in a 412 nothing of the representation, and keeps the rest', () => {
    const whole = page.withPublicCache(60).withCookie('a', '1').withHeader('Vary', 'Origin');
    const response = conditional(asked({ 'If-Match': '"v0"' }, 'PUT'), whole);
    expect(response.text()).toBe('Precondition Failed');
    expect(Object.fromEntries(response.headers)).toEqual({
      'Content-Type': 'text/plain; charset=utf-8',
      'X-Content-Type-Options': 'nosniff',
      'Set-Cookie': expect.stringContaining('a=1') as string,
      Vary: 'Origin',
    });
  });

  it('lets go of a stream that will not be sent', () => {
    const source = new Readable({ read() {} });
    conditional(asked({ 'If-None-Match': '"v1"' }), Response.stream('text/plain', source).withEtag('v1'));
    expect(source.destroyed).toBe(true);
  });
});

describe('entity tags (RFC 9110 §8.8.3)', () => {
  it('are read strong and weak, empty, and with any character that is no quote or control', () => {
    expect(parseEntityTag('"a"')).toEqual({ isWeak: false, opaque: 'a' });
    expect(parseEntityTag('W/"a,b\\"')).toEqual({ isWeak: true, opaque: 'a,b\\' });
    expect(parseEntityTag('""')).toEqual({ isWeak: false, opaque: '' });
    for (const bad of [undefined, '', 'a', '"a', '"a b"', 'w/"a"', '"a"x', '"a""']) expect(parseEntityTag(bad)).toBeUndefined();
  });

  it('are read in a list, what is malformed left out, in linear time', () => {
    expect(parseEntityTags(' * ')).toBe('*');
    expect(parseEntityTags('"a" ,, x, W/"b,c","d"')).toEqual([
      { isWeak: false, opaque: 'a' },
      { isWeak: true, opaque: 'b,c' },
      { isWeak: false, opaque: 'd' },
    ]);
    const time = cpuTime(() => {
      for (const text of ['"', ', ', '"a"', ' ', ',"']) parseEntityTags(text.repeat(65_536 / text.length));
    });
    expect(time).toBeLessThan(200);
  });
});
