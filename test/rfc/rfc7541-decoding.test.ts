/** RFC 7541: what a decoder must refuse, and what it must not. */
import { describe, expect, it } from 'vitest';
import { CompressionError } from '../../src/h2/hpack/compression-error.ts';
import { HeaderDecoder } from '../../src/h2/hpack/decoder.ts';
import { octetsOf } from '../h2/hpack-tools.ts';

const LIMITS = { maxListSize: 16_384, maxFields: 100 };

/** The fields of the last of some blocks that one connection sends. */
function decodeAll(...blocks: readonly (string | Uint8Array)[]): readonly string[] {
  const decoder = new HeaderDecoder(4096);
  let fields: readonly string[] = [];
  for (const block of blocks) {
    const bytes = typeof block === 'string' ? octetsOf(block) : block;
    ({ fields } = decoder.decode(bytes, 0, bytes.length, LIMITS));
  }
  return fields;
}

function isRefused(why: string, ...blocks: readonly (string | Uint8Array)[]): void {
  expect(() => decodeAll(...blocks)).toThrow(new CompressionError(why));
}

describe('an index (§2.3.3, §6.1)', () => {
  it('is refused when it is 0', () => {
    isRefused('there is no field at index 0', '80');
  });

  it('is refused when it is behind the last entry: of a field, or of a name', () => {
    isRefused('there is no field at index 62', 'be');
    isRefused('there is no field at index 62', '7e 01 61');
    isRefused('there is no field at index 62', '0f 2f 01 61');
    isRefused('there is no field at index 62', '1f 2f 01 61');
    isRefused('there is no field at index 63', '40 01 61 01 62', 'bf');
    isRefused('there is no field at index 65662', 'ff ff ff 03');
  });

  it('means the newest entry when it is 62', () => {
    expect(decodeAll('40 01 61 01 62', '40 01 63 01 64', 'be bf')).toEqual(['c', 'd', 'a', 'b']);
  });

  it('is refused when its entry has been evicted', () => {
    isRefused('there is no field at index 62', '40 01 61 01 62', '20', 'be');
  });

  it('may be that of the last static entry', () => {
    expect(decodeAll('bd')).toEqual(['www-authenticate', '']);
  });
});

describe('an integer (§5.1)', () => {
  it('may have zeros in front, up to four octets behind the first', () => {
    expect(decodeAll('3f 80 80 80 00')).toEqual([]);
    isRefused('an integer has more than five octets', '3f 80 80 80 80 00');
  });

  it('is refused above 2^28 + 126', () => {
    isRefused('table size 268435486 is above 4096', '3f ff ff ff 7f');
    isRefused('an integer has more than five octets', '3f ff ff ff ff 7f');
    isRefused('an integer has more than five octets', `ff ${'ff'.repeat(1000)}`);
  });

  it('is refused when the block ends within it', () => {
    isRefused('it ends within a field', 'ff');
    isRefused('it ends within a field', '3f 80');
    isRefused('it ends within a field', '00 7f');
  });
});

describe('a string (§5.2)', () => {
  it('is refused when the block ends before or within it', () => {
    isRefused('it ends within a field', '40');
    isRefused('it ends within a string', '40 02 61');
    isRefused('it ends within a field', '40 01 61');
    isRefused('it ends within a field', '04');
    isRefused('it ends within a string', '04 7f ff ff ff 7f');
  });

  it('may be empty, as a name and as a value, with Huffman coding and without', () => {
    expect(decodeAll('00 00 00')).toEqual(['', '']);
    expect(decodeAll('00 80 80')).toEqual(['', '']);
    expect(decodeAll('40 00 00', 'be')).toEqual(['', '']);
  });

  it('is refused when its padding has more than seven bits', () => {
    isRefused('a string is not in the Huffman code', '04 81 ff');
    isRefused('a string is not in the Huffman code', '04 82 1f ff'); // "a" is 00011
    expect(decodeAll('04 81 1f')).toEqual([':path', 'a']);
  });

  it('is refused when its padding is not the beginning of EOS', () => {
    isRefused('a string is not in the Huffman code', '04 81 18');
    isRefused('a string is not in the Huffman code', '04 81 1e');
  });

  it('is refused when EOS stands in it', () => {
    isRefused('a string is not in the Huffman code', '04 84 ff ff ff ff');
    isRefused('a string is not in the Huffman code', '04 85 1f ff ff ff ff');
    isRefused('a string is not in the Huffman code', '04 85 ff ff ff fc 1f'); // EOS, then "a"
  });
});

describe('a table size update (§4.2, §6.3)', () => {
  it('may stand at the beginning of a block, once or twice', () => {
    expect(decodeAll('20 82')).toEqual([':method', 'GET']);
    expect(decodeAll('20 3f e1 1f 82')).toEqual([':method', 'GET']);
    isRefused('there are more than two table size updates', '20 20 20 82');
  });

  it('is refused behind a field', () => {
    isRefused('a table size update is not at the beginning', '82 20');
  });

  it('is refused above our setting', () => {
    expect(decodeAll('3f e1 1f')).toEqual([]);
    isRefused('table size 4097 is above 4096', '3f e2 1f');
  });

  it('evicts the oldest entries until the rest fits (§4.3)', () => {
    const two = '40 01 61 01 62 40 01 63 01 64'; // 34 octets each
    expect(decodeAll(two, '3f 25 be bf')).toEqual(['c', 'd', 'a', 'b']); // 68
    isRefused('there is no field at index 63', two, '3f 24 be bf'); // 67
    isRefused('there is no field at index 62', two, '3f 02 be'); // 33
  });
});

describe('eviction (§4.4)', () => {
  it('empties the table when an entry is larger than it, which is no error', () => {
    const large = Buffer.concat([octetsOf('40 01 61 7f e1 1e'), Buffer.alloc(4096 - 32, 'v')]); // 1 + 4064 + 32 octets: one too many
    expect(decodeAll('40 01 61 01 62', large)[1]).toHaveLength(4064);
    isRefused('there is no field at index 62', '40 01 61 01 62', large, 'be');
    const largest = Buffer.concat([octetsOf('40 01 61 7f e0 1e'), Buffer.alloc(4063, 'v')]);
    expect(decodeAll('40 01 61 01 62', largest, 'be')[1]).toHaveLength(4063);
  });

  it('lets a field take its name from the entry that it evicts', () => {
    const blocks = ['3f 03', '40 01 61 01 62', '7e 01 63']; // a table of 34 octets has room for one of them
    expect(decodeAll(...blocks)).toEqual(['a', 'c']);
    expect(decodeAll(...blocks, 'be')).toEqual(['a', 'c']);
    isRefused('there is no field at index 63', ...blocks, 'bf');
  });

  it('inserts nothing into a table of size 0', () => {
    isRefused('there is no field at index 62', '20 40 01 61 01 62 be');
  });
});
