/**
 * What the decoder says of a header block that cannot be decoded.
 *
 * @module
 */

/**
 * A malformed header block. What the table of the connection holds is in doubt from here on, so the whole connection ends with
 * COMPRESSION_ERROR (RFC 9113 §4.3).
 */
export class CompressionError extends Error {
  constructor(what: string) {
    super(`Cannot decode header block: ${what}`);
    this.name = 'CompressionError';
  }
}
