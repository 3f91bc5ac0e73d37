/**
 * The kinds a form field can be asked for as.
 *
 * @module
 */
import { badOption, kindOf } from '../../http/errors/bad-option.ts';
import { badField } from './form-error.ts';
import type { UploadedFile } from './uploaded-file.ts';

/** The type of each kind. */
export interface FieldKinds {
  string: string;
  int: number;
  uint: number;
  float: number;
  bool: boolean;
  file: UploadedFile;
}

/** A kind: exactly one value; with `?` at most one; with `[]` any number. */
export type FieldSpec = keyof FieldKinds | `${keyof FieldKinds}?` | `${keyof FieldKinds}[]`;

/** The type that a spec asks for. */
export type FieldType<S> = S extends `${infer K extends keyof FieldKinds}[]`
  ? FieldKinds[K][]
  : S extends `${infer K extends keyof FieldKinds}?`
    ? FieldKinds[K] | undefined
    : S extends keyof FieldKinds
      ? FieldKinds[S]
      : never;

/** A field as it was sent. */
type Sent = string | UploadedFile;

/** What a field is asked for as. */
export interface ParsedSpec {
  readonly kind: keyof FieldKinds;
  readonly count: '' | '?' | '[]';
}

const KINDS = ['string', 'int', 'uint', 'float', 'bool', 'file'] as const;
const SPECS: ReadonlyMap<string, ParsedSpec> = new Map(
  KINDS.flatMap((kind) => (['', '?', '[]'] as const).map((count) => [`${kind}${count}`, { kind, count }] as const)),
);

/** Parses a spec, before anything of the form is read. @throws TypeError (code `bad-option`) for an unknown one. */
export function parseSpec(name: string, spec: string): ParsedSpec {
  const parsed = SPECS.get(spec);
  if (parsed) return parsed;
  const kinds = 'string, int, uint, float, bool or file, with ? or [] behind';
  const written = typeof spec === 'string' ? JSON.stringify(spec) : kindOf(spec);
  throw badOption('Cannot read form', `field "${name}" is asked for as ${written}, not as ${kinds}`);
}

/**
 * Converts what was sent under one name to the kind that was asked for.
 *
 * @throws HttpError 400 when something is missing, wrong, or sent more than once.
 */
export function convertField(name: string, { kind, count }: ParsedSpec, sent: readonly Sent[]): unknown {
  const values: unknown[] = [];
  for (const one of sent) {
    const value = convertOne(name, kind, one);
    if (value !== undefined) values.push(value);
  }
  if (count === '[]') return values;
  if (values.length > 1) throw badField(name, `appears ${values.length} times`);
  if (values.length === 1) return values[0];
  if (count === '?') return undefined;
  if (kind === 'bool') return false; // a checkbox that is not checked is not sent
  throw badField(name, 'is missing', 'missing-field');
}

/** Converts one value. @returns undefined for an input that was left empty, which counts as not sent. An empty string is a string. */
function convertOne(name: string, kind: keyof FieldKinds, sent: Sent): string | number | boolean | UploadedFile | undefined {
  if (typeof sent !== 'string') {
    if (kind === 'file') return sent;
    throw badField(name, 'is a file, text is expected');
  }
  switch (kind) {
    case 'string':
      return sent;
    case 'file':
      throw badField(name, 'is text, a file is expected');
    case 'bool':
      return sent === '' ? undefined : toBool(name, sent);
    default:
      return sent === '' ? undefined : toNumber(name, kind, sent);
  }
}

/** What `<input type="number">` sends (WHATWG HTML §2.3.4). */
const NUMBERS = {
  int: { syntax: /^-?\d+$/, words: 'a whole number' },
  uint: { syntax: /^\d+$/, words: 'a whole number from 0 on' },
  float: { syntax: /^-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/, words: 'a number' },
} as const;

function toNumber(name: string, kind: keyof typeof NUMBERS, text: string): number {
  const { syntax, words } = NUMBERS[kind];
  const value = syntax.test(text) ? Number(text) : Number.NaN;
  // A whole number that a double cannot hold would be rounded to another one.
  if (kind === 'float' ? Number.isFinite(value) : Number.isSafeInteger(value)) return value;
  throw badField(name, `is not ${words}`);
}

/** The spellings of booleans. A checkbox without a value sends `on`. */
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['on', true],
  ['true', true],
  ['1', true],
  ['off', false],
  ['false', false],
  ['0', false],
]);

function toBool(name: string, text: string): boolean {
  const value = BOOLEANS.get(text);
  if (value !== undefined) return value;
  throw badField(name, 'is not one of on, off, true, false, 1, 0');
}
