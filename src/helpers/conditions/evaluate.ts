/**
 * The conditions of a request: If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since, If-Range (RFC 9110 §13).
 *
 * @module
 */
import { parseDate } from '../../http/date.ts';
import { type EntityTag, matchesStrongly, matchesWeakly, parseEntityTag, parseEntityTags } from '../../http/fields/etag.ts';
import type { Request } from '../../http/request.ts';
import type { Response } from '../../http/response.ts';

/** A date is a strong validator when it lies this far back, ms (RFC 9110 §8.8.2.2): anything written later has a later one. */
const STRONG_AGE = 1000;

/**
 * The representation that the conditions are about, as described by its response. Read only when a condition asks: most requests have none.
 */
export class Representation {
  readonly #response: Response;
  readonly #now: number;

  /** @param now Milliseconds since 1970. */
  constructor(response: Response, now: number) {
    this.#response = response;
    this.#now = now;
  }

  /** A 201 says that there was none, and that the validators are those of the new one. */
  get exists(): boolean {
    return this.#response.status !== 201;
  }

  get etag(): EntityTag | undefined {
    return this.exists ? parseEntityTag(this.#response.header('etag')) : undefined;
  }

  get lastModified(): Date | undefined {
    return this.exists ? parseDate(this.#response.header('last-modified') ?? '', this.#now) : undefined;
  }

  isIn(list: string, matches: (a: EntityTag, b: EntityTag) => boolean): boolean {
    const tags = parseEntityTags(list);
    if (tags === '*') return this.exists;
    const own = this.etag;
    return own !== undefined && tags.some((tag) => matches(tag, own));
  }
}

/**
 * Evaluates the conditions in the order of RFC 9110 §13.2.2.
 *
 * @param now Milliseconds since 1970.
 * @returns 304, 412, or undefined when the request is to be answered as if it had no condition.
 */
export function evaluateConditions(request: Request, current: Representation, now: number): 304 | 412 | undefined {
  const isRead = request.method === 'GET' || request.method === 'HEAD';

  const ifMatch = listOf(request, 'if-match');
  const unmodifiedSince = dateOf(request, 'if-unmodified-since', now);
  if (ifMatch !== undefined) {
    if (!current.isIn(ifMatch, matchesStrongly)) return 412;
  } else if (unmodifiedSince && isAfter(current.lastModified, unmodifiedSince)) return 412;

  const ifNoneMatch = listOf(request, 'if-none-match');
  if (ifNoneMatch !== undefined) {
    if (!current.isIn(ifNoneMatch, matchesWeakly)) return undefined;
    return isRead ? 304 : 412;
  }
  const modifiedSince = isRead ? dateOf(request, 'if-modified-since', now) : undefined;
  return modifiedSince && isAfter(current.lastModified, modifiedSince) === false ? 304 : undefined;
}

/**
 * Whether a part may be sent, or If-Range wants all of another version (RFC 9110 §13.1.5): an ETag must be the same and strong; a date must be exactly
 * that of Last-Modified, and old enough to be strong.
 *
 * @param now Milliseconds since 1970.
 */
export function allowsRange(request: Request, current: Representation, now: number): boolean {
  const [value, second] = request.headerAll('if-range');
  if (value === undefined) return true;
  if (second !== undefined) return false;
  const tag = parseEntityTag(value);
  const { etag } = current;
  if (tag) return etag !== undefined && matchesStrongly(tag, etag);
  const date = parseDate(value, now)?.getTime();
  return date !== undefined && date === current.lastModified?.getTime() && now - date >= STRONG_AGE;
}

/** @returns Undefined when there is no date to compare: then neither condition applies. */
function isAfter(date: Date | undefined, other: Date): boolean | undefined {
  return date && date > other;
}

function listOf(request: Request, name: string): string | undefined {
  const lines = request.headerAll(name);
  return lines.length > 1 ? lines.join(',') : lines[0];
}

/** A field that is not a date, or appears twice, is ignored (RFC 9110 §13.1.3, §13.1.4). */
function dateOf(request: Request, name: string, now: number): Date | undefined {
  const lines = request.headerAll(name);
  return lines.length === 1 ? parseDate(lines[0] ?? '', now) : undefined;
}
