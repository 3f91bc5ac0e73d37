/**
 * Header fields of a request (RFC 9110 §5), typed and checked.
 *
 * @module
 */
import { badOption } from '../http/errors/bad-option.ts';
import { splitOutsideQuotes } from '../http/fields/list.ts';
import { isToken, trimWhitespace } from '../http/grammar.ts';
import type { Request } from '../http/request.ts';
import { accepted } from './reading/accepted.ts';
import { readKinds, type SpecTypes, type TextKinds, type TextSpec } from './reading/kinds.ts';
import { isStandardSchema, type StandardSchema } from './reading/schema.ts';
import { type Origin, shown, subjectOf } from './reading/wrong-value.ts';

const HEADERS: Origin = { whole: 'headers', one: 'header' };

/**
 * Reads header fields, by kinds or by a schema.
 *
 * A kind is one of those for `readQuery`. One value is one line; with `[]` it is a list, whose members stand on one line or on several
 * (RFC 9110 §5.6.1): `a, b` is two. Names may be in any case; the result has them as they are asked for.
 *
 * A schema gets an object of all fields, with names in lower case. Several lines of one name are joined with a comma (RFC 9110 §5.3), those of
 * Cookie with a semicolon.
 *
 * @param wanted The kind of each field asked for, by name; or a schema of a library that implements Standard Schema.
 * @throws HttpError 400 by kinds, when a field is missing (code `missing-field`), wrong or sent more than once (`bad-field-value`; the message
 *   names it); 422 (`schema-mismatch`) with the issues when a schema rejects them. TypeError (`bad-option`) for an unknown kind, a name that
 *   no field can have, or a schema that is asynchronous.
 * @example
 * const headers = readHeaders(request, { 'X-Tenant': 'string', 'X-Depth': 'uint?', Prefer: 'string[]' });
 * const tenant = headers['X-Tenant'];
 */
export function readHeaders<T>(request: Request, schema: StandardSchema<T>): T;
export function readHeaders<const S extends Readonly<Record<string, TextSpec>>>(request: Request, kinds: S): SpecTypes<TextKinds, S>;
export function readHeaders(request: Request, wanted: StandardSchema<unknown> | Readonly<Record<string, TextSpec>>): unknown {
  if (isStandardSchema(wanted)) return accepted(HEADERS, wanted, fieldsOf(request));
  return readKinds(HEADERS, wanted, (name, count) => {
    if (!isToken(name)) throw badOption(subjectOf(HEADERS), `${shown(name)} is no name of a header`); // RFC 9110 §5.1: it could never come
    const lines = request.headerAll(name);
    return count === '[]' ? lines.flatMap(membersOf) : lines;
  });
}

/** The members of a list, without empty ones (RFC 9110 §5.6.1.2). */
function membersOf(line: string): string[] {
  return splitOutsideQuotes(line, ',')
    .map(trimWhitespace)
    .filter((member) => member !== '');
}

/** All fields, for a schema. */
function fieldsOf(request: Request): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [written, value] of request.headers) {
    const name = written.toLowerCase();
    if (name === '__proto__') continue; // as in `objectOf`
    const known = Object.hasOwn(fields, name) ? fields[name] : undefined;
    fields[name] = known === undefined ? value : `${known}${name === 'cookie' ? '; ' : ', '}${value}`;
  }
  return fields;
}
