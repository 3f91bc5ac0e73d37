/**
 * How much of a head the engine accepts.
 *
 * @module
 */

/** Bounds on one request head, in bytes and lines. */
export interface HeadLimits {
  /** Longest request line without its line end; above: 414. */
  readonly maxRequestLine: number;
  /** All field lines together, line ends included; above: 431. The same bound holds for trailers. */
  readonly maxHeaderSize: number;
  /** Number of field lines; above: 431. */
  readonly maxHeaders: number;
}

/** RFC 9112 §3 asks for at least 8000 octets of request line; 16 KiB of fields is what browsers with many cookies need. */
export const DEFAULT_LIMITS: HeadLimits = { maxRequestLine: 8 * 1024, maxHeaderSize: 16 * 1024, maxHeaders: 100 };

/** Empty lines skipped before a request line: RFC 9112 §2.2 wants at least one. */
export const MAX_EMPTY_LINES = 50;
/** Longer than any registered method (17 letters): anything longer is not a method we could serve. */
export const MAX_METHOD = 64;
/** Chunk extensions of one body together: they carry nothing that anybody reads (CVE-2023-39326, CVE-2024-22019). */
export const MAX_EXTENSIONS: number = 16 * 1024;
/** Chunk framing that a body may cost beyond as many bytes as it has data: room for 50,000 one-byte chunks. */
export const MAX_CHUNK_OVERHEAD: number = 256 * 1024;
