/**
 * The Content-Type field (RFC 9110 §8.3).
 *
 * One parser both decides and reads: what it does not understand is not a type at all, so that no value passes a check here and is taken for
 * something else by another parser.
 *
 * @module
 */
import { trimWhitespace } from '../grammar.ts';
import { unquote } from './list.ts';

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
  /[ \t]*;[ \t]*(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=([!#$%&'*+\-.^_`|~0-9A-Za-z]+|"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"))?/y;

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
  if (!type) return undefined;
  const parameters = new Map<string, string>();
  let at = type[0].length;
  while (at < value.length) {
    PARAMETER.lastIndex = at;
    const parameter = PARAMETER.exec(value);
    if (!parameter) return trimWhitespace(value.slice(at)) === '' ? { type: type[0].toLowerCase(), parameters } : undefined;
    const [whole, name, text = ''] = parameter;
    if (name !== undefined && !parameters.has(name.toLowerCase())) parameters.set(name.toLowerCase(), unquote(text));
    at += whole.length;
  }
  return { type: type[0].toLowerCase(), parameters };
}
