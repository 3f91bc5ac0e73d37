/**
 * The Content-Type field (RFC 9110 §8.3).
 *
 * One parser both decides and reads: what it does not understand is not a type at all, so that no value passes a check here and is taken for
 * something else by another parser.
 *
 * @module
 */
import { parseParameters, unquote } from './list.ts';

/** A media type with its parameters. */
export interface ContentType {
  /** Lower case, as in `application/json`. */
  readonly type: string;
  /** By lower-case name. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TYPE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+/;

/** Longest value that is remembered, characters. */
const MAX_KEPT = 128;
/** The value that was read last, and what it says: nearly all requests of one kind have the same. */
let lastValue = '';
let last: ContentType | undefined;

/**
 * Reads a Content-Type.
 *
 * @returns The type, or `undefined` when the field is absent or malformed.
 */
export function parseContentType(value: string | undefined): ContentType | undefined {
  if (value === undefined) return undefined;
  if (value === lastValue) return last;
  const parsed = parse(value);
  if (value.length <= MAX_KEPT) {
    lastValue = value;
    last = parsed;
  }
  return parsed;
}

function parse(value: string): ContentType | undefined {
  const type = TYPE.exec(value);
  const pairs = type ? parseParameters(value, type[0].length) : undefined;
  if (!type || !pairs) return undefined;
  const parameters = new Map<string, string>();
  for (const [name, text] of pairs) if (!parameters.has(name)) parameters.set(name, unquote(text));
  return { type: type[0].toLowerCase(), parameters };
}
