import { describe, expect, it } from 'vitest';
import { readPartialHead } from '../../src/h1/partial-head.ts';
import { RequestReader } from '../../src/h1/request-reader.ts';
import { DEFAULT_LIMITS } from '../../src/http/request/head-limits.ts';

const read = (text: string): unknown[] => {
  const { method, target, lines } = readPartialHead(text, DEFAULT_LIMITS);
  return [method, target, lines.pairs()];
};

describe('a head that cannot be read', () => {
  it('is known as far as it is well-formed', () => {
    expect(read('GET /a?b HTTP/1.1\r\nAccept: x\r\nbad line\r\nCookie: y\r\n\r\n')).toEqual(['GET', '/a?b', [['Accept', 'x']]]);
    expect(read('GET / HTTP/3.0\r\nHost: a\r\n\r\nbody')).toEqual(['GET', '/', [['Host', 'a']]]);
  });

  it('is known as far as it has come', () => {
    expect(read('')).toEqual([undefined, undefined, []]);
    expect(read('GET')).toEqual([undefined, undefined, []]);
    expect(read('GET /a')).toEqual(['GET', undefined, []]);
    expect(read('GET /a ')).toEqual(['GET', '/a', []]);
    expect(read('GET /a HTTP/1.1\r\nHost: a\r\nAccept: x')).toEqual(['GET', '/a', [['Host', 'a']]]);
  });

  it('is unknown where the request line is not one', () => {
    expect(read('\x16\x03\x01\x02\x00\x01\x00\r\n')).toEqual([undefined, undefined, []]);
    expect(read('(a) /b HTTP/1.1\r\nHost: a\r\n\r\n')).toEqual([undefined, undefined, []]);
    expect(read('GET\r\nHost: a\r\n\r\n')).toEqual([undefined, undefined, []]);
    expect(read('GET  HTTP/1.1\r\n\r\n')).toEqual(['GET', undefined, []]);
  });

  it('is that of the last request of its connection', () => {
    const reader = new RequestReader(DEFAULT_LIMITS);
    reader.push(Buffer.from('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\r\nPUT /2 HTTP/1.1\r\n\r\n'));
    expect(() => {
      while (reader.next() !== undefined);
    }).toThrow('Host is missing');
    expect(reader.partialHead).toMatchObject({ method: 'PUT', target: '/2' });
  });
});
