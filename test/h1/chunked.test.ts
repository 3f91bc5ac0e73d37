/**
 * The chunked coding, RFC 9112 §7.1: whole, byte by byte, at every split point, with bytes behind.
 */
import { describe, expect, it } from 'vitest';
import { ChunkedDecoder } from '../../src/h1/chunked-decoder.ts';
import { MAX_CHUNK_OVERHEAD, MAX_EXTENSIONS } from '../../src/h1/limits.ts';
import { DEFAULT_LIMITS } from '../../src/http/request/head-limits.ts';
import { errorOf, feed, read, requestIn } from './feed.ts';

const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
const bodyOf = (chunks: string): string => requestIn(HEAD + chunks).body;
const refusalOf = (chunks: string): string | undefined => errorOf(HEAD + chunks);

describe('a chunked body', () => {
  it('is the data of its chunks, up to a chunk of size 0 (RFC 9112 §7.1)', () => {
    expect(bodyOf('5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n')).toBe('hello world');
    expect(bodyOf('0\r\n\r\n')).toBe('');
    expect(bodyOf('2\r\n\r\n\r\n0\r\n\r\n')).toBe('\r\n');
    expect(bodyOf('7\r\n0\r\n\r\n0\r\r\n0\r\n\r\n')).toBe('0\r\n\r\n0\r');
    expect(bodyOf('3\r\n\x00\x80\xff\r\n0\r\n\r\n')).toBe('\x00\x80\xff');
  });

  it('has sizes in hexadecimal, of either case, with leading zeros (RFC 9112 §7.1)', () => {
    expect(bodyOf('A\r\n0123456789\r\n0\r\n\r\n')).toBe('0123456789');
    expect(bodyOf('a\r\n0123456789\r\n000\r\n\r\n')).toBe('0123456789');
    expect(bodyOf('0000000000000001\r\nx\r\n0\r\n\r\n')).toBe('x');
    expect(bodyOf(`fF\r\n${'x'.repeat(255)}\r\n0\r\n\r\n`)).toBe('x'.repeat(255));
  });

  it('has no size that is anything else (RFC 9112 §7.1)', () => {
    for (const size of [
      '',
      ' 1',
      '\t1',
      '+1',
      '-1',
      '0x1',
      'x',
      'g',
      '1g',
      '1_',
      '1.',
      '1,',
      '"1"',
      '\x00',
      '\xb9',
      '1\x00',
      '1 1',
      '1\x0b',
      '@',
      '`',
      '/',
      ':',
      'G',
    ]) {
      expect(refusalOf(`${size}\r\nx\r\n0\r\n\r\n`), JSON.stringify(size)).toBe('400 bad-chunk');
    }
  });

  it('has no size that a double cannot hold, in 32 bits or in 64 (RFC 9112 §7.1)', () => {
    expect(refusalOf('20000000000000\r\n')).toBe('413 body-too-large');
    expect(refusalOf('ffffffffffffffff\r\n')).toBe('413 body-too-large');
    expect(refusalOf('00000000000000001\r\n')).toBe('400 bad-chunk');
    expect(refusalOf('10000000000000005\r\n')).toBe('400 bad-chunk');
    expect(read(`${HEAD}100000005\r\nhello\r\n0\r\n\r\n`)).toMatchObject({ error: undefined, isMidway: true }); // not 5
    expect(read(`${HEAD}1fffffffffffff\r\n`)).toMatchObject({ error: undefined, isMidway: true });
  });

  it('has CR LF and nothing else in its framing (RFC 9112 §7.1, erratum 7633)', () => {
    for (const chunks of [
      '1\nx\r\n0\r\n\r\n',
      '1\rx\r\n0\r\n\r\n',
      '1\r\nx\n0\r\n\r\n',
      '1\r\nx\r0\r\n\r\n',
      '1\r\nx0\r\n\r\n',
      '1\r\nxx\r\n0\r\n\r\n',
      '1\r\nxAB0\r\n\r\n',
      '1\r\nx\r\r\n0\r\n\r\n',
      '1\r\r\nx\r\n0\r\n\r\n',
      '1\r\nx\r\n0\n\r\n',
      '1\r\nx\r\n\r\n0\r\n\r\n',
      '1;a\nx\r\n0\r\n\r\n',
      '1;a\rb\r\nx\r\n0\r\n\r\n',
      '1 \r\nx\r\n0\r\n\r\n',
    ]) {
      expect(refusalOf(chunks), JSON.stringify(chunks)).toBe('400 bad-chunk');
    }
  });

  it('may have extensions, which nobody reads (RFC 9112 §7.1.1)', () => {
    expect(bodyOf('1;a\r\nx\r\n0;b=c\r\n\r\n')).toBe('x');
    expect(bodyOf('1 \t;\ta = "b;\xff" ; c\r\nx\r\n0\r\n\r\n')).toBe('x');
    expect(bodyOf('1;a="";b="\\"\\\\\t";c=d;c\r\nx\r\n0;!#$%&\'*+-.^_`|~09azAZ=1\r\n\r\n')).toBe('x');
  });

  it('has no extension without a name, and none that is anything but a name and a value (RFC 9112 §7.1.1)', () => {
    for (const extension of [
      ';',
      '; ',
      ';;a',
      ';a;',
      ';=b',
      ';bad[name',
      ';"a"',
      ';\xe9',
      ';a=',
      ';a= ',
      ';a=;b',
      ';a==b',
      ';a=b=c',
      ';a=b"c"',
      ';a=b c',
      ';a b',
      ';a=b,c',
      ';a=\xe9',
      ';a="',
      ';a="b',
      ';a="b\\"',
      ';a="b"c',
      ';a="b""c"',
      ';a ',
      ';a=b ',
      ';a="b" ',
      ' a',
      ' =b',
    ]) {
      expect(refusalOf(`1${extension}\r\nx\r\n0\r\n\r\n`), JSON.stringify(extension)).toBe('400 bad-chunk');
    }
  });

  it('has no control character in an extension (RFC 9112 §7.1.1)', () => {
    for (const character of ['\0', '\x01', '\x0b', '\x1f', '\x7f', '\n', '\r']) {
      for (const start of ['a', 'a=', 'a="', 'a="\\']) {
        expect(refusalOf(`1;${start}${character}b"\r\nx\r\n`), JSON.stringify(start + character)).toBe('400 bad-chunk');
      }
    }
  });

  it('has at most 16 KiB of extensions, all chunks together', () => {
    const extension = `;${'e'.repeat(1023)}`;
    const chunk = `1${extension}\r\nx\r\n`;
    expect(feed([HEAD, chunk.repeat(16), '0\r\n\r\n']).requests[0]).toMatchObject({ body: 'x'.repeat(16), isComplete: true });
    expect(feed([HEAD, chunk.repeat(MAX_EXTENSIONS / 1024), '1;', 'eeeee']).error).toBe('413 chunk-overhead');
    expect(feed([HEAD, '1;', 'e'.repeat(MAX_EXTENSIONS), 'ee']).error).toBe('413 chunk-overhead');
  });

  it('may come in chunks of one byte, but not without end', () => {
    const chunk = '1\r\nx\r\n';
    const many = 40_000;
    expect(feed([HEAD, ...pieces(chunk.repeat(many)), '0\r\n\r\n']).requests[0]?.body).toHaveLength(many);
    const tooMany = MAX_CHUNK_OVERHEAD / 4 + 1;
    expect(feed([HEAD, ...pieces(chunk.repeat(tooMany))]).error).toBe('400 chunk-overhead');
    expect(feed([HEAD, ...pieces(chunk.repeat(tooMany * 2))]).error).toBe('400 chunk-overhead'); // a byte of data buys one of framing, not four
  });

  it('may come in chunks that have more data than framing, without end', () => {
    expect(feed([HEAD, ...pieces(`8\r\n12345678\r\n`.repeat(200_000)), '0\r\n\r\n']).requests[0]?.body).toHaveLength(1_600_000);
  });

  it('is not complete before its last line has come', () => {
    const whole = '1\r\nx\r\n0\r\nA: b\r\n\r\n';
    for (let length = 0; length < whole.length; length++) {
      const { requests, error, isMidway } = feed([HEAD + whole.slice(0, length)]);
      expect({ isComplete: requests[0]?.isComplete, error, isMidway }, String(length)).toEqual({
        isComplete: false,
        error: undefined,
        isMidway: true,
      });
    }
  });
});

describe('trailers', () => {
  it('are read by the grammar of fields and dropped (RFC 9112 §7.1.2, RFC 9110 §6.5.1)', () => {
    const request = requestIn(`${HEAD}0\r\nA: b\r\nHost: evil\r\nContent-Length: 5\r\nTransfer-Encoding: x\r\nConnection: close\r\n\r\n`);
    expect(request.fields).toEqual([
      ['Host', 'a'],
      ['Transfer-Encoding', 'chunked'],
    ]);
    expect(request.isPersistent).toBe(true);
  });

  it('are refused as header lines are (RFC 9112 §5)', () => {
    for (const trailers of [
      'A\r\n\r\n',
      ' A: b\r\n\r\n',
      'A : b\r\n\r\n',
      'A: b\n\r\n',
      'A: b\rC\r\n\r\n',
      ': b\r\n\r\n',
      'A: \0\r\n\r\n',
      '\n',
      'A: b\r\n c\r\n\r\n',
      '\rX\r\n',
    ]) {
      expect(refusalOf(`0\r\n${trailers}`), JSON.stringify(trailers)).toBe('400 bad-field');
    }
  });

  it('are bounded in size and number as headers are (RFC 9110 §5.4)', () => {
    const limits = { ...DEFAULT_LIMITS, maxHeaderSize: 64, maxHeaders: 2 };
    const trailed = (trailers: string): string => `${HEAD}0\r\n${trailers}\r\n`;
    expect(requestIn(trailed(`A: ${'x'.repeat(59)}\r\n`), limits).isComplete).toBe(true);
    expect(errorOf(trailed(`A: ${'x'.repeat(60)}\r\n`), limits)).toBe('431 header-too-large');
    expect(errorOf(`${HEAD}0\r\nA: ${'x'.repeat(64)}`, limits)).toBe('431 header-too-large');
    expect(requestIn(trailed('A:\r\nB:\r\n'), limits).isComplete).toBe(true);
    expect(errorOf(trailed('A:\r\nB:\r\nC:\r\n'), limits)).toBe('431 header-too-large');
  });
});

describe('the decoder', () => {
  it('says where the body ends in its input', () => {
    const decoder = new ChunkedDecoder(DEFAULT_LIMITS);
    const input = Buffer.from('..1\r\nx\r\n0\r\nA: b\r\n\r\nGET /');
    expect(decoder.decode(input, 2)?.toString()).toBe('x');
    expect(decoder.isDone).toBe(true);
    expect(input.toString('latin1', decoder.end)).toBe('GET /');
  });

  it('reads up to the length it is given, whatever the buffer holds behind', () => {
    const decoder = new ChunkedDecoder(DEFAULT_LIMITS);
    const input = Buffer.from('5\r\nhelloSTALE');
    expect(decoder.decode(input, 0, 8)?.toString()).toBe('hello');
    expect(decoder.end).toBe(8);
    expect(decoder.decode(Buffer.from('\r\n0\r\n\r\n\r\n'), 0, 7)).toBeUndefined();
    expect(decoder.isDone).toBe(true);
    expect(decoder.end).toBe(7);
  });

  it('gives the data of one input as one buffer', () => {
    const decoder = new ChunkedDecoder(DEFAULT_LIMITS);
    const long = 'y'.repeat(100);
    expect(decoder.decode(Buffer.from(`1\r\nx\r\n64\r\n${long}\r\n2\r\nab`), 0)?.toString()).toBe(`x${long}ab`);
  });
});

/** In reads of at most 64 KiB, as from a socket. */
function pieces(text: string): string[] {
  return Array.from({ length: Math.ceil(text.length / 65_536) }, (_, i) => text.slice(i * 65_536, (i + 1) * 65_536));
}
