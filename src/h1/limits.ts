/**
 * How much the engine accepts around heads and bodies; what a head itself may hold is in `http/request/head-limits.ts`.
 *
 * @module
 */

/** Empty lines skipped before a request line: RFC 9112 §2.2 wants at least one. */
export const MAX_EMPTY_LINES = 50;
/** Chunk extensions of one body together: they carry nothing that anybody reads (CVE-2023-39326, CVE-2024-22019). */
export const MAX_EXTENSIONS: number = 16 * 1024;
/** Chunk framing that a body may cost beyond as many bytes as it has data: room for 50,000 one-byte chunks. */
export const MAX_CHUNK_OVERHEAD: number = 256 * 1024;
