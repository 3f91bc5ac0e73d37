/**
 * The Content-Type field (RFC 9110 §8.3).
 *
 * One parser decides and reads: what it does not understand is no type at all, so that no check can be passed with a value that another
 * parser takes for something else.
 *
 * @module
 */
import { trimWhitespace } from '../grammar.ts';

/** A media type with its parameters. */
export interface ContentType {
  /** Lower case, as in `application/json`. */
  readonly type: string;
  /** By lower-case name. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TYPE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+/;
/** OWS ";" OWS [ name "=" ( token / quoted-string ) ], one after the other (RFC 9110 §5.6.6). */
const PARAMETER =
  /[ \t]*;[ \t]*(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)|"((?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*)"))?/y;

/** Longest value that is remembered. */
const MAX_KEPT = 128;
/** The value that was read last, and what it says: nearly every request of a kind has the same. */
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
  if (!type) return undefined;
  const parameters = new Map<string, string>();
  let at = type[0].length;
  while (at < value.length) {
    PARAMETER.lastIndex = at;
    const parameter = PARAMETER.exec(value);
    if (!parameter) return trimWhitespace(value.slice(at)) === '' ? { type: type[0].toLowerCase(), parameters } : undefined;
    const [whole, name, token, quoted] = parameter;
    if (name !== undefined && !parameters.has(name.toLowerCase())) {
      parameters.set(name.toLowerCase(), token ?? (quoted ?? '').replace(/\\(.)/g, '$1'));
    }
    at += whole.length;
  }
  return { type: type[0].toLowerCase(), parameters };
}
