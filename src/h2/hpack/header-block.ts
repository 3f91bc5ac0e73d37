/**
 * What is decoded from a header block, and how much of it is accepted.
 *
 * @module
 */

/** Bounds on the fields of one header block. */
export interface HeaderLimits {
  /** Octets of all names and values together, and 32 for each field (RFC 9113 §6.5.2). */
  readonly maxListSize: number;
  /** Number of fields, pseudo-header fields included. */
  readonly maxFields: number;
}

/** The fields of a header block. A block that comes again is answered with the same object: nobody may change it. */
export interface DecodedHeaders {
  /** Name, value, name, value…, one character an octet, in the order they came. */
  readonly fields: readonly string[];
  /** Whether there were more than the limits allow: `fields` then has only the first ones. */
  readonly isTooLarge: boolean;
  /** What the reader of the fields keeps with them; undefined at first. */
  kept: unknown;
}
