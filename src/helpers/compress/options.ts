/**
 * The options of `compress`, checked.
 *
 * @module
 */
import { withCode } from '../../http/error-codes.ts';
import { CODINGS, type Coding } from './codings.ts';

/** What may be told otherwise. */
export interface CompressOptions {
  /** Bytes below which a body is sent as it is: the head alone is larger. Default 256. A stream of unknown length is compressed always. */
  minSize?: number;
  /**
   * The codings that may be used, best first. Default br, zstd, gzip; for events gzip, br, zstd. A Node whose node:zlib lacks zstd (before 22.15) leaves
   * it out.
   */
  encodings?: readonly ('br' | 'zstd' | 'gzip')[];
  /** How hard to try, from 1 (fast) to 9 (small), in the coding's own counting. Default 4 for br, 3 for zstd, 6 for gzip. */
  level?: number;
}

/** The options with their defaults. */
export interface Resolved {
  readonly minSize: number;
  /** Undefined: our own order. */
  readonly encodings: readonly Coding[] | undefined;
  readonly level: number | undefined;
}

/** Smaller bodies become larger, or save less than a packet's head. */
const MIN_SIZE = 256;
const KNOWN: ReadonlySet<string> = new Set(['minSize', 'encodings', 'level']);
const DEFAULTS: Resolved = { minSize: MIN_SIZE, encodings: undefined, level: undefined };

/** @throws TypeError or RangeError (code `bad-option`). */
export function checkOptions(options: CompressOptions | undefined): Resolved {
  if (options === undefined) return DEFAULTS;
  if (typeof options !== 'object' || options === null) throw wrong('options are no object');
  for (const name in options) {
    if (!KNOWN.has(name)) throw wrong(`there is no option "${name}"`);
  }
  const { minSize = MIN_SIZE, encodings, level } = options;
  if (!Number.isSafeInteger(minSize) || minSize < 0) throw outOfRange(`minSize ${String(minSize)} is not a number of bytes`);
  if (encodings !== undefined && (!Array.isArray(encodings) || encodings.length === 0)) {
    throw wrong('encodings is no list with something in it');
  }
  for (const coding of (encodings ?? []) as readonly unknown[]) {
    if (!CODINGS.includes(coding as Coding)) throw wrong(`encodings has ${JSON.stringify(coding)}, which is not "br", "zstd" or "gzip"`);
  }
  if (level !== undefined && (!Number.isInteger(level) || level < 1 || level > 9)) {
    throw outOfRange(`level ${String(level)} is not a whole number from 1 to 9`);
  }
  return { minSize, encodings, level };
}

function wrong(why: string): TypeError & { readonly code: string } {
  return withCode(new TypeError(`Cannot compress: ${why}`), 'bad-option');
}

function outOfRange(why: string): RangeError & { readonly code: string } {
  return withCode(new RangeError(`Cannot compress: ${why}`), 'bad-option');
}
