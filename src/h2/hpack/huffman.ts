/**
 * Huffman coding of strings (RFC 7541 §5.2).
 *
 * The code is a tree with 257 leaves, and so with 256 nodes inside: to be at one of those, in the middle of a code, is a state. Decoding takes four
 * bits at a time. Since no code has fewer than five, four bits complete one symbol at most, so a step is a row of a table: state and bits → next
 * state, and perhaps a symbol. The table has 256 × 16 entries, 16 KiB, and stays in the nearest cache.
 *
 * States are numbered so that 0 is the root and 1 to 29 are the nodes on the way to EOS, which is thirty ones. A string is padded to a whole octet with
 * the first bits of EOS, at most seven: it must end in one of the states 0 to 7.
 *
 * @module
 */
import { CODE_LENGTHS, CODES, EOS } from './huffman-code.ts';

/** Where up to seven ones lead: what may be left of the last octet. */
const LAST_PADDING = 7;
/** The step that completes EOS, which must not be sent: RFC 7541 §5.2. */
const FAILED = -1;
/** In a step: the next state in the low eight bits, the symbol in the eight above, and whether there is one. */
const SYMBOL_SHIFT = 8;
const EMITS_SHIFT = 16;

const STEPS = stepsOf(codeTree());

/** Symbols are gathered here to become text; a longer string takes several turns. */
const TURN = 4096;
const scratch = Buffer.allocUnsafeSlow(TURN + 2);

/**
 * Decodes a string.
 *
 * @returns Its text, one character an octet; `undefined` when it is malformed: it holds EOS, or padding that is longer than seven bits or has a zero.
 */
export function huffmanDecode(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = '';
  let length = 0;
  let state = 0;
  for (let at = start; at < end; at++) {
    const octet = bytes[at] as number; // at < end
    const high = STEPS[(state << 4) | (octet >> 4)] as number; // states have eight bits
    const low = STEPS[((high & 0xff) << 4) | (octet & 0x0f)] as number;
    if ((high | low) < 0) return undefined;
    // Written in any case, and written over when it was no symbol: a branch here would be guessed wrong half of the time.
    scratch[length] = high >> SYMBOL_SHIFT;
    length += high >> EMITS_SHIFT;
    scratch[length] = low >> SYMBOL_SHIFT;
    length += low >> EMITS_SHIFT;
    state = low & 0xff;
    if (length >= TURN) {
      text += scratch.toString('latin1', 0, length);
      length = 0;
    }
  }
  if (state > LAST_PADDING) return undefined;
  return text + scratch.toString('latin1', 0, length);
}

/** How many octets a text takes when it is encoded. Characters are octets. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits += CODE_LENGTHS[text.charCodeAt(i) & 0xff] as number; // a length for each octet
  return (bits + 7) >> 3;
}

/**
 * Encodes a text, whose characters are octets.
 *
 * @returns The place behind it; there must be room for `huffmanLength` octets.
 */
export function huffmanEncode(text: string, into: Uint8Array, at: number): number {
  let end = at;
  let pending = 0; // bits that do not fill an octet yet, right-aligned
  let count = 0; // how many: at most seven
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i) & 0xff;
    const code = CODES[symbol] as number; // a code for each octet
    let bits = CODE_LENGTHS[symbol] as number;
    if (bits > 16) {
      // In two parts, since seven bits and thirty are more than an integer has.
      bits -= 16;
      pending = (pending << bits) | (code >> 16);
      for (count += bits; count >= 8; ) into[end++] = pending >> (count -= 8);
      bits = 16;
    }
    pending = ((pending & 0x7f) << bits) | (code & ((1 << bits) - 1));
    for (count += bits; count >= 8; ) into[end++] = pending >> (count -= 8);
    pending &= 0x7f;
  }
  if (count > 0) into[end++] = (pending << (8 - count)) | (0xff >> count); // RFC 7541 §5.2: padded with the first bits of EOS, ones
  return end;
}

/** The nodes of the code, two numbers each: where a zero leads, and a one. Above 0: a node; below: a symbol, as `~symbol`. */
function codeTree(): Int16Array {
  const tree = new Int16Array(2 * EOS);
  let last = 0;
  const add = (symbol: number): void => {
    let node = 0;
    for (let bit = (CODE_LENGTHS[symbol] as number) - 1; bit > 0; bit--) {
      const branch = 2 * node + (((CODES[symbol] as number) >> bit) & 1);
      if (tree[branch] === 0) tree[branch] = ++last;
      node = tree[branch] as number; // just set, if it was not
    }
    tree[2 * node + ((CODES[symbol] as number) & 1)] = ~symbol;
  };
  add(EOS); // first, so that the nodes on its way have the lowest numbers
  for (let symbol = 0; symbol < EOS; symbol++) add(symbol);
  return tree;
}

function stepsOf(tree: Int16Array): Int32Array {
  const steps = new Int32Array(256 * 16);
  for (let i = 0; i < steps.length; i++) steps[i] = stepOf(tree, i >> 4, i & 0x0f);
  return steps;
}

function stepOf(tree: Int16Array, state: number, bits: number): number {
  let node = state;
  let emitted = 0;
  for (let bit = 3; bit >= 0; bit--) {
    const next = tree[2 * node + ((bits >> bit) & 1)] as number; // all 256 nodes have two branches
    if (next === ~EOS) return FAILED;
    if (next < 0) emitted = (1 << EMITS_SHIFT) | (~next << SYMBOL_SHIFT);
    node = Math.max(next, 0); // behind a symbol it begins at the root
  }
  return emitted | node;
}
