/**
 * Percent-encoding (RFC 3986 §2.1).
 *
 * @module
 */

/** The bytes with all escapes decoded; broken ones stay. It never throws, which for thousands of them would cost more than all the rest. */
export function percentDecoded(bytes: Buffer): Buffer {
  const decoded = Buffer.allocUnsafe(bytes.length);
  let size = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number; // at < length
    const value = byte === 0x25 /* % */ ? hexAt(bytes, at + 1) * 16 + hexAt(bytes, at + 2) : Number.NaN;
    if (!Number.isNaN(value)) at += 2;
    decoded[size++] = Number.isNaN(value) ? byte : value;
  }
  return decoded.subarray(0, size);
}

/** @returns NaN for what is not a hexadecimal digit. */
function hexAt(bytes: Buffer, at: number): number {
  const code = bytes[at] ?? 0;
  if (code >= 0x30 /* 0 */ && code <= 0x39 /* 9 */) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 /* a */ && lower <= 0x66 /* f */ ? lower - 0x57 : Number.NaN;
}
