/**
 * What was sent, as a schema accepts it: the 422 that names what is wrong, whatever was read.
 *
 * @module
 */
import { badOption } from '../../http/errors/bad-option.ts';
import { HttpError } from '../../http/response.ts';
import { type Checked, checkBySchema, checkBySchemaLater, firstIssue, isStandardSchema, type StandardSchema } from './schema.ts';
import { type Origin, subjectOf } from './wrong-value.ts';

/** What to do with a schema that answers later where there is no promise form. */
const AWAIT_LATER = 'read with a synchronous one, and await the rest behind it';

/** Refuses what is no schema. @throws TypeError (code `bad-option`). */
export function checkIsSchema(origin: Origin, value: unknown): void {
  if (isStandardSchema(value)) return;
  throw badOption(subjectOf(origin), 'the schema is not a Standard Schema: take one of zod 3.24, valibot 1, arktype 2 or later versions');
}

/**
 * Checks a value.
 *
 * @param instead What to do with a schema that answers later, in the words of a message. Default for what has no promise form.
 * @returns The value as the schema outputs it.
 * @throws HttpError 422 (code `schema-mismatch`) with the issues. TypeError (`bad-option`) for a schema that is asynchronous.
 */
export function accepted<T>(origin: Origin, schema: StandardSchema<T>, value: unknown, instead: string = AWAIT_LATER): T {
  return outputOf(origin, checkBySchema(subjectOf(origin), schema, value, instead));
}

/** Checks a value by a schema that may answer later. @throws HttpError 422 (code `schema-mismatch`) with the issues. */
export async function acceptedLater<T>(origin: Origin, schema: StandardSchema<T>, value: unknown): Promise<T> {
  return outputOf(origin, await checkBySchemaLater(schema, value));
}

function outputOf<T>({ whole }: Origin, checked: Checked<T>): T {
  if (!checked.issues) return checked.value;
  throw new HttpError(422, `Cannot accept ${whole}: ${firstIssue(checked.issues)}`, {
    code: 'schema-mismatch',
    details: { issues: checked.issues },
  });
}

/**
 * Makes an object of pairs, for a schema: what was sent once under a name is itself, what was sent more often a list, in order.
 *
 * Like an object from `readJson` it has no key `__proto__`, which no client means and code that merges objects trips over.
 */
export function objectOf<V>(pairs: Iterable<readonly [name: string, value: V]>): Record<string, V | V[]> {
  const members: Record<string, V | V[]> = {};
  for (const [name, value] of pairs) {
    if (name === '__proto__') continue;
    const known = Object.hasOwn(members, name) ? members[name] : undefined;
    if (known === undefined) members[name] = value;
    else if (Array.isArray(known)) known.push(value);
    else members[name] = [known, value];
  }
  return members;
}
