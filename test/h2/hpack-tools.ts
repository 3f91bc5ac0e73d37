/**
 * A second HPACK encoder, for tests: it uses the dynamic table in every way the RFC allows, as told field by field. Ours never does.
 */
import { STATIC_TABLE } from '../../src/h2/hpack/static-table.ts';

/** How a field is sent: `indexed` when the table has it (otherwise inserted), inserted, plain, or never to be indexed. */
export type Way = 'indexed' | 'insert' | 'plain' | 'never';

const PREFIX = { insert: [0x40, 6], plain: [0x00, 4], never: [0x10, 4] } as const;

/** RFC 7541 §5.1, with the bits of the first octet that are not the integer's. */
export function integerOf(value: number, prefix: number, pattern = 0): number[] {
  const most = 2 ** prefix - 1;
  if (value < most) return [pattern | value];
  const octets = [pattern | most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) octets.push((rest % 128) + 128);
  return [...octets, rest];
}

/** RFC 7541 §5.2, without Huffman coding. */
export function stringOf(text: string): number[] {
  return [...integerOf(text.length, 7), ...Buffer.from(text, 'latin1')];
}

/** The octets of hexadecimal digits, with or without spaces. */
export function octetsOf(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
}

/** The table as the RFC draws it: a list, newest first, from which everything is searched. */
export class ReferenceEncoder {
  entries: [name: string, value: string][] = [];
  capacity = 4096;

  resize(capacity: number): number[] {
    this.capacity = capacity;
    this.#evict();
    return integerOf(capacity, 5, 0x20);
  }

  get size(): number {
    return this.entries.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);
  }

  field(name: string, value: string, way: Way): number[] {
    const whole = way === 'indexed' ? this.#indexOf((entry) => entry[0] === name && entry[1] === value) : 0;
    if (whole > 0) return integerOf(whole, 7, 0x80);
    const [pattern, prefix] = PREFIX[way === 'indexed' ? 'insert' : way];
    const index = this.#indexOf((entry) => entry[0] === name);
    const octets = [...integerOf(index, prefix, pattern), ...(index === 0 ? stringOf(name) : []), ...stringOf(value)];
    if (pattern === 0x40) {
      this.entries.unshift([name, value]);
      this.#evict();
    }
    return octets;
  }

  #indexOf(matches: (entry: readonly [string, string]) => boolean): number {
    const known: [string, string][] = [];
    for (let i = 2; i < STATIC_TABLE.length; i += 2) known.push([STATIC_TABLE[i] ?? '', STATIC_TABLE[i + 1] ?? '']);
    return [...known, ...this.entries].findIndex(matches) + 1;
  }

  #evict(): void {
    while (this.size > this.capacity) this.entries.pop();
  }
}
