/**
 * Field lines, RFC 9112 §5 and RFC 9110 §5.5, and Host, RFC 9112 §3.2: whole, byte by byte, at every split point, with bytes behind.
 */
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/http/request/head-limits.ts';
import { errorOf, read, requestIn } from './feed.ts';

const withLines = (...lines: string[]): string => `GET / HTTP/1.1\r\nHost: a\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
const fieldsOf = (...lines: string[]): unknown[] => requestIn(withLines(...lines)).fields.slice(1);

describe('a field line', () => {
  it('is name, colon and value, in the order and case it came (RFC 9112 §5)', () => {
    expect(fieldsOf('X-A: 1', 'x-a:2', 'B:')).toEqual([
      ['X-A', '1'],
      ['x-a', '2'],
      ['B', ''],
    ]);
  });

  it('may have spaces and tabs around its value, which are no part of it (RFC 9110 §5.5)', () => {
    expect(fieldsOf('A: \t b \t ', 'C:\t \t', 'D: e \t f ')).toEqual([
      ['A', 'b'],
      ['C', ''],
      ['D', 'e \t f'],
    ]);
  });

  it('may hold bytes above 0x7f in its value, which are never trimmed (RFC 9110 §5.5)', () => {
    expect(fieldsOf('A: \xa0\x80\xff\xa0', 'B: \x85')).toEqual([
      ['A', '\xa0\x80\xff\xa0'],
      ['B', '\x85'],
    ]);
  });

  it('holds no control character but the tab (RFC 9110 §5.5)', () => {
    for (const code of [0, 1, 8, 0x0b, 0x0c, 0x0e, 0x1b, 0x1f, 0x7f]) {
      expect(errorOf(withLines(`A: b${String.fromCharCode(code)}c`)), String(code)).toBe('400 bad-field');
    }
  });

  it('has a name that is a token (RFC 9110 §5.1)', () => {
    for (const name of ['', 'A B', 'A\t', 'A(', 'A"', 'A\0', 'A\xe9', 'A/', 'A=', 'A@', 'A{', 'A,']) {
      expect(errorOf(withLines(`${name}: b`)), name).toBe('400 bad-field');
    }
    expect(fieldsOf("!#$%&'*+-.^_`|~09azAZ: b", '__proto__: c', 'constructor: d', '0: e')).toHaveLength(4);
  });

  it('has a colon directly behind its name (RFC 9112 §5.1)', () => {
    for (const text of ['A : b', 'A\t: b', 'A', 'A b', 'Host : b', 'Content-Length : 5', 'Transfer-Encoding\x0b: chunked']) {
      expect(errorOf(withLines(text)), text).toBe('400 bad-field');
    }
  });

  it('is not folded, and nothing stands before the first (RFC 9112 §5.2, §2.2)', () => {
    expect(errorOf(withLines('A: b', ' c'))).toBe('400 bad-field');
    expect(errorOf(withLines('A: b', '\tc: d'))).toBe('400 bad-field');
    expect(errorOf(withLines('Transfer-Encoding:', ' chunked'))).toBe('400 bad-field');
    expect(errorOf('GET / HTTP/1.1\r\n Host: a\r\n\r\n')).toBe('400 bad-field');
    expect(errorOf('GET / HTTP/1.1\r\n \r\nHost: a\r\n\r\n')).toBe('400 bad-field');
  });

  it('ends in CR LF: no bare LF, no bare CR, nothing between (RFC 9112 §2.2)', () => {
    for (const text of ['A: b\nC: d', 'A: b\rC: d', 'A: b\r\rC: d', '\rA: b', 'A\r: b', 'A:\r b', 'A: b\r', '\n', '\r']) {
      expect(errorOf(withLines(text)), JSON.stringify(text)).toBe('400 bad-field');
    }
    expect(errorOf('GET / HTTP/1.1\nHost: a\r\n\r\n')).toBe('400 bad-request-line');
    expect(errorOf('GET / HTTP/1.1\r\nHost: a\r\n\n')).toBe('400 bad-field');
    expect(errorOf('GET / HTTP/1.1\r\nHost: a\r\n\rX: b\r\n\r\n')).toBe('400 bad-field'); // CVE-2025-23167
  });

  it('frames nothing when its name only looks like one that does', () => {
    const request = requestIn(withLines('Content_Length: 5', 'Transfer_Encoding: chunked', 'X-Content-Length: 5', 'Content-Lengt: 5'));
    expect(request.length).toBe(0);
  });
});

describe('a header section', () => {
  const limits = { ...DEFAULT_LIMITS, maxHeaderSize: 64, maxHeaders: 4 };
  const section = (lines: string): string => `GET / HTTP/1.1\r\n${lines}\r\n`;

  it('has as many lines as the limit and no more (RFC 9110 §5.4)', () => {
    expect(requestIn(section('Host: a\r\nA:\r\nB:\r\nC:\r\n'), limits).fields).toHaveLength(4);
    expect(errorOf(section('Host: a\r\nA:\r\nB:\r\nC:\r\nD:\r\n'), limits)).toBe('431 header-too-large');
  });

  it('is as large as the limit and no larger, with or without its end (RFC 9110 §5.4)', () => {
    const filled = (size: number): string => `Host: a\r\nA: ${'x'.repeat(size - 'Host: a\r\nA: \r\n'.length)}\r\n`;
    expect(filled(64)).toHaveLength(64);
    expect(requestIn(section(filled(64)), limits).fields).toHaveLength(2);
    expect(errorOf(section(filled(65)), limits)).toBe('431 header-too-large');
    expect(errorOf(`GET / HTTP/1.1\r\nA: ${'x'.repeat(63)}`, limits)).toBeUndefined();
    expect(errorOf(`GET / HTTP/1.1\r\nA: ${'x'.repeat(64)}`, limits)).toBe('431 header-too-large');
  });

  it('of 16 KiB in 100 lines is served with the limits we ship, however it is cut', { timeout: 60_000 }, () => {
    const filler = Array.from({ length: 99 }, (_, i) => `X-${i}: ${'v'.repeat(150)}`);
    expect(read(withLines(...filler)).requests[0]?.fields).toHaveLength(100);
  });
});

describe('Host', () => {
  const hosted = (lines: string, version = '1.1'): string => `GET / HTTP/${version}\r\n${lines}\r\n`;

  it('must be there in HTTP/1.1 and need not in HTTP/1.0 (RFC 9112 §3.2)', () => {
    expect(errorOf(hosted(''))).toBe('400 bad-host');
    expect(errorOf(hosted('', '1.2'))).toBe('400 bad-host');
    expect(errorOf(hosted('X-Forwarded-Host: a\r\n'))).toBe('400 bad-host');
    expect(requestIn(hosted('', '1.0')).line).toBe('GET / 1.0');
  });

  it('is given once, whatever it says and in whatever version (RFC 9112 §3.2)', () => {
    expect(errorOf(hosted('Host: a\r\nHost: b\r\n'))).toBe('400 bad-host');
    expect(errorOf(hosted('Host: a\r\nhOST: a\r\n'))).toBe('400 bad-host');
    expect(errorOf(hosted('Host: a\r\nHost:\r\n', '1.0'))).toBe('400 bad-host');
  });

  it('may be empty, a name, an address, with a port (RFC 9110 §7.2, RFC 3986 §3.2)', () => {
    for (const host of ['', 'a', 'a.b', 'a:8080', 'a:', '127.0.0.1:1', '[::1]', '[::1]:80', '[v1.a:b]', 'a%20b', "a-._~!$&'()*+,;="]) {
      expect(requestIn(hosted(`Host: ${host}\r\n`)).fields, host).toEqual([['Host', host]]);
    }
  });

  it('is nothing else (RFC 9112 §3.2)', () => {
    for (const host of [
      'a b',
      'a/b',
      'a@b',
      'a?b',
      'a#b',
      'a:b',
      'a:80:80',
      '[::1',
      '::1',
      '[::1]a',
      'a\\b',
      'a"',
      '<a>',
      'http://a',
      'a%',
      'a%2',
      'a%zz',
      '\xe9',
      'a\tb',
      '[]',
    ]) {
      expect(errorOf(hosted(`Host: ${host}\r\n`)), host).toBe('400 bad-host');
    }
  });

  it('is checked also when the one before was the same but for its end', () => {
    expect(errorOf(hosted('Host: a\r\n'))).toBeUndefined();
    expect(errorOf(hosted('Host: a/\r\n'))).toBe('400 bad-host');
    expect(errorOf(hosted('Host: a/\r\n'))).toBe('400 bad-host');
  });
});
