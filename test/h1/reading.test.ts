import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, type HeadLimits } from '../../src/http/request/head-limits.ts';
import { linesOf, read as transcriptOf } from './feed.ts';

const read = (input: string, limits?: HeadLimits): string[] => linesOf(transcriptOf(input, limits));
const HOST = 'Host: a\r\n';
const get = (head: string, rest = ''): string[] => read(`GET / HTTP/1.1\r\n${head}\r\n${rest}`);
const post = (head: string, body: string): string[] => read(`POST / HTTP/1.1\r\n${HOST}${head}\r\n${body}`);
const NEXT = 'GET /next HTTP/1.1\r\nHost: a\r\n\r\n';

/** Status and code of the error that ended the reading. */
const refused = (lines: readonly string[]): string | undefined => lines.at(-1)?.replace(/^error /, '');

describe('the reading machine, whole, byte by byte and at every split', () => {
  it('gives a head and its end', () => {
    expect(get(HOST)).toEqual(['["GET","/","1.1",0,true,false,null,[["Host","a"]]]', 'end ']);
  });

  it('reads one request after the other, with what trails behind', () => {
    expect(read(NEXT.repeat(3) + 'GET /x')).toHaveLength(7);
    expect(read(`${NEXT}\r\n`).at(-1)).toBe('end ');
  });

  it('skips empty lines before a request line, up to 50 (RFC 9112 §2.2)', () => {
    expect(read('\r\n'.repeat(50) + NEXT)).toHaveLength(2);
    expect(refused(read('\r\n'.repeat(51) + NEXT))).toBe('400 bad-request-line');
    expect(refused(read(`\n${NEXT}`))).toBe('400 bad-request-line');
  });

  it.each([
    ['GET  / HTTP/1.1'],
    ['GET\t/ HTTP/1.1'],
    ['GET / HTTP/1.1 '],
    [' GET / HTTP/1.1'],
    ['GET /'],
    ['GET'],
    ['G@T / HTTP/1.1'],
    ['GET / x HTTP/1.1'],
    ['GET /\x7f HTTP/1.1'],
    ['GET /\xe9 HTTP/1.1'],
    ['GET / http/1.1'],
    ['GET / HTTP/1.10'],
    ['GET / HTTP/1,1'],
    ['GET / HTTP/1.1\r'],
    ['GE\0T / HTTP/1.1'],
  ])('refuses the request line %j (RFC 9112 §3)', (line) => {
    expect(refused(read(`${line}\r\n${HOST}\r\n`))).toBe('400 bad-request-line');
  });

  it.each([
    ['GET / HTTP/2.0', '505 bad-version'],
    ['GET / HTTP/0.9', '505 bad-version'],
    ['PRI * HTTP/2.0', '505 bad-version'],
    ['CONNECT a:1 HTTP/1.1', '501 method-not-implemented'],
    ['TRACE / HTTP/1.1', '405 method-not-implemented'],
    ['GET * HTTP/1.1', '400 bad-target'],
    ['GET a/b HTTP/1.1', '400 bad-target'],
    ['GET http:///a HTTP/1.1', '400 bad-target'],
    ['GET http://u@h/a HTTP/1.1', '400 bad-target'],
    [`${'M'.repeat(65)} / HTTP/1.1`, '501 method-not-implemented'],
  ])('refuses %j with %s', (line, error) => {
    expect(refused(read(`${line}\r\n${HOST}\r\n`))).toBe(error);
  });

  it.each([
    'OPTIONS * HTTP/1.1',
    'get / HTTP/1.1',
    'GET http://h:8/a HTTP/1.1',
    'GET / HTTP/1.9',
    'GET /"<>\\^`{|} HTTP/1.1',
    'M-SEARCH / HTTP/1.1',
  ])('reads %j', (line) => {
    expect(read(`${line}\r\n${HOST}\r\n`).at(-1)).toBe('end ');
  });

  it.each([
    ['Host : a'],
    [' Host: a'],
    ['Host: a\r\n folded'],
    ['Host: a\r\n\tfolded'],
    ['Host: a\r\nnocolon'],
    ['Host: a\r\n: x'],
    ['Host: a\r\nx: \0'],
    ['Host: a\r\nx: a\rb'],
    ['Host: a\r\nx: \x7f'],
    ['Host: a\r\nx: \x0b'],
    ['Host: a\r\nxé: 1'],
    ['Host: a\nx: 1'],
  ])('refuses the field lines %j (RFC 9112 §5)', (lines) => {
    expect(refused(read(`GET / HTTP/1.1\r\n${lines}\r\n\r\n`))).toBe('400 bad-field');
  });

  it('trims spaces and tabs around a value, and nothing else (RFC 9110 §5.5)', () => {
    expect(get(`${HOST}x: \t a\xa0 \t\r\ny:\r\nz:\xe9\r\n`)[0]).toContain('["x","a\xa0"],["y",""],["z","\xe9"]');
  });

  it.each([
    ['', '400 bad-host'],
    ['Host: a\r\nHost: a\r\n', '400 bad-host'],
    ['Host: a b\r\n', '400 bad-host'],
    ['Host: a/b\r\n', '400 bad-host'],
    ['Host: u@a\r\n', '400 bad-host'],
  ])('refuses the Host %j (RFC 9112 §3.2)', (head, error) => {
    expect(refused(get(head))).toBe(error);
  });

  it('takes an empty Host, and none in HTTP/1.0', () => {
    expect(get('Host:\r\n').at(-1)).toBe('end ');
    expect(read('GET / HTTP/1.0\r\n\r\n').at(-1)).toBe('end ');
  });

  it.each(['+5', '0x5', '5,', '5,5', '1e1', '', '5 5', '5\xa0', '-1', '5;'])('refuses the Content-Length %j (RFC 9112 §6.3)', (value) => {
    expect(refused(post(`Content-Length: ${value}\r\n`, 'hello'))).toBe('400 bad-content-length');
  });

  it('refuses two Content-Length, equal or not, and one beyond any body', () => {
    expect(refused(post('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello'))).toBe('400 bad-content-length');
    expect(refused(post('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello'))).toBe('400 bad-content-length');
    expect(refused(post('Content-Length: 99999999999999999999\r\n', ''))).toBe('413 body-too-large');
  });

  it('reads a body of a length, and the request behind it', () => {
    expect(post('Content-Length: \t005 \r\n', `hello${NEXT}`).slice(1)).toEqual(['end hello', expect.stringContaining('/next'), 'end ']);
    expect(post('Content-Length: 6\r\n', 'hello').slice(1)).toEqual(['data hello', 'midway']);
  });

  it.each([
    ['Transfer-Encoding: gzip, chunked', '501 unknown-transfer-coding'],
    ['Transfer-Encoding: identity', '501 unknown-transfer-coding'],
    ['Transfer-Encoding: chunked, gzip', '400 bad-transfer-coding'],
    ['Transfer-Encoding: chunked, chunked', '400 bad-transfer-coding'],
    ['Transfer-Encoding: ,chunked', '400 bad-transfer-coding'],
    ['Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', '400 bad-transfer-coding'],
    ['Transfer-Encoding:', '400 bad-transfer-coding'],
    ['Transfer-Encoding: chunked\r\nContent-Length: 5', '400 bad-transfer-coding'],
    ['Content-Length: 5\r\nTransfer-Encoding: chunked', '400 bad-transfer-coding'],
  ])('refuses %j with %s (RFC 9112 §6.1)', (lines, error) => {
    expect(refused(post(`${lines}\r\n`, '5\r\nhello\r\n0\r\n\r\n'))).toBe(error);
  });

  it('refuses a transfer coding in HTTP/1.0 (RFC 9112 §6.1)', () => {
    expect(refused(read('POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'))).toBe('400 bad-transfer-coding');
  });
});

describe('the chunked coding, whole, byte by byte and at every split', () => {
  const chunked = (body: string): string[] => post('Transfer-Encoding: \tChunked \r\n', body).slice(1);

  it.each([
    ['0\r\n\r\n', ''],
    ['5\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['5;x=y;z="a b"\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['5 \t;x\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['1\r\na\r\n1\r\nb\r\n001\r\nc\r\n000\r\n\r\n', 'abc'],
    ['A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n', '01234567890123456789'],
    ['2\r\n\r\n\r\n0\r\n\r\n', '\r\n'],
    ['1\r\na\r\n0\r\nTrailer: x\r\nHost: evil\r\n\r\n', 'a'],
  ])('reads %j', (body, data) => {
    expect(chunked(body + NEXT)).toEqual([`end ${data}`, expect.stringContaining('/next'), 'end ']);
  });

  it.each([
    ['\r\nhello'],
    ['5\nhello\r\n0\r\n\r\n'],
    ['5\r\nhello\n0\r\n\r\n'],
    ['5\r\nhelloXX0\r\n\r\n'],
    ['5\r\nhello\r\r0\r\n\r\n'],
    ['0x5\r\nhello\r\n0\r\n\r\n'],
    ['+5\r\nhello\r\n0\r\n\r\n'],
    ['-5\r\nhello'],
    [' 5\r\nhello'],
    ['5_0\r\nhello'],
    ['5 5\r\nhello'],
    ['g\r\n'],
    ['5;a\nb\r\nhello'],
    ['5;a\rb\r\nhello'],
    ['5;\0\r\nhello'],
    [`${'0'.repeat(17)}\r\n\r\n`],
  ])('refuses %j (RFC 9112 §7.1)', (body) => {
    expect(refused(chunked(body))).toBe('400 bad-chunk');
  });

  it('refuses a size beyond any body, never truncated', () => {
    expect(refused(chunked('ffffffffffffffff\r\n'))).toBe('413 body-too-large');
    expect(refused(chunked('20000000000000\r\n'))).toBe('413 body-too-large');
    expect(chunked('100000005\r\nhello').at(-2)).toBe('data hello');
  });

  it('checks trailers like fields, and drops them (RFC 9110 §6.5.1)', () => {
    expect(refused(chunked('0\r\nx : 1\r\n\r\n'))).toBe('400 bad-field');
    expect(refused(chunked('0\r\nx: 1\n\r\n'))).toBe('400 bad-field');
    expect(
      refused(
        read(`POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n${'x: 1\r\n'.repeat(20)}\r\n`, {
          ...DEFAULT_LIMITS,
          maxHeaders: 10,
        }),
      ),
    ).toBe('431 header-too-large');
  });
});

describe('the limits, whole, byte by byte and at every split', () => {
  const limits = { maxRequestLine: 40, maxHeaderSize: 60, maxHeaders: 3 };

  it('bound the request line, also without a line end', () => {
    const line = (length: number): string => `GET /${'a'.repeat(length - 14)} HTTP/1.1`;
    expect(line(40)).toHaveLength(40);
    expect(read(`${line(40)}\r\n${HOST}\r\n`, limits).at(-1)).toBe('end ');
    expect(refused(read(`${line(41)}\r\n${HOST}\r\n`, limits))).toBe('414 target-too-long');
    expect(refused(read('a'.repeat(100), limits))).toBe('414 target-too-long');
    expect(read('a'.repeat(40), limits)).toEqual(['midway']);
  });

  it('bound all field lines together, and their number', () => {
    const fields = (size: number): string => `GET / HTTP/1.1\r\n${HOST}x: ${'a'.repeat(size - HOST.length - 5)}\r\n\r\n`;
    expect(read(fields(60), limits).at(-1)).toBe('end ');
    expect(refused(read(fields(61), limits))).toBe('431 header-too-large');
    expect(refused(read(`GET / HTTP/1.1\r\nx: ${'a'.repeat(100)}`, limits))).toBe('431 header-too-large');
    expect(read(`GET / HTTP/1.1\r\n${HOST}a:\r\nb:\r\n\r\n`, limits).at(-1)).toBe('end ');
    expect(refused(read(`GET / HTTP/1.1\r\n${HOST}a:\r\nb:\r\nc:\r\n\r\n`, limits))).toBe('431 header-too-large');
  });
});

describe('the end of a connection', () => {
  const persistent = (version: string, connection?: string): unknown =>
    (
      JSON.parse(
        read(`GET / HTTP/${version}\r\n${HOST}${connection === undefined ? '' : `Connection: ${connection}\r\n`}\r\n`)[0] ?? '[]',
      ) as unknown[]
    )[4];

  it.each([
    ['1.1', undefined, true],
    ['1.1', 'close', false],
    ['1.1', 'CLOSE', false],
    ['1.1', 'x, close', false],
    ['1.1', 'keep-alive, close', false],
    ['1.1', 'closed', true],
    ['1.1', 'x\r\nConnection: close', false],
    ['1.0', undefined, false],
    ['1.0', 'keep-alive', true],
    ['1.0', 'Keep-Alive', true],
    ['1.0', 'keep-alive, close', false],
  ])('in HTTP/%s with Connection %j: goes on is %s (RFC 9112 §9.3)', (version, connection, answer) => {
    expect(persistent(version, connection)).toBe(answer);
  });

  it('is kept by the machine: what follows a close is ignored', () => {
    expect(read(`GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n${NEXT}garbage\0`)).toHaveLength(2);
  });
});

describe('Expect and Upgrade', () => {
  it('tell of 100-continue, and refuse other expectations with 417 (RFC 9110 §10.1.1)', () => {
    expect(post('Expect: 100-Continue\r\nContent-Length: 1\r\n', 'a')[0]).toContain(',true,null');
    expect(refused(post('Expect: 200-ok\r\nContent-Length: 1\r\n', 'a'))).toBe('417 bad-expectation');
    expect(read('POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\na')[0]).toContain(',false,null');
  });

  it('offer a protocol only with Connection: upgrade, and not in HTTP/1.0 (RFC 9110 §7.8)', () => {
    expect(get(`${HOST}Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n`)[0]).toContain('"websocket"');
    expect(get(`${HOST}Upgrade: websocket\r\n`)[0]).toContain(',null,');
    expect(read('GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n')[0]).toContain(',null,');
  });
});
