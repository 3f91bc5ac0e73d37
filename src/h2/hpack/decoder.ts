/**
 * HPACK, the receiving side (RFC 7541).
 *
 * A header block is a program for a machine whose memory is the table of fields. Each instruction yields one field, and the first bits say
 * which instruction it is (RFC 7541 §6):
 *
 *     1xxxxxxx  indexed             the field at this index
 *     01xxxxxx  with indexing       a name (at an index, or a string) and a value, inserted into the table
 *     0000xxxx  without indexing    the same, not inserted
 *     0001xxxx  never indexed       the same, for whoever passes it on: not to be inserted there either
 *     001xxxxx  size update         yields no field; only in front of all others
 *
 * The x are the beginning of an integer (§5.1). Both sides run the same programs, so both have the same table; one block that is left out, or read
 * only in part, and each index after it means something else. That is why a malformed block ends the connection, and why a block with more fields than
 * we accept is decoded to its end all the same.
 *
 * A block costs time and memory in proportion to its own length: an instruction of one octet yields two references to strings that are there, and
 * the limits count what they would be in full (a table entry of 4 KiB, referred to thousands of times), so that there are few of those, too.
 *
 * Names and values are passed on as they are, empty ones included. Whether they are those of a message is for its reader to say (RFC 9113 §8.2).
 *
 * @module
 */
import { CompressionError } from './compression-error.ts';
import type { DecodedHeaders, HeaderLimits } from './header-block.ts';
import { FIELD_OVERHEAD, HeaderTable } from './header-table.ts';
import { huffmanDecode } from './huffman.ts';
import { KeptBlocks } from './kept-blocks.ts';

export type { DecodedHeaders, HeaderLimits } from './header-block.ts';

/** Bits of the longest integer beyond its first octet: four octets of seven, so that no number is above 2^28 + 126 and none has endless zeros in front. */
const MAX_INTEGER_BITS = 28;
/** RFC 7541 §4.2: what changes more than once between two blocks is signaled as its smallest size and its last. */
const MAX_SIZE_UPDATES = 2;
const NOTHING = Buffer.alloc(0);

/** Decodes the header blocks of one connection, each of them and in order. */
export class HeaderDecoder {
  readonly #maxTableSize: number;
  readonly #table: HeaderTable = new HeaderTable();
  readonly #kept: KeptBlocks = new KeptBlocks();
  /** The block that is being decoded. */
  #block: Buffer = NOTHING;
  #at = 0;
  #end = 0;

  /**
   * @param maxTableSize Octets: our SETTINGS_HEADER_TABLE_SIZE. The table begins with 4096 and is made larger by the client alone (RFC 7541 §4.2),
   *   so it is not below that: a smaller one would count only once the client had acknowledged it (RFC 9113 §4.3.1).
   */
  constructor(maxTableSize: number) {
    this.#maxTableSize = maxTableSize;
  }

  /** Octets of the entries in the dynamic table (RFC 7541 §4.1). */
  get tableSize(): number {
    return this.#table.size;
  }

  /**
   * Decodes one whole header block, the fragments of HEADERS and CONTINUATION put together.
   *
   * @param limits The same object each time, or blocks that come again are not known.
   * @returns Its fields. The object may be one that was returned before.
   * @throws CompressionError when it is malformed.
   */
  decode(block: Uint8Array, start: number, end: number, limits: HeaderLimits): DecodedHeaders {
    const { revision } = this.#table;
    const known = this.#kept.find(block, start, end, revision, limits);
    if (known) return known;
    this.#block = Buffer.isBuffer(block) ? block : Buffer.from(block.buffer, block.byteOffset, block.length);
    this.#at = start;
    this.#end = end;
    this.#readSizeUpdates();
    const headers = this.#readFields(limits);
    this.#block = NOTHING; // or it would be held until the next one
    if (this.#table.revision === revision && !headers.isTooLarge) this.#kept.keep(block, start, end, revision, limits, headers);
    return headers;
  }

  /** RFC 7541 §6.3. */
  #readSizeUpdates(): void {
    for (let updates = 0; this.#at < this.#end; updates++) {
      const octet = this.#block[this.#at] as number; // at < end
      if (octet >> 5 !== 0b001) return;
      if (updates === MAX_SIZE_UPDATES) throw new CompressionError('there are more than two table size updates');
      this.#at++;
      const size = this.#readInteger(octet, 0x1f);
      if (size > this.#maxTableSize) throw new CompressionError(`table size ${size} is above ${this.#maxTableSize}`);
      this.#table.resize(size);
    }
  }

  #readFields({ maxListSize, maxFields }: HeaderLimits): DecodedHeaders {
    const table = this.#table;
    const fields: string[] = [];
    let listSize = 0;
    let isTooLarge = false;
    while (this.#at < this.#end) {
      const octet = this.#block[this.#at++] as number; // at < end
      let name: string;
      let value: string;
      if (octet >= 0x80) {
        const index = this.#readIndex(octet, 0x7f); // RFC 7541 §6.1
        name = table.nameAt(index);
        value = table.valueAt(index);
      } else if (octet >= 0x40) {
        name = this.#readName(octet, 0x3f); // §6.2.1
        value = this.#readString();
        table.insert(name, value); // its name may be that of an entry that is evicted now (§4.4): we have the name, not the entry
      } else if (octet >= 0x20) {
        throw new CompressionError('a table size update is not at the beginning'); // §4.2
      } else {
        name = this.#readName(octet, 0x0f); // §6.2.2 and §6.2.3
        value = this.#readString();
      }
      listSize += name.length + value.length + FIELD_OVERHEAD;
      isTooLarge ||= listSize > maxListSize || fields.length === 2 * maxFields;
      if (!isTooLarge) fields.push(name, value);
    }
    return { fields, isTooLarge, kept: undefined };
  }

  #readName(octet: number, mask: number): string {
    return (octet & mask) === 0 ? this.#readString() : this.#table.nameAt(this.#readIndex(octet, mask));
  }

  /** The index of a field that there is: RFC 7541 §2.3.3, §6.1. */
  #readIndex(octet: number, mask: number): number {
    const index = this.#readInteger(octet, mask);
    if (!this.#table.has(index)) throw new CompressionError(`there is no field at index ${index}`);
    return index;
  }

  /**
   * RFC 7541 §5.1.
   *
   * @param octet The first one, already read.
   * @param mask The bits of it that belong to the integer; all of them set when it goes on.
   */
  #readInteger(octet: number, mask: number): number {
    let value = octet & mask;
    if (value < mask) return value;
    for (let shift = 0; shift < MAX_INTEGER_BITS; shift += 7) {
      const next = this.#readOctet();
      value += (next & 0x7f) << shift;
      if (next < 0x80) return value;
    }
    throw new CompressionError('an integer has more than five octets');
  }

  /** RFC 7541 §5.2. */
  #readString(): string {
    const octet = this.#readOctet();
    const length = this.#readInteger(octet, 0x7f);
    const start = this.#at;
    const end = start + length;
    if (end > this.#end) throw new CompressionError('it ends within a string');
    this.#at = end;
    if (octet < 0x80) return this.#block.toString('latin1', start, end);
    const text = huffmanDecode(this.#block, start, end);
    if (text === undefined) throw new CompressionError('a string is not in the Huffman code');
    return text;
  }

  #readOctet(): number {
    if (this.#at === this.#end) throw new CompressionError('it ends within a field');
    return this.#block[this.#at++] as number; // at < end
  }
}
