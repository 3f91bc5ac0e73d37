import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CompressionError } from '../../src/h2/hpack/compression-error.ts';
import { HeaderDecoder } from '../../src/h2/hpack/decoder.ts';
import { integerOf, octetsOf, ReferenceEncoder, stringOf, type Way } from './hpack-tools.ts';

const LIMITS = { maxListSize: 16_384, maxFields: 100 };
const NO_LIMITS = { maxListSize: 2 ** 31, maxFields: 2 ** 20 };

const name = fc.oneof(fc.constantFrom(':method', ':path', 'accept', 'cookie', 'x', 'x-long-name'), fc.string({ unit: 'binary-ascii' }));
const value = fc.oneof(
  fc.constantFrom('GET', '/', '', 'a'),
  fc.string({ unit: 'binary-ascii' }),
  fc.string({ minLength: 500, maxLength: 2000 }),
);
const way = fc.constantFrom<Way>('indexed', 'insert', 'plain', 'never');
const sizes = fc.array(fc.integer({ min: 0, max: 4096 }), { maxLength: 2 });
const blocks = fc.array(fc.tuple(sizes, fc.array(fc.tuple(name, value, way), { maxLength: 20 })), { maxLength: 12 });

function decode(decoder: HeaderDecoder, hex: string, limits = LIMITS): readonly string[] {
  const block = octetsOf(hex);
  return decoder.decode(block, 0, block.length, limits).fields;
}

describe('HeaderDecoder', () => {
  it('decodes whatever an encoder does with the table, block after block', () => {
    fc.assert(
      fc.property(blocks, (all) => {
        const encoder = new ReferenceEncoder();
        const decoder = new HeaderDecoder(4096);
        for (const [updates, fields] of all) {
          const octets = [...updates.flatMap((size) => encoder.resize(size)), ...fields.flatMap((field) => encoder.field(...field))];
          const { fields: decoded } = decoder.decode(Uint8Array.from([0, ...octets, 0]), 1, octets.length + 1, NO_LIMITS);
          expect(decoded).toEqual(fields.flatMap((field) => field.slice(0, 2)));
          expect(decoder.tableSize).toBe(encoder.size);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('decodes a table of many small entries, older ones included, as it fills and turns over', () => {
    const encoder = new ReferenceEncoder();
    const decoder = new HeaderDecoder(4096);
    for (let i = 0; i < 500; i++) {
      const octets = Uint8Array.from(encoder.field(`${i % 200}`, '', 'insert'));
      decoder.decode(octets, 0, octets.length, LIMITS);
      const all = Uint8Array.from(encoder.entries.flatMap((_, age) => integerOf(62 + age, 7, 0x80)));
      expect(decoder.decode(all, 0, all.length, NO_LIMITS).fields).toEqual(encoder.entries.flat());
    }
  });

  it('makes of random octets fields or a CompressionError, and nothing else', () => {
    // Instructions that mean something are more likely than chance would have it, or hardly a block would be read beyond its first.
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 8 }).map((bytes) => Array.from(bytes)),
      fc.integer({ min: 1, max: 70 }).map((index) => integerOf(index, 7, 0x80)),
      fc.tuple(name, value).map(([n, v]) => [0x40].concat(stringOf(n), stringOf(v))),
    );
    const block = fc.array(piece, { maxLength: 12 }).map((pieces) => Uint8Array.from(pieces.flat()));
    const outcomes = { fields: 0, errors: 0 };
    fc.assert(
      fc.property(fc.array(block, { maxLength: 6 }), (all) => {
        const decoder = new HeaderDecoder(4096);
        try {
          for (const bytes of all) {
            const { fields } = decoder.decode(bytes, 0, bytes.length, LIMITS);
            expect(fields.length % 2).toBe(0);
            expect(fields.every((text) => typeof text === 'string')).toBe(true);
            outcomes.fields++;
          }
        } catch (error) {
          if (!(error instanceof CompressionError)) throw error;
          outcomes.errors++;
        }
      }),
      { numRuns: 3000 },
    );
    expect(outcomes.fields).toBeGreaterThan(0);
    expect(outcomes.errors).toBeGreaterThan(0);
  });

  it('passes names and values on as they are: whether they are those of a message is for its reader to say', () => {
    expect(decode(new HeaderDecoder(4096), '00 02 41 20 03 0d 0a e9')).toEqual(['A ', '\r\n\xe9']);
  });
});

describe('limits of a header list', () => {
  const two = '00 01 61 01 62 00 01 63 01 64'; // 34 octets each, as RFC 9113 §6.5.2 counts them

  it('counts names, values, and 32 octets for each field (RFC 9113 §6.5.2)', () => {
    const decoder = new HeaderDecoder(4096);
    const block = octetsOf(two);
    expect(decoder.decode(block, 0, 10, { maxListSize: 68, maxFields: 9 })).toEqual({ fields: ['a', 'b', 'c', 'd'], isTooLarge: false });
    expect(decoder.decode(block, 0, 10, { maxListSize: 67, maxFields: 9 })).toEqual({ fields: ['a', 'b'], isTooLarge: true });
  });

  it('counts fields', () => {
    const decoder = new HeaderDecoder(4096);
    const block = octetsOf(two);
    expect(decoder.decode(block, 0, 10, { maxListSize: 999, maxFields: 2 }).isTooLarge).toBe(false);
    expect(decoder.decode(block, 0, 10, { maxListSize: 999, maxFields: 1 })).toEqual({ fields: ['a', 'b'], isTooLarge: true });
  });

  it('keeps nothing that comes after a field that was too much, be it small', () => {
    const block = octetsOf('00 01 61 05 62 62 62 62 62 00 01 63 01 64');
    expect(new HeaderDecoder(4096).decode(block, 0, block.length, { maxListSize: 37, maxFields: 9 })).toEqual({
      fields: [],
      isTooLarge: true,
    });
  });

  it('still inserts into the table what is above them: the next block refers to it', () => {
    const decoder = new HeaderDecoder(4096);
    const block = octetsOf('00 01 61 01 62 40 01 63 01 64');
    expect(decoder.decode(block, 0, 10, { maxListSize: 40, maxFields: 1 }).isTooLarge).toBe(true);
    expect(decode(decoder, 'be')).toEqual(['c', 'd']);
  });

  it('still refuses what is malformed above them', () => {
    const block = octetsOf('00 01 61 01 62 80');
    expect(() => new HeaderDecoder(4096).decode(block, 0, 6, { maxListSize: 1, maxFields: 1 })).toThrow(CompressionError);
  });

  it('bounds what one long entry that is referred to thousands of times becomes', () => {
    const decoder = new HeaderDecoder(4096);
    const bomb = Uint8Array.from([0x40, 1, 0x61, ...stringOf('v'.repeat(4000)), ...Array.from({ length: 16_000 }, () => 0xbe)]);
    const { fields, isTooLarge } = decoder.decode(bomb, 0, bomb.length, LIMITS);
    expect(isTooLarge).toBe(true);
    expect(fields).toHaveLength(8); // four times 4033 octets
  });
});

describe('a block that comes again', () => {
  /** Whether the second of two blocks was known by its bytes: its fields are then the same object. */
  function isKnown(decoder: HeaderDecoder, hex: string): boolean {
    const first = decode(decoder, hex);
    return decode(decoder, hex) === first;
  }

  it('is known by its bytes when it inserts nothing', () => {
    expect(isKnown(new HeaderDecoder(4096), '82 86 84 00 01 61 01 62')).toBe(true);
  });

  it('is known when it lies elsewhere in another buffer', () => {
    const decoder = new HeaderDecoder(4096);
    const { fields } = decoder.decode(octetsOf('ff 82 84 ff'), 1, 3, LIMITS);
    expect(decoder.decode(octetsOf('82 84'), 0, 2, LIMITS).fields).toBe(fields);
    expect(decoder.decode(octetsOf('82 84 84'), 0, 3, LIMITS).fields).not.toBe(fields);
  });

  it('is decoded anew when it inserts, or sets the size of the table', () => {
    expect(isKnown(new HeaderDecoder(4096), '40 01 61 01 62')).toBe(false);
    expect(isKnown(new HeaderDecoder(4096), '3f e1 1f 82')).toBe(false);
  });

  it('means something else after the table has changed, and is decoded anew', () => {
    const decoder = new HeaderDecoder(4096);
    decode(decoder, '40 01 61 01 62');
    expect(decode(decoder, 'be')).toEqual(['a', 'b']);
    decode(decoder, '40 01 63 01 64');
    expect(decode(decoder, 'be')).toEqual(['c', 'd']);
    decode(decoder, '20');
    expect(() => decode(decoder, 'be')).toThrow(CompressionError);
  });

  it('is decoded anew under other limits', () => {
    const decoder = new HeaderDecoder(4096);
    expect(decode(decoder, '82 84')).toHaveLength(4);
    expect(decode(decoder, '82 84', { maxListSize: 16_384, maxFields: 1 })).toHaveLength(2);
  });

  it('is one of the last four', () => {
    const decoder = new HeaderDecoder(4096);
    const [first, ...rest] = ['82', '83', '84', '85', '86'] as const;
    const seen = decode(decoder, first);
    for (const block of rest.slice(0, 3)) decode(decoder, block);
    expect(decode(decoder, first)).toBe(seen);
    decode(decoder, rest[3]);
    expect(decode(decoder, first)).not.toBe(seen);
  });

  it('is not kept when it is longer than a kibibyte', () => {
    const long = `00 01 61 7f ff 06 ${'62'.repeat(1022)}`;
    expect(isKnown(new HeaderDecoder(4096), long)).toBe(false);
  });
});
