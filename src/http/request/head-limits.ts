/**
 * How much of a request head is accepted, in every version of HTTP.
 *
 * @module
 */

/** Bounds on one request head, in bytes and lines. */
export interface HeadLimits {
  /** Longest request line of HTTP/1.1 without its line end, and longest target of HTTP/2; above: 414. */
  readonly maxRequestLine: number;
  /** All field lines together, line ends included; above: 431. The same bound holds for trailers. */
  readonly maxHeaderSize: number;
  /** Number of field lines; above: 431. */
  readonly maxHeaders: number;
}

/** RFC 9112 §3 asks for at least 8000 octets of request line; 16 KiB of fields is what browsers with many cookies need. */
export const DEFAULT_LIMITS: HeadLimits = { maxRequestLine: 8 * 1024, maxHeaderSize: 16 * 1024, maxHeaders: 100 };
