/**
 * Request lines, RFC 9112 §2.2 and §3: whole, byte by byte, at every split point, with bytes behind.
 */
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/http/request/head-limits.ts';
import { errorOf, read, requestIn } from './feed.ts';

const line = (text: string): string => `${text}\r\nHost: a\r\n\r\n`;
const shown = (text: string): string => requestIn(line(text)).line;

describe('a request line', () => {
  it('is method, target and version between single spaces (RFC 9112 §3)', () => {
    expect(shown('GET /a?b=c HTTP/1.1')).toBe('GET /a?b=c 1.1');
    expect(shown('OPTIONS * HTTP/1.1')).toBe('OPTIONS * 1.1');
    expect(shown('GET http://a:80/b HTTP/1.1')).toBe('GET http://a:80/b 1.1');
    expect(shown('GET HTTPS://[::1]:443 HTTP/1.1')).toBe('GET HTTPS://[::1]:443 1.1');
  });

  it('has a method that is any token, case kept (RFC 9110 §9.1)', () => {
    expect(shown('get / HTTP/1.1')).toBe('get / 1.1');
    expect(shown("!#$%&'*+-.^_`|~09azAZ / HTTP/1.1")).toBe("!#$%&'*+-.^_`|~09azAZ / 1.1");
    for (const method of ['G@T', 'G(', 'G\0T', 'G\xe9T', '', 'G/T', 'G:T', '"GET"', '{', '\x7f']) {
      expect(errorOf(line(`${method} / HTTP/1.1`)), method).toBe('400 bad-request-line');
    }
  });

  it('names a method that could be served: no CONNECT, no TRACE, none beyond 64 letters (RFC 9110 §9.1, §9.3.6, §9.3.8)', () => {
    expect(errorOf(line('CONNECT a:443 HTTP/1.1'))).toBe('501 method-not-implemented');
    expect(errorOf(line('TRACE / HTTP/1.1'))).toBe('405 method-not-implemented');
    expect(errorOf(line(`${'M'.repeat(65)} / HTTP/1.1`))).toBe('501 method-not-implemented');
    expect(shown(`${'M'.repeat(64)} / HTTP/1.1`)).toBe(`${'M'.repeat(64)} / 1.1`);
  });

  it('misses nothing and holds nothing more (RFC 9112 §3)', () => {
    for (const text of ['GET /', 'GET', 'GET HTTP/1.1', 'GET  HTTP/1.1', 'GET / a HTTP/1.1', 'GET / HTTP/1.1 a', '/ HTTP/1.1', ' ', ':']) {
      expect(errorOf(line(text)), text).toBe('400 bad-request-line');
    }
  });

  it('knows one space as separator, and nothing around the line (RFC 9112 §3)', () => {
    const odd = ['GET  / HTTP/1.1', 'GET /  HTTP/1.1', 'GET\t/ HTTP/1.1', 'GET /\tHTTP/1.1', 'GET\x0b/ HTTP/1.1', 'GET\x0c/ HTTP/1.1'];
    for (const text of [
      ...odd,
      'GET\r/ HTTP/1.1',
      ' GET / HTTP/1.1',
      'GET / HTTP/1.1 ',
      '\tGET / HTTP/1.1',
      'GET / HTTP/1.1\t',
      'GET / HTTP/1.1\r',
    ]) {
      expect(errorOf(line(text)), JSON.stringify(text)).toBe('400 bad-request-line');
    }
  });

  it('has a version of the form HTTP/d.d in capitals (RFC 9112 §2.3)', () => {
    for (const version of [
      'HTTP/1',
      'HTTP/1.',
      'HTTP/.1',
      'HTTP/1.10',
      'HTTP/01.1',
      'http/1.1',
      'Http/1.1',
      'HTTP1.1',
      'HTTP/1,1',
      'HTTP/x.1',
      'HTTP/1.x',
      'HTTP/-1.1',
      'ICY/1.1',
      'HTTP/1.1x',
    ]) {
      expect(errorOf(line(`GET / ${version}`)), version).toBe('400 bad-request-line');
    }
  });

  it('is served as HTTP/1.1 with a higher minor version (RFC 9110 §2.5)', () => {
    expect(shown('GET / HTTP/1.0')).toBe('GET / 1.0');
    expect(shown('GET / HTTP/1.2')).toBe('GET / 1.1');
    expect(shown('GET / HTTP/1.9')).toBe('GET / 1.1');
  });

  it('is refused with 505 for another major version (RFC 9110 §15.6.6)', () => {
    for (const version of ['0.9', '2.0', '3.0', '9.9']) expect(errorOf(line(`GET / HTTP/${version}`)), version).toBe('505 bad-version');
    expect(errorOf('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')).toBe('505 bad-version');
  });

  it('has a target of visible ASCII (RFC 9112 §3.2, RFC 3986 §2)', () => {
    for (const character of ['\0', '\x01', '\x1f', '\x7f', '\x80', '\xa0', '\xff']) {
      expect(errorOf(line(`GET /a${character}b HTTP/1.1`)), JSON.stringify(character)).toBe('400 bad-request-line');
    }
    expect(shown(`GET /"<>|{}^\`\\#?%zz HTTP/1.1`)).toBe(`GET /"<>|{}^\`\\#?%zz 1.1`); // what of these is a path is for parseTarget to say
  });

  it('has a target in origin-form, absolute-form with a host, or the asterisk of OPTIONS (RFC 9112 §3.2)', () => {
    for (const target of [
      'a',
      '?',
      '#',
      'a:80',
      '..',
      '*a',
      '**',
      'http:',
      'http:/',
      'http://',
      'http:///a',
      'http://?a',
      'http://:80/',
      'http://a@b/',
      'http://a b/',
      'http://[::1/',
      'http://a:b/',
      'ftp://a/',
      'httpx://a/',
      'urn:a:b',
    ]) {
      expect(errorOf(line(`GET ${target} HTTP/1.1`)), target).toMatch(/^400 bad-(?:target|request-line)$/);
    }
    expect(errorOf(line('GET * HTTP/1.1'))).toBe('400 bad-target');
    expect(errorOf(line('OPTIONS a HTTP/1.1'))).toBe('400 bad-target');
    expect(shown('GET //evil/x HTTP/1.1')).toBe('GET //evil/x 1.1');
  });

  it('may be as long as the limit and no longer, with or without its end (RFC 9112 §3)', () => {
    const limits = { ...DEFAULT_LIMITS, maxRequestLine: 64 };
    const target = (length: number): string => `/${'x'.repeat(length - 'GET / HTTP/1.1'.length)}`;
    expect(requestIn(line(`GET ${target(64)} HTTP/1.1`), limits).line).toBe(`GET ${target(64)} 1.1`);
    expect(errorOf(line(`GET ${target(65)} HTTP/1.1`), limits)).toBe('414 target-too-long');
    expect(errorOf(`GET /${'x'.repeat(60)}`, limits)).toBeUndefined();
    expect(errorOf(`GET /${'x'.repeat(61)}`, limits)).toBe('414 target-too-long');
    expect(errorOf('x'.repeat(66), limits)).toBe('414 target-too-long');
    expect(requestIn(line(`GET /${'x'.repeat(8000)} HTTP/1.1`)).line).toHaveLength(8009);
  });
});

describe('empty lines before a request line', () => {
  it('are skipped, up to 50 of them (RFC 9112 §2.2)', () => {
    expect(requestIn(`\r\n${line('GET / HTTP/1.1')}`).line).toBe('GET / 1.1');
    expect(requestIn('\r\n'.repeat(50) + line('GET / HTTP/1.1')).line).toBe('GET / 1.1');
    expect(errorOf('\r\n'.repeat(51))).toBe('400 bad-request-line');
  });

  it('are counted anew behind each request', () => {
    const one = '\r\n'.repeat(40) + line('GET / HTTP/1.1');
    expect(read(one + one).requests).toHaveLength(2);
  });

  it('are no request that has begun', () => {
    expect(read('\r\n\r\n')).toEqual({ requests: [], error: undefined, isMidway: false, isClosed: false });
    expect(read('\r\n\r').isMidway).toBe(true);
  });

  it('end in CR LF and in nothing else', () => {
    expect(errorOf('\n')).toBe('400 bad-request-line');
    expect(errorOf(`\n${line('GET / HTTP/1.1')}`)).toBe('400 bad-request-line');
    expect(errorOf('\r\r\n')).toBe('400 bad-request-line');
    expect(errorOf(`\rGET / HTTP/1.1\r\n`)).toBe('400 bad-request-line');
  });
});

describe('bytes that are no HTTP at all', () => {
  it('are refused at their first line end, or at the limit (RFC 9112 §2.2)', () => {
    expect(errorOf('SSH-2.0-OpenSSH_9.2p1\r\n')).toBe('400 bad-request-line');
    expect(errorOf('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n')).toBe('400 bad-request-line');
    expect(errorOf('\0'.repeat(100))).toBeUndefined();
    expect(errorOf('\0'.repeat(100), { ...DEFAULT_LIMITS, maxRequestLine: 64 })).toBe('414 target-too-long');
  });
});
