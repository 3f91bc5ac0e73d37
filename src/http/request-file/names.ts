/**
 * The names whose values are not shown.
 *
 * @module
 */
import { percentDecoded } from '../percent.ts';

/** What is written instead of a value. It is a value itself wherever it is written: in a field, a query, a form, and quoted in JSON. */
export const MASK = '***';

/** A name that means what it says: nearly all do, and there may be many. */
const PLAIN = /^[\w-]*$/;

/**
 * Whether a name of a query or a form is among them, also as the last part of a path: `user[password]`, `users[0][password]`, `user.password`.
 *
 * @param encoded As in a query: one character for each byte, percent-encoded or not.
 */
export function isNamed(names: ReadonlySet<string>, encoded: string): boolean {
  if (PLAIN.test(encoded)) return names.has(encoded.toLowerCase());
  const bytes = percentDecoded(Buffer.from(encoded.replaceAll('+', ' '), 'latin1'));
  return isNamedAs(names, bytes.toString('utf8'));
}

/** The same of a name that is decoded. */
export function isNamedAs(names: ReadonlySet<string>, name: string): boolean {
  const whole = name.trim().toLowerCase();
  if (names.has(whole)) return true;
  const last = whole.split(/[[\].]+/).findLast((part) => /\D/.test(part));
  return last !== undefined && names.has(last);
}
