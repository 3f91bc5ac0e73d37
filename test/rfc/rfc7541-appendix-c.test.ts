/** RFC 7541 Appendix C: the examples, octet by octet. */
import { describe, expect, it } from 'vitest';
import { HeaderDecoder } from '../../src/h2/hpack/decoder.ts';
import { encodeHeaders, headersRoom } from '../../src/h2/hpack/encoder.ts';
import { integerOf, octetsOf } from '../h2/hpack-tools.ts';

const LIMITS = { maxListSize: 16_384, maxFields: 100 };

/** Fields as the RFC prints them, and the size of the dynamic table after them. */
type Example = readonly [hex: string, fields: readonly string[], tableSize: number];

function decodesTo(examples: readonly Example[], tableSize?: number): void {
  const decoder = new HeaderDecoder(4096);
  if (tableSize !== undefined) decoder.decode(Buffer.from(integerOf(tableSize, 5, 0x20)), 0, 3, LIMITS);
  for (const [hex, fields, size] of examples) {
    const block = octetsOf(hex);
    const decoded = decoder.decode(block, 0, block.length, LIMITS);
    expect(pairsOf(decoded.fields)).toEqual(fields);
    expect(decoded.isTooLarge).toBe(false);
    expect(decoder.tableSize).toBe(size);
  }
}

function pairsOf(flat: readonly string[]): string[] {
  const pairs: string[] = [];
  for (let i = 0; i < flat.length; i += 2) pairs.push(`${flat[i]}: ${flat[i + 1]}`);
  return pairs;
}

function encoded(fields: readonly string[]): string {
  const into = Buffer.alloc(headersRoom(fields));
  return into.toString('hex', 0, encodeHeaders(fields, into, 0));
}

describe('C.1, integers', () => {
  // An integer has no meaning by itself: these are the lengths of values, and the size of the table.
  it('decodes 1337 in a prefix of five bits (C.1.2)', () => {
    const decoder = new HeaderDecoder(4096);
    const entry = Buffer.concat([octetsOf('40 01 61 7f 9a 09'), Buffer.alloc(1305, 'v')]); // an entry of 1 + 1305 + 32 octets
    decoder.decode(entry, 0, entry.length, LIMITS);
    expect(decoder.tableSize).toBe(1338);
    decoder.decode(octetsOf('3f 9b 0a'), 0, 3, LIMITS);
    expect(decoder.tableSize).toBe(1338);
    decoder.decode(octetsOf('3f 9a 0a'), 0, 3, LIMITS); // 1337
    expect(decoder.tableSize).toBe(0);
  });

  it('decodes 10 in a prefix of five bits (C.1.1)', () => {
    expect(new HeaderDecoder(10).decode(octetsOf('2a'), 0, 1, LIMITS).fields).toEqual([]);
    expect(() => new HeaderDecoder(9).decode(octetsOf('2a'), 0, 1, LIMITS)).toThrow('table size 10 is above 9');
  });

  it('decodes 42 at the beginning of an octet (C.1.3)', () => {
    const block = Buffer.concat([octetsOf('00 01 61 2a'), Buffer.alloc(42, 'v')]);
    expect(new HeaderDecoder(4096).decode(block, 0, block.length, LIMITS).fields).toEqual(['a', 'v'.repeat(42)]);
  });
});

describe('C.2, one field', () => {
  it('decodes a literal with indexing (C.2.1)', () => {
    decodesTo([['400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572', ['custom-key: custom-header'], 55]]);
  });

  it('decodes a literal without indexing (C.2.2), and encodes it the same but for Huffman coding', () => {
    decodesTo([['040c 2f73 616d 706c 652f 7061 7468', [':path: /sample/path'], 0]]);
    expect(encoded([':path', '/sample/path'])).toBe('04896103a6ba0ac5634cff');
  });

  it('decodes a literal that is never indexed (C.2.3)', () => {
    decodesTo([['1008 7061 7373 776f 7264 0673 6563 7265 74', ['password: secret'], 0]]);
  });

  it('decodes an indexed field (C.2.4), and encodes it the same', () => {
    decodesTo([['82', [':method: GET'], 0]]);
    expect(encoded([':method', 'GET'])).toBe('82');
  });
});

const FIRST_REQUEST = [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'];
const SECOND_REQUEST = [...FIRST_REQUEST, 'cache-control: no-cache'];
const THIRD_REQUEST = [':method: GET', ':scheme: https', ':path: /index.html', ':authority: www.example.com', 'custom-key: custom-value'];

describe('C.3 and C.4, three requests of one connection', () => {
  it('decodes them without Huffman coding (C.3)', () => {
    decodesTo([
      ['8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d', FIRST_REQUEST, 57],
      ['8286 84be 5808 6e6f 2d63 6163 6865', SECOND_REQUEST, 110],
      ['8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65', THIRD_REQUEST, 164],
    ]);
  });

  it('decodes them with Huffman coding (C.4)', () => {
    decodesTo([
      ['8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff', FIRST_REQUEST, 57],
      ['8286 84be 5886 a8eb 1064 9cbf', SECOND_REQUEST, 110],
      ['8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf', THIRD_REQUEST, 164],
    ]);
  });

  it('encodes the first as the example does (C.4.1), except that nothing is inserted', () => {
    expect(encoded([':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'www.example.com'])).toBe(
      '828684018cf1e3c2e5f23a6ba0ab90f4ff',
    );
  });
});

const CACHED = 'cache-control: private';
const AT_21 = 'date: Mon, 21 Oct 2013 20:13:21 GMT';
const PLACE = 'location: https://www.example.com';
const FIRST_RESPONSE = [':status: 302', CACHED, AT_21, PLACE];
const SECOND_RESPONSE = [':status: 307', CACHED, AT_21, PLACE];
const THIRD_RESPONSE = [
  ':status: 200',
  CACHED,
  'date: Mon, 21 Oct 2013 20:13:22 GMT',
  PLACE,
  'content-encoding: gzip',
  'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
];

describe('C.5 and C.6, three responses over a table of 256 octets', () => {
  it('decodes them without Huffman coding, evicting what has no room (C.5)', () => {
    decodesTo(
      [
        [
          `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e
           1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
          FIRST_RESPONSE,
          222,
        ],
        ['4803 3330 37c1 c0bf', SECOND_RESPONSE, 222],
        [
          `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d
           4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572
           7369 6f6e 3d31`,
          THIRD_RESPONSE,
          215,
        ],
      ],
      256,
    );
  });

  it('decodes them with Huffman coding, evicting what has no room (C.6)', () => {
    decodesTo(
      [
        [
          `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b
           97c8 e9ae 82ae 43d3`,
          FIRST_RESPONSE,
          222,
        ],
        ['4883 640e ffc1 c0bf', SECOND_RESPONSE, 222],
        [
          `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf
           cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
          THIRD_RESPONSE,
          215,
        ],
      ],
      256,
    );
  });

  it('encodes the first as the example does (C.6.1), except that nothing is inserted', () => {
    const fields = [':status', '302', 'cache-control', 'private', 'location', 'https://www.example.com'];
    expect(encoded(fields)).toBe('088264020f0985aec3771a4b0f1f919d29ad171863c78f0b97c8e9ae82ae43d3');
  });
});
