/**
 * Range and Content-Range, in bytes (RFC 9110 §14.1.2, §14.2, §14.4).
 *
 * @module
 */

import { trimWhitespace } from '../grammar.ts';

/** Bytes from `start` up to, but not including, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** More ranges than this are not an honest request: a PDF viewer asks for a handful (RFC 9110 §14.2, §17.15). */
const MAX_RANGES = 8;
/** `first-last`, `first-` or `-suffix` (RFC 9110 §14.1.2); no whitespace inside. */
const RANGE_SPEC = /^(\d*)-(\d*)$/;

/**
 * Reads the value of Range.
 *
 * @param value The value; a request with several such fields is to be read as one with none.
 * @param size Bytes of the representation.
 * @returns The ranges, cut to the size, in the order in which they were asked for. `unsatisfiable` when all of them begin beyond the end (416).
 *   `undefined` when the field is to be ignored: absent, malformed, in a unit other than bytes, more than 8 ranges, ranges that overlap, or
 *   the last bytes of nothing.
 */
export function parseRange(value: string | undefined, size: number): readonly ByteRange[] | 'unsatisfiable' | undefined {
  if (value === undefined || !/^bytes=/i.test(value)) return undefined;
  const specs = value.slice('bytes='.length).split(',', MAX_RANGES * 2);
  const ranges: ByteRange[] = [];
  let count = 0;
  for (const spec of specs) {
    const text = trimWhitespace(spec);
    if (text === '') continue; // RFC 9110 §5.6.1.2: empty members are ignored
    const range = rangeOf(text, size);
    if (range === undefined || ++count > MAX_RANGES) return undefined;
    if (range.start < range.end) ranges.push(range);
  }
  if (count === 0 || specs.length === MAX_RANGES * 2 || overlap(ranges)) return undefined;
  if (ranges.length > 0) return ranges;
  const isOfAll = size === 0 && specs.some((spec) => Number(trimWhitespace(spec)) < 0); // satisfiable (§14.1.2), but no Content-Range says so
  return isOfAll ? undefined : 'unsatisfiable';
}

/** Makes the value of Content-Range. @param range Undefined in a 416, where no range was satisfiable (RFC 9110 §15.5.17). */
export function serializeContentRange(range: ByteRange | undefined, size: number): string {
  return range ? `bytes ${range.start}-${range.end - 1}/${size}` : `bytes */${size}`;
}

/** @returns A range, empty when it cannot be satisfied; undefined when it is malformed. Numbers too long for a double exceed any size. */
function rangeOf(spec: string, size: number): ByteRange | undefined {
  const parts = RANGE_SPEC.exec(spec);
  if (!parts) return undefined;
  const [, first = '', last = ''] = parts;
  if (first === '') return last === '' ? undefined : { start: Math.max(size - Number(last), 0), end: size };
  if (last !== '' && Number(last) < Number(first)) return undefined;
  const end = last === '' ? size : Math.min(Number(last) + 1, size);
  return { start: Math.min(Number(first), end), end };
}

function overlap(ranges: readonly ByteRange[]): boolean {
  if (ranges.length < 2) return false;
  const ordered = ranges.toSorted((a, b) => a.start - b.start);
  return ordered.some((range, index) => index > 0 && range.start < (ordered[index - 1] as ByteRange).end); // index > 0
}
