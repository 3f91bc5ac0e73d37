/**
 * Entity tags: ETag, If-Match and If-None-Match (RFC 9110 §8.8.3, §13.1.1, §13.1.2).
 *
 * @module
 */

/** An entity tag. */
export interface EntityTag {
  /** `W/`: equivalent, not the same byte for byte. */
  readonly isWeak: boolean;
  /** The text between the quotes. */
  readonly opaque: string;
}

const ENTITY_TAG = /^(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"$/;
/** A member of a list. A tag may hold commas, and a backslash in it escapes nothing: it is not a quoted string (RFC 9110 §8.8.3). */
const MEMBER = /(?:^|,)[ \t]*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?=,|$)/g;

/**
 * Reads the value of ETag.
 *
 * @returns The tag, or `undefined` when the field is absent or malformed.
 */
export function parseEntityTag(value: string | undefined): EntityTag | undefined {
  const parts = value === undefined ? null : ENTITY_TAG.exec(value);
  return parts ? { isWeak: parts[1] !== undefined, opaque: parts[2] ?? '' } : undefined;
}

/**
 * Reads the list of If-Match or If-None-Match.
 *
 * @param value All lines of the field, joined by commas.
 * @returns `*` for any tag, otherwise the tags; malformed members are left out, so they match nothing.
 */
export function parseEntityTags(value: string): '*' | readonly EntityTag[] {
  if (/^[ \t]*\*[ \t]*$/.test(value)) return '*';
  return Array.from(value.matchAll(MEMBER), ([, weak, opaque = '']) => ({ isWeak: weak !== undefined, opaque }));
}

/** Strong comparison: the same text, and neither is weak (RFC 9110 §8.8.3.2). */
export function matchesStrongly(a: EntityTag, b: EntityTag): boolean {
  return !a.isWeak && !b.isWeak && a.opaque === b.opaque;
}

/** Weak comparison: the same text, weak or not (RFC 9110 §8.8.3.2). */
export function matchesWeakly(a: EntityTag, b: EntityTag): boolean {
  return a.opaque === b.opaque;
}
