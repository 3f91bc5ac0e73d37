/**
 * The Content-Disposition field of a download (RFC 6266, RFC 8187) and of a part of a form (RFC 2183, RFC 7578 §4.2).
 *
 * @module
 */
import { percentDecoded } from '../percent.ts';
import { exactUtf8 } from '../utf8.ts';
import { parseParameters } from './list.ts';

/** A disposition with its parameters. */
export interface Disposition {
  /** Lower case, as in `form-data`. */
  readonly type: string;
  /** By lower-case name, as they were sent, one character for each byte. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TYPE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+/;
/** UTF-8'language'text (RFC 8187 §3.2.1). Another charset nobody has to know. */
const EXTENDED = /^utf-8'[0-9a-z-]*'((?:[!#$&+\-.^_`|~0-9a-z]|%[0-9a-f]{2})*)$/i;

/**
 * Reads a Content-Disposition.
 *
 * In a quoted value a backslash escapes a quote and a backslash, and stands for itself before anything else: browsers escape nothing with it,
 * and older ones send `C:\new.txt`.
 *
 * @returns `undefined` when it is malformed or has a parameter twice (RFC 2183 §2).
 */
export function parseDisposition(value: string): Disposition | undefined {
  const type = TYPE.exec(value)?.[0];
  const pairs = type === undefined ? undefined : parseParameters(value, type.length);
  if (type === undefined || !pairs) return undefined;
  const parameters = new Map<string, string>();
  for (const [name, text] of pairs) {
    if (parameters.has(name)) return undefined;
    parameters.set(name, text.startsWith('"') ? text.slice(1, -1).replace(/\\(["\\])/g, '$1') : text);
  }
  return { type: type.toLowerCase(), parameters };
}

/** Reads the value of a parameter like `filename*` (RFC 8187). @returns `undefined` when it is malformed or not in UTF-8. */
export function extendedText(value: string): string | undefined {
  const text = EXTENDED.exec(value)?.[1];
  return text === undefined ? undefined : exactUtf8(percentDecoded(Buffer.from(text, 'latin1')));
}

/**
 * Makes `attachment; filename="…"`, with `filename*` beside it when the name is more than plain ASCII.
 *
 * @param filename As the user shall see it; folders in front are cut off.
 */
export function serializeAttachment(filename: string): string {
  const name = filename.slice(Math.max(filename.lastIndexOf('/'), filename.lastIndexOf('\\')) + 1);
  // A quote could be escaped (RFC 9110 §5.6.4), but RFC 6266 appendix D warns of it: some clients drop such a name, others keep the backslash.
  const plain = name.replace(/[^\x20-\x7e]|"/g, '?');
  const isPlain = plain === name && !name.includes('%'); // some clients decode % in the plain form
  return isPlain ? `attachment; filename="${plain}"` : `attachment; filename="${plain}"; filename*=UTF-8''${extendedValue(name)}`;
}

/** RFC 8187 §3.2.1: all but attr-char is percent-encoded. */
function extendedValue(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
