import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type HttpError, Request, readForm, readFormParts, readJson, readText } from '../../../src/index.ts';
import { failure } from '../../support/forms.ts';

const FORM = 'application/x-www-form-urlencoded';
const coded = (coding: string | readonly string[], type: string, body: Uint8Array | string): Request =>
  new Request({ method: 'POST', headers: { 'Content-Type': type, 'Content-Encoding': coding }, body });

describe('a body in a content coding (RFC 9110 §8.4)', () => {
  it.each<[string, (request: Request) => unknown, string, string]>([
    ['readText', (request) => readText(request), 'text/plain', 'hello'],
    ['readJson', (request) => readJson(request), 'application/json', '{}'],
    ['readForm', (request) => readForm(request, { a: 'string' }), FORM, 'a=1'],
    ['readFormParts', (request) => readFormParts(request), 'multipart/form-data; boundary=b', '--b--\r\n'],
  ])('is refused by %s with 415 that says what would do, and never inflated (§12.5.3, §15.5.16)', (_name, read, type, text) => {
    const bodies = [
      ['gzip', gzipSync(text)],
      ['br', brotliCompressSync(text)],
      ['gzip, gzip', gzipSync(gzipSync(text))],
      ['deflate', text],
      ['x-unknown', text],
    ] as const;
    for (const [coding, body] of bodies) {
      const error: HttpError = failure(() => read(coded(coding, type, body)));
      expect([error.status, error.code, error.response.header('accept-encoding')]).toEqual([415, 'unsupported-media-type', 'identity']);
    }
    expect(failure(() => read(coded(['identity', 'gzip'], type, gzipSync(text)))).status).toBe(415);
  });

  it('is none when the field says identity, or nothing', () => {
    expect([readJson(coded('Identity', 'application/json', '1')), readText(coded('', 'text/plain', 'a'))]).toEqual([1, 'a']);
  });

  it('of a bomb costs what was sent, and no more', () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const before = process.memoryUsage().arrayBuffers;
    expect(failure(() => readText(coded('gzip', 'text/plain', bomb))).status).toBe(415);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
  });
});
