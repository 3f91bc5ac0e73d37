import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeaderDecoder } from '../../src/h2/hpack/decoder.ts';
import { EMPTY_TABLE, encodeHeaders, headersRoom } from '../../src/h2/hpack/encoder.ts';
import { STATIC_TABLE } from '../../src/h2/hpack/static-table.ts';

const LIMITS = { maxListSize: 1_000_000, maxFields: 1000 };

function encode(...fields: readonly string[]): Buffer {
  const into = Buffer.alloc(headersRoom(fields));
  return into.subarray(0, encodeHeaders(fields, into, 0));
}

function hexOf(...fields: readonly string[]): string {
  return encode(...fields).toString('hex');
}

describe('encodeHeaders', () => {
  it('names a field of the static table by its index alone (RFC 7541 §6.1)', () => {
    expect(hexOf(':status', '200', ':status', '404', 'accept-encoding', 'gzip, deflate')).toBe('888d90');
  });

  it('names each entry of the static table by its index', () => {
    const fields = STATIC_TABLE.slice(2);
    expect([...encode(...fields)]).toEqual(Array.from({ length: 61 }, (_, i) => 0x80 + 1 + i));
  });

  it('names a name of the static table by its first index, inserting nothing (§6.2.2)', () => {
    expect(hexOf(':status', '418')).toBe('0803343138'); // three octets with Huffman coding, too
    expect(hexOf('via', 'x')).toBe('0f2d0178'); // 60, beyond four bits
  });

  it('marks what is worth guessing as never indexed (§6.2.3)', () => {
    expect(encode('set-cookie', 'a')[0]).toBe(0x1f);
    expect(encode('cookie', 'a')[0]).toBe(0x1f);
    expect(encode('authorization', 'a')[0]).toBe(0x1f);
    expect(encode('proxy-authorization', 'a')[0]).toBe(0x1f);
    expect(encode('x-name', 'a')[0]).toBe(0x00);
  });

  it('uses Huffman coding where it makes a string shorter, and only there (§5.2)', () => {
    expect(hexOf('x', 'a')).toBe('0001780161');
    expect(encode('x', 'aaaaaaaa')[3]).toBe(0x85);
    expect(encode('x', '\xff\xff')[3]).toBe(2);
  });

  it('writes where it is told and says where it ends', () => {
    const into = Buffer.alloc(10, 0xee);
    expect(encodeHeaders([':status', '200'], into, 4)).toBe(5);
    expect(into.toString('hex')).toBe('eeeeeeee88eeeeeeeeee');
  });

  it('never needs more than the room it asks for, and is decoded to the same fields', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary-ascii' }),
      fc.string({ minLength: 100, maxLength: 40_000, unit: fc.constantFrom('a', '\xff') }),
    );
    const name = fc.oneof(fc.constantFrom(...STATIC_TABLE), text);
    fc.assert(
      fc.property(fc.array(fc.tuple(name, text), { maxLength: 5 }), (pairs) => {
        const fields = pairs.flat();
        const block = encode(...fields);
        expect(block.length).toBeLessThanOrEqual(headersRoom(fields));
        const decoder = new HeaderDecoder(4096);
        expect(decoder.decode(block, 0, block.length, LIMITS)).toEqual({ fields, isTooLarge: false });
        expect(decoder.tableSize).toBe(0);
      }),
    );
  });
});

describe('EMPTY_TABLE', () => {
  it('stands in front of a block and empties the table of its decoder (RFC 7541 §6.3)', () => {
    const block = Buffer.concat([Buffer.from([EMPTY_TABLE]), encode(':status', '200')]);
    expect(new HeaderDecoder(4096).decode(block, 0, block.length, LIMITS).fields).toEqual([':status', '200']);
  });
});
