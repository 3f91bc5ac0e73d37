/**
 * The check of a value by a schema of any library that implements Standard Schema (zod, valibot, arktype…), see standardschema.dev.
 *
 * @module
 */
import { isThenable } from '../../http/awaitable.ts';
import { badOption } from '../../http/errors/bad-option.ts';

/** What a schema library offers, see standardschema.dev. */
export interface StandardSchema<T> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    validate(value: unknown): unknown;
    readonly types?: { readonly output: T } | undefined;
  };
}

/** What a schema says against a value. */
export interface SchemaIssue {
  readonly message: string;
  /** The keys that lead to where it is. */
  readonly path: readonly string[];
}

/** What has come of a check. */
export type Checked<T> = { readonly value: T; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] };

/** The result of a validation. */
interface Validated<T> {
  readonly value: T;
  readonly issues?: readonly Issue[] | undefined;
}

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Most issues reported: a body of a million wrong items must not become an answer of 100 MB. */
const MAX_ISSUES = 100;
/** Most characters of an issue's message: some libraries quote the value. */
const MAX_MESSAGE = 500;

/** Whether a value is a Standard Schema; some are functions. */
export function isStandardSchema(value: unknown): value is StandardSchema<unknown> {
  return ((typeof value === 'object' && value !== null) || typeof value === 'function') && '~standard' in value;
}

/**
 * Checks a value.
 *
 * @param instead What to do with a schema that answers later, in the words of a message.
 * @throws TypeError (code `bad-option`) for a schema that is asynchronous.
 */
export function checkBySchema<T>(
  subject: string,
  schema: StandardSchema<T>,
  value: unknown,
  instead: string = 'use a synchronous one',
): Checked<T> {
  const result = schema['~standard'].validate(value);
  if (isThenable(result)) {
    result.then(undefined, () => {}); // nobody handles its rejection, which would end the process
    throw badOption(subject, `the schema is asynchronous: ${instead}`);
  }
  return checkedBy(result as Validated<T>);
}

/** Checks a value by a schema that may answer later. */
export async function checkBySchemaLater<T>(schema: StandardSchema<T>, value: unknown): Promise<Checked<T>> {
  return checkedBy((await schema['~standard'].validate(value)) as Validated<T>);
}

function checkedBy<T>(result: Validated<T>): Checked<T> {
  if (!result.issues) return { value: result.value };
  return {
    issues: result.issues.slice(0, MAX_ISSUES).map(({ message, path = [] }) => ({
      message: message.slice(0, MAX_MESSAGE),
      path: path.map((step) => (typeof step === 'object' ? step.key : step)).map(String),
    })),
  };
}

/** The first issue in a sentence, and how many more there are. */
export function firstIssue([first, ...others]: readonly SchemaIssue[]): string {
  const where = first && first.path.length > 0 ? `${first.path.join('.')}: ` : '';
  const more = others.length < MAX_ISSUES - 1 ? `${others.length} more` : 'many more';
  return where + (first?.message ?? 'it does not fit the schema') + (others.length > 0 ? ` (and ${more})` : '');
}
