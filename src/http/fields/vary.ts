/**
 * The Vary field (RFC 9110 §12.5.5).
 *
 * @module
 */

/**
 * Adds the name of a request field on which a response depends.
 *
 * @param value All lines of Vary so far, joined by commas; undefined: none.
 * @param name As in `Origin`.
 * @returns The value, with the name in it once; `*` stays as it is, since it covers every name.
 */
export function serializeVary(value: string | undefined, name: string): string {
  if (value === undefined || value === '') return name;
  const wanted = name.toLowerCase();
  const isThere = value.split(',').some((one) => one.trim() === '*' || one.trim().toLowerCase() === wanted);
  return isThere ? value : `${value}, ${name}`;
}
