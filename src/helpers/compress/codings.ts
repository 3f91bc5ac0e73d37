/**
 * The content codings that we can produce, with node:zlib (RFC 9110 §8.4.1, RFC 1952, RFC 7932, RFC 8878).
 *
 * @module
 */
import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';

/** A content coding by its name in Accept-Encoding. */
export type Coding = 'br' | 'zstd' | 'gzip';

/** How a body is to be compressed. */
export interface Task {
  readonly coding: Coding;
  /** From 1 to 9; undefined: the coding's own default. */
  readonly level: number | undefined;
  /** Whether the body is a stream of events: it may stay open for hours, so that its memory counts more than its ratio. */
  readonly isOfEvents: boolean;
}

/** node:zlib has zstd since Node 22.15 and 23.8; the types are those of Node 20. */
interface Zstd {
  readonly createZstdCompress?: (options: object) => Transform;
  readonly zstdCompressSync?: (bytes: Uint8Array, options: object) => Buffer;
  readonly constants: Readonly<Record<string, number>>;
}

const { createZstdCompress, zstdCompressSync, constants: ZSTD } = zlib as unknown as Zstd;
const { constants } = zlib;

/** In our own order of preference, which decides between equally welcome codings. */
export const CODINGS: readonly Coding[] = ['br', 'zstd', 'gzip'];
/**
 * The same for events, by memory: an open stream holds 160 KiB with gzip, 590 KiB with br and 890 KiB with zstd, and gzip makes them the smallest
 * (0.37 of their size, the others 0.43; 20 events of 90 bytes, measured).
 */
export const CODINGS_FOR_EVENTS: readonly Coding[] = ['gzip', 'br', 'zstd'];

/** Brotli's own default, 11, takes twenty times as long for a tenth less. */
const BROTLI_LEVEL = 4;
const ZSTD_LEVEL = 3;
/** How far back to look for repetitions, as a power of 2: 512 KiB. More costs megabytes for each response, and RFC 9659 allows zstd at most 8 MiB. */
const WINDOW = 19;
/** The smallest window of brotli and zstd alike. */
const SMALLEST_WINDOW = 10;
/**
 * For bodies announced as a mebibyte or more brotli takes a larger table: 4.5 MiB a response instead of 1, up to twice the time, and 1 to 4
 * per cent less to send (code, types; measured).
 */
const LARGEST_HINT = 2 ** 20 - 1;
/** A piece of 64 KiB of text seldom becomes more: one job of zlib, not several. */
const CHUNK = 32 * 1024;
const CHUNK_OF_EVENTS = 4 * 1024;
/** gzip's window and table for events: 100 KiB less than its own defaults, and the same ratio. */
const MODEST_GZIP = { windowBits: 13, memLevel: 5, chunkSize: CHUNK_OF_EVENTS };

/** Whether this Node has a coding. */
export function isAvailable(coding: Coding): boolean {
  return coding !== 'zstd' || createZstdCompress !== undefined;
}

/**
 * Makes the stream that compresses one body.
 *
 * @param size Bytes of the body, when they are known.
 * @param isFlushed Whether what is written must leave at once.
 */
export function createCompressor(task: Task, size: number | undefined, isFlushed: boolean): Transform {
  switch (task.coding) {
    case 'gzip':
      return zlib.createGzip({ ...gzipOptions(task), flush: isFlushed ? constants.Z_SYNC_FLUSH : constants.Z_NO_FLUSH });
    case 'br': {
      const flush = isFlushed ? constants.BROTLI_OPERATION_FLUSH : constants.BROTLI_OPERATION_PROCESS;
      return zlib.createBrotliCompress({ ...brotliOptions(task, size), flush });
    }
    default: {
      const { ZSTD_e_continue = 0, ZSTD_e_flush = 1 } = ZSTD;
      if (!createZstdCompress) throw withoutZstd();
      return createZstdCompress({ ...zstdOptions(task, size), flush: isFlushed ? ZSTD_e_flush : ZSTD_e_continue });
    }
  }
}

/** Compresses a whole body synchronously. */
export function compressNow(task: Task, bytes: Uint8Array): Buffer {
  switch (task.coding) {
    case 'gzip':
      return zlib.gzipSync(bytes, gzipOptions(task));
    case 'br':
      return zlib.brotliCompressSync(bytes, brotliOptions(task, bytes.length));
    default:
      if (!zstdCompressSync) throw withoutZstd();
      return zstdCompressSync(bytes, zstdOptions(task, bytes.length));
  }
}

function gzipOptions({ level = constants.Z_DEFAULT_COMPRESSION, isOfEvents }: Task): zlib.ZlibOptions {
  return isOfEvents ? { level, ...MODEST_GZIP } : { level, chunkSize: CHUNK };
}

function brotliOptions({ level = BROTLI_LEVEL, isOfEvents }: Task, size: number | undefined): zlib.BrotliOptions {
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN, BROTLI_PARAM_SIZE_HINT } = constants;
  const params = {
    [BROTLI_PARAM_QUALITY]: level,
    [BROTLI_PARAM_LGWIN]: windowFor(size),
    [BROTLI_PARAM_SIZE_HINT]: Math.min(size ?? 0, LARGEST_HINT),
  };
  return { params, chunkSize: isOfEvents ? CHUNK_OF_EVENTS : CHUNK };
}

function zstdOptions({ level = ZSTD_LEVEL, isOfEvents }: Task, size: number | undefined): object {
  const { ZSTD_c_compressionLevel = 100, ZSTD_c_windowLog = 101 } = ZSTD;
  const params = { [ZSTD_c_compressionLevel]: level, [ZSTD_c_windowLog]: windowFor(size) };
  return { params, chunkSize: isOfEvents ? CHUNK_OF_EVENTS : CHUNK };
}

/** No larger than the body: a small page then costs little memory. */
function windowFor(size: number | undefined): number {
  return size === undefined ? WINDOW : Math.max(SMALLEST_WINDOW, Math.min(WINDOW, Math.ceil(Math.log2(size + 1))));
}

/** `isAvailable` was not asked. */
function withoutZstd(): Error {
  return new Error('Cannot compress: this Node has no zstd');
}
