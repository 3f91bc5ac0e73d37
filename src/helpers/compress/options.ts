/**
 * The options of `compress`, checked.
 *
 * @module
 */
import { badOption, checkInteger, checkOptions } from '../../http/errors/bad-option.ts';
import { CODINGS, type Coding } from './codings.ts';

/** Options of `compress`. */
export interface CompressOptions {
  /** Bytes below which a body is sent as it is: the head alone is larger. Default 256. A stream of unknown length is always compressed. */
  minSize?: number | undefined;
  /**
   * The codings that may be used, best first. Default br, zstd, gzip; for events gzip, br, zstd. Where node:zlib lacks zstd (before Node 22.15) it
   * is skipped.
   */
  encodings?: readonly ('br' | 'zstd' | 'gzip')[] | undefined;
  /** How hard to try, from 1 (fast) to 9 (small), on the coding's own scale. Default 4 for br, 3 for zstd, 6 for gzip. */
  level?: number | undefined;
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
const SUBJECT = 'Cannot compress';
const KNOWN: ReadonlySet<string> = new Set(['minSize', 'encodings', 'level']);
const DEFAULTS: Resolved = { minSize: MIN_SIZE, encodings: undefined, level: undefined };

/** @throws TypeError or RangeError (code `bad-option`). */
export function resolveOptions(options: CompressOptions | undefined): Resolved {
  if (options === undefined) return DEFAULTS;
  checkOptions(SUBJECT, options, KNOWN);
  const { minSize = MIN_SIZE, encodings, level } = options;
  checkInteger(SUBJECT, 'minSize', minSize, 0, Number.MAX_SAFE_INTEGER, 'bytes');
  if (encodings !== undefined && (!Array.isArray(encodings) || encodings.length === 0)) {
    throw badOption(SUBJECT, 'encodings is empty or not a list');
  }
  for (const coding of (encodings ?? []) as readonly unknown[]) {
    if (!CODINGS.includes(coding as Coding)) {
      throw badOption(SUBJECT, `encodings has ${JSON.stringify(coding)}, which is not "br", "zstd" or "gzip"`);
    }
  }
  if (level !== undefined) checkInteger(SUBJECT, 'level', level, 1, 9);
  return { minSize, encodings, level };
}
