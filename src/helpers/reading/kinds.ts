/**
 * The kinds that a value sent under a name can be asked for as: the fields of a form, the parameters of a query or a path, headers.
 *
 * @module
 */
import { badOption, kindOf } from '../../http/errors/bad-option.ts';
import { badValue, type Origin, subjectOf } from './wrong-value.ts';

/** The type of each kind of text. */
export interface TextKinds {
  string: string;
  int: number;
  uint: number;
  float: number;
  bool: boolean;
}

/** A kind of text: exactly one value; with `?` at most one; with `[]` any number. */
export type TextSpec = SpecOf<keyof TextKinds>;

/** A kind of `K`, with or without what says how many. */
export type SpecOf<K extends string> = K | `${K}?` | `${K}[]`;

/** The type that a spec asks for. @typeParam Kinds The type of each kind. */
export type SpecType<Kinds, S> = S extends `${infer K extends keyof Kinds & string}[]`
  ? Kinds[K][]
  : S extends `${infer K extends keyof Kinds & string}?`
    ? Kinds[K] | undefined
    : S extends keyof Kinds
      ? Kinds[S]
      : never;

/** The types that specs ask for, by name. */
export type SpecTypes<Kinds, S> = { -readonly [N in keyof S]: SpecType<Kinds, S[N]> };

/** What a value is asked for as. */
export interface ParsedSpec<K = keyof TextKinds> {
  readonly kind: K;
  readonly count: '' | '?' | '[]';
}

/** Converts one value that was sent. @returns undefined for an input that was left empty, which counts as not sent. */
type ConvertOne<K, Sent> = (origin: Origin, name: string, kind: K, sent: Sent) => unknown;

/** The specs of some kinds, as they are written. */
export interface Specs<K extends string> {
  readonly parsed: ReadonlyMap<string, ParsedSpec<K>>;
  /** The kinds, for a message. */
  readonly words: string;
}

/** The specs of text. */
export const TEXT_SPECS: Specs<keyof TextKinds> = specsOf(['string', 'int', 'uint', 'float', 'bool']);

/** Every spec of some kinds. */
export function specsOf<K extends string>(kinds: readonly K[]): Specs<K> {
  const counts = ['', '?', '[]'] as const;
  const parsed = new Map(kinds.flatMap((kind) => counts.map((count) => [`${kind}${count}`, { kind, count }] as const)));
  return { parsed, words: `${kinds.slice(0, -1).join(', ')} or ${kinds.at(-1)}` };
}

/** Parses a spec, before anything is read. @throws TypeError (code `bad-option`) for an unknown one. */
export function parseSpec<K extends string>(origin: Origin, { parsed, words }: Specs<K>, name: string, spec: unknown): ParsedSpec<K> {
  const found = parsed.get(spec as string);
  if (found) return found;
  const written = typeof spec === 'string' ? JSON.stringify(spec) : kindOf(spec);
  throw badOption(subjectOf(origin), `${origin.one} "${name}" is asked for as ${written}, not as ${words}, with ? or [] behind`);
}

/**
 * Converts texts to what each was asked for as.
 *
 * @param sentAs Gives what was sent under a name.
 * @returns The values by name, in an object without a prototype.
 * @throws HttpError 400 as `convertValues` does, TypeError (code `bad-option`) for an unknown kind: of all of them, before anything is read.
 */
export function readKinds<S extends Readonly<Record<string, TextSpec>>>(
  origin: Origin,
  kinds: S,
  sentAs: (name: string, count: ParsedSpec['count']) => readonly string[],
): SpecTypes<TextKinds, S> {
  if (typeof kinds !== 'object' || kinds === null) {
    throw badOption(subjectOf(origin), `the ${origin.one}s are ${kindOf(kinds)}, not an object`);
  }
  const asked = Object.keys(kinds).map((name) => ({ name, spec: parseSpec(origin, TEXT_SPECS, name, kinds[name]) }));
  const values = Object.create(null) as Record<string, unknown>;
  for (const { name, spec } of asked) values[name] = convertValues(origin, name, spec, sentAs(name, spec.count), convertText);
  return values as SpecTypes<TextKinds, S>;
}

/**
 * Converts what was sent under one name to the kind that was asked for.
 *
 * @throws HttpError 400 when something is missing, wrong, or sent more than once.
 */
export function convertValues<K extends string, Sent>(
  origin: Origin,
  name: string,
  { kind, count }: ParsedSpec<K>,
  sent: readonly Sent[],
  convertOne: ConvertOne<K, Sent>,
): unknown {
  const values: unknown[] = [];
  for (const one of sent) {
    const value = convertOne(origin, name, kind, one);
    if (value !== undefined) values.push(value);
  }
  if (count === '[]') return values;
  if (values.length > 1) throw badValue(origin, name, `appears ${values.length} times`);
  if (values.length === 1) return values[0];
  if (count === '?') return undefined;
  if (kind === 'bool') return false; // a checkbox that is not checked is not sent
  throw badValue(origin, name, 'is missing', 'missing-field');
}

/** Converts one text. @returns undefined for an input that was left empty, which counts as not sent. An empty string is a string. */
export function convertText(origin: Origin, name: string, kind: keyof TextKinds, sent: string): string | number | boolean | undefined {
  if (kind === 'string') return sent;
  if (sent === '') return undefined;
  return kind === 'bool' ? toBool(origin, name, sent) : toNumber(origin, name, kind, sent);
}

/** What `<input type="number">` sends (WHATWG HTML §2.3.4). */
const NUMBERS = {
  int: { syntax: /^-?\d+$/, words: 'a whole number' },
  uint: { syntax: /^\d+$/, words: 'a whole number from 0 on' },
  float: { syntax: /^-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/, words: 'a number' },
} as const;

function toNumber(origin: Origin, name: string, kind: keyof typeof NUMBERS, text: string): number {
  const { syntax, words } = NUMBERS[kind];
  const value = syntax.test(text) ? Number(text) : Number.NaN;
  // A whole number that a double cannot hold would be rounded to another one.
  if (kind === 'float' ? Number.isFinite(value) : Number.isSafeInteger(value)) return value;
  throw badValue(origin, name, `is not ${words}`);
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

function toBool(origin: Origin, name: string, text: string): boolean {
  const value = BOOLEANS.get(text);
  if (value !== undefined) return value;
  throw badValue(origin, name, 'is not one of on, off, true, false, 1, 0');
}
