/**
 * Bytes as text: UTF-8 and nothing else (RFC 3629).
 *
 * @module
 */
import { isUtf8 } from 'node:buffer';

/**
 * Decodes strictly, without a byte order mark.
 *
 * @returns The text, or `undefined` when the bytes are not valid UTF-8.
 */
export function decodeUtf8(bytes: Buffer): string | undefined {
  if (!isUtf8(bytes)) return undefined;
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return bytes.toString('utf8', hasMark ? 3 : 0);
}

/** Decodes strictly, and keeps a byte order mark: within a document U+FEFF is a character like any other. @returns As `decodeUtf8` does. */
export function exactUtf8(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}
