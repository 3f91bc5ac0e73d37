/**
 * The parameters of a path, typed and checked further than a pattern can.
 *
 * @module
 */
import { badOption, kindOf } from '../http/errors/bad-option.ts';
import { accepted } from './reading/accepted.ts';
import { readKinds, type SpecTypes, type TextKinds, type TextSpec } from './reading/kinds.ts';
import { isStandardSchema, type StandardSchema } from './reading/schema.ts';
import { type Origin, shown, subjectOf } from './reading/wrong-value.ts';
import type { ParamValue } from './routes/pattern.ts';

const PARAMS: Origin = { whole: 'path', one: 'parameter' };

/**
 * Reads the parameters that `match` or `router` found, by kinds or by a schema.
 *
 * A pattern such as `{id:int}` lets what is no number pass by, to a 404. Here the route is the right one, and the answer says what is wrong.
 *
 * @param params What `match` returned, or a handler of `router` was given.
 * @param wanted The kind of each parameter asked for, by name, as for `readQuery`; or a schema of a library that implements Standard Schema.
 * @throws HttpError 400 (code `bad-field-value`; the message names the parameter) by kinds, 422 (`schema-mismatch`) with the issues when a
 *   schema rejects them. TypeError (`bad-option`) for an unknown kind, a name that the route does not have, or a schema that is asynchronous.
 * @example
 * const found = match(request, 'GET /days/{year}/{month}');
 * if (found) return show(readParams(found, z.object({ year: z.coerce.number(), month: z.coerce.number().min(1).max(12) })));
 */
export function readParams<T>(params: Readonly<Record<string, ParamValue>>, schema: StandardSchema<T>): T;
export function readParams<P extends Readonly<Record<string, ParamValue>>, const S extends Readonly<Record<string, TextSpec>>>(
  params: P,
  kinds: S & { readonly [N in Exclude<keyof S, keyof P>]: never },
): SpecTypes<TextKinds, S>;
export function readParams(
  params: Readonly<Record<string, ParamValue>>,
  wanted: StandardSchema<unknown> | Readonly<Record<string, TextSpec>>,
): unknown {
  if (typeof params !== 'object' || params === null) {
    throw badOption(
      subjectOf(PARAMS),
      `the parameters are ${kindOf(params)}, not an object: give what match returned, once it has matched`,
    );
  }
  if (isStandardSchema(wanted)) return accepted(PARAMS, wanted, { ...params });
  return readKinds(PARAMS, wanted, (name) => {
    const value = params[name];
    if (value !== undefined) return [String(value)];
    const names = Object.keys(params).map(shown).join(', ');
    throw badOption(subjectOf(PARAMS), `the route has no parameter ${shown(name)}, only ${names === '' ? 'literal text' : names}`);
  });
}
