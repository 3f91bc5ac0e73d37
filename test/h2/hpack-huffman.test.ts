import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { huffmanDecode, huffmanEncode, huffmanLength } from '../../src/h2/hpack/huffman.ts';

const octets = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1'));

function encode(text: string): Uint8Array {
  const into = new Uint8Array(huffmanLength(text) + 2);
  const end = huffmanEncode(text, into, 1);
  expect(end).toBe(into.length - 1);
  return into.subarray(1, end);
}

function decode(bytes: Uint8Array): string | undefined {
  return huffmanDecode(bytes, 0, bytes.length);
}

describe('Huffman coding (RFC 7541 §5.2)', () => {
  it('gives each of the 256 octets back, alone and beside each other one', () => {
    for (let first = 0; first < 256; first++) {
      const alone = String.fromCharCode(first);
      expect(decode(encode(alone))).toBe(alone);
      let all = '';
      for (let second = 0; second < 256; second++) all += alone + String.fromCharCode(second);
      expect(decode(encode(all))).toBe(all);
    }
  });

  it('gives any text back', () => {
    fc.assert(fc.property(octets, (text) => decode(encode(text)) === text));
  });

  it('gives texts back that are longer than what is gathered at a time', () => {
    for (const length of [4095, 4096, 4097, 8192, 100_003]) {
      const text = 'e~\xff0'.repeat(length).slice(0, length);
      expect(decode(encode(text)) === text).toBe(true);
    }
  });

  it('begins and ends where it is told', () => {
    const coded = encode('www.example.com');
    const around = Buffer.concat([Buffer.from([0xff, 0xff]), coded, Buffer.from([0xff])]);
    expect(huffmanDecode(around, 2, 2 + coded.length)).toBe('www.example.com');
    expect(huffmanDecode(around, 2, 2)).toBe('');
  });

  it('decodes what it accepts from one encoding only: no octets but those of the encoder mean a text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const text = decode(bytes);
        if (text !== undefined) expect(encode(text)).toEqual(bytes);
      }),
      { numRuns: 2000 },
    );
  });
});
