/**
 * The Huffman code of HPACK (RFC 7541 Appendix B).
 *
 * The code is canonical: codes of one length are numbers that follow one another in the order of their symbols, and each length begins where
 * the one before it ended. So the lengths say it all.
 *
 * @module
 */

/** The symbol that ends a string; only its first bits are ever sent, as padding (RFC 7541 §5.2). */
export const EOS = 256;

/** The longest code. */
export const MAX_BITS = 30;

/** Bits in the code of each octet, then of EOS. */
// biome-ignore format: 32 to a line, as control characters, signs and digits, capitals, letters, and the other half
export const CODE_LENGTHS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];

/** The code of each symbol, right-aligned. */
export const CODES: Int32Array = canonicalCodes();

function canonicalCodes(): Int32Array {
  const codes = new Int32Array(CODE_LENGTHS.length);
  let next = 0;
  for (let bits = 1; bits <= MAX_BITS; bits++) {
    next <<= 1;
    for (let symbol = 0; symbol <= EOS; symbol++) {
      if (CODE_LENGTHS[symbol] === bits) codes[symbol] = next++;
    }
  }
  return codes;
}
