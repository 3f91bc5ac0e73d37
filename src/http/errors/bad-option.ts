/**
 * The checks of options, and the one error that they throw: a mistake of the programmer's, named by its option.
 *
 * Each takes the `subject` first, what could not be done: `Cannot proxy`. All of them refuse undefined; an option with a default is checked with it.
 *
 * @module
 */
import { isRefusedPromise } from '../../process/refused-promise.ts';
import { withCode } from './error-codes.ts';

/** The longest time of a timer, ms: setTimeout fires at once for longer ones. */
export const MAX_TIMER: number = 2 ** 31 - 1;
/** Bytes. */
export const MiB: number = 1024 * 1024;

/** Options with their defaults filled in: undefined means the default, as if the option were not there. */
export type Filled<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> };

/**
 * Makes the error.
 *
 * @param why What is wrong, and what would be right.
 * @param kind RangeError for a number outside its bounds.
 */
export function badOption(
  subject: string,
  why: string,
  kind: typeof TypeError | typeof RangeError = TypeError,
): Error & { readonly code: string } {
  return withCode(new kind(`${subject}: ${why}`), 'bad-option');
}

/**
 * Refuses what is not an object, and names that are not known: a typo would be a silent default.
 *
 * It runs for each request in some helpers, and takes 30 ns. To remember the objects that have passed would cost 250 ns for each new one, and most are
 * written where they are used: new for each request.
 *
 * @param role What the object is, in the message.
 */
export function checkOptions(subject: string, options: unknown, known: ReadonlySet<string>, role = 'options'): void {
  if (typeof options !== 'object' || options === null) throw badOption(subject, `${role} is ${kindOf(options)}, not an object`);
  for (const name in options) {
    if (!known.has(name)) throw badOption(subject, `unknown option "${name}"${suggestion(name, known)}`);
  }
}

/** The name that was meant, if one is near: another case, or up to two letters, and half of them, that are wrong, missing or too many. */
function suggestion(name: string, known: ReadonlySet<string>): string {
  let nearest = '';
  let least = Math.min(2, name.length / 2);
  for (const other of known) {
    const away = distance(name.toLowerCase(), other.toLowerCase());
    if (away > least) continue;
    nearest = `: did you mean "${other}"?`;
    least = away - 1; // of two that are as near, the first
  }
  return nearest;
}

/** The number of letters to change, add or drop to make one word of the other (Levenshtein); 3 where the lengths say that it is more. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}

/**
 * Checks a whole number.
 *
 * @param most Infinity: there is no bound, and Infinity itself will do.
 * @param unit What is counted, as in `seconds`.
 */
export function checkInteger(subject: string, name: string, value: unknown, least: number, most: number, unit?: string): void {
  checkNumber(subject, name, value, least, most, unit, 'whole number');
}

/** Checks a number that may have a fraction. @param most Infinity: there is no bound, and Infinity itself will do. */
export function checkNumber(
  subject: string,
  name: string,
  value: unknown,
  least: number,
  most: number,
  unit?: string,
  sort: 'number' | 'whole number' = 'number',
): void {
  if (typeof value !== 'number') {
    const isNumeric = typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)); // as all of the environment is
    throw ofWrongKind(subject, name, value, 'a number', isNumeric ? ': write Number(…)' : '');
  }
  const isOfSort = sort === 'number' || Number.isInteger(value) || value === Number.POSITIVE_INFINITY;
  if (isOfSort && value >= least && value <= most) return;
  const bounds = most >= Number.MAX_SAFE_INTEGER ? `from ${least} on` : `from ${least} to ${most}`;
  throw badOption(subject, `${name} is ${value}, not a ${sort}${unit === undefined ? '' : ` of ${unit}`} ${bounds}`, RangeError);
}

/** Checks a switch. */
export function checkBoolean(subject: string, name: string, value: unknown): void {
  if (typeof value !== 'boolean') throw ofWrongKind(subject, name, value, 'a boolean');
}

/** Checks a function; what it takes and returns cannot be seen. */
export function checkFunction(subject: string, name: string, value: unknown): void {
  if (typeof value !== 'function') throw ofWrongKind(subject, name, value, 'a function');
}

/** Checks a text, which may be empty. */
export function checkString(subject: string, name: string, value: unknown): void {
  if (typeof value !== 'string') throw ofWrongKind(subject, name, value, 'a string');
}

/** Checks a text for the system, such as a path: not empty, and without NUL, which would end it. */
export function checkSystemString(subject: string, name: string, value: unknown): void {
  checkString(subject, name, value);
  if (value === '') throw badOption(subject, `${name} is empty`);
  if ((value as string).includes('\0')) throw badOption(subject, `${name} holds NUL`);
}

/**
 * Makes the error for a value of another kind.
 *
 * @param wanted As in `a string`.
 * @param advice What to do, from its colon on; promises are to be awaited, whatever it says.
 */
export function ofWrongKind(subject: string, name: string, value: unknown, wanted: string, advice = ''): Error & { readonly code: string } {
  return badOption(subject, `${name} is ${kindOf(value)}, not ${wanted}${adviceFor(value, advice)}`);
}

/** What sort of value it is, in the message that refuses it: a promise is then handled. */
export function kindOf(value: unknown): string {
  if (isRefusedPromise(value)) return 'a promise';
  return value === null ? 'null' : typeof value;
}

/** What to do about a value of another kind, from its colon on. */
export function adviceFor(value: unknown, otherwise = ''): string {
  return value instanceof Promise ? ': await it first' : otherwise;
}
