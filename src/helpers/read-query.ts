/**
 * The query of a request (WHATWG URL §5), typed and checked.
 *
 * @module
 */
import type { Request } from '../http/request.ts';
import { accepted, objectOf } from './reading/accepted.ts';
import { readKinds, type SpecTypes, type TextKinds, type TextSpec } from './reading/kinds.ts';
import { isStandardSchema, type StandardSchema } from './reading/schema.ts';
import type { Origin } from './reading/wrong-value.ts';

const QUERY: Origin = { whole: 'query', one: 'parameter' };

/**
 * Reads the query, by kinds or by a schema.
 *
 * A kind is `string`, `int`, `uint`, `float` or `bool`, for exactly one value; with `?` for at most one; with `[]` for any number. Parameters
 * that were not asked for are ignored. Numbers that were left empty count as not sent; a `bool` that was not sent is false.
 *
 * A schema gets an object of all parameters: one that was sent once is a string, one that was sent more often a list of strings.
 *
 * @param wanted The kind of each parameter, by name; or a schema of a library that implements Standard Schema.
 * @throws HttpError 400 by kinds, when a parameter is missing (code `missing-field`), wrong or sent more than once (`bad-field-value`; the
 *   message names it); 422 (`schema-mismatch`) with the issues when a schema rejects the query. TypeError (`bad-option`) for an unknown kind,
 *   or a schema that is asynchronous.
 * @example
 * const { page = 1, tag } = readQuery(request, { page: 'uint?', tag: 'string[]' });
 * @example
 * const { page } = readQuery(request, z.object({ page: z.coerce.number().int().min(1).default(1) }));
 */
export function readQuery<T>(request: Request, schema: StandardSchema<T>): T;
export function readQuery<const S extends Readonly<Record<string, TextSpec>>>(request: Request, kinds: S): SpecTypes<TextKinds, S>;
export function readQuery(request: Request, wanted: StandardSchema<unknown> | Readonly<Record<string, TextSpec>>): unknown {
  if (isStandardSchema(wanted)) return accepted(QUERY, wanted, objectOf(request.query));
  return readKinds(QUERY, wanted, (name) => request.query.getAll(name));
}
