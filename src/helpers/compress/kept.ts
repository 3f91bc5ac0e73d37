/**
 * A cache of the compressed forms of responses that are sent again and again: constants of a module, or pages in your own cache.
 *
 * A form lives as long as the Response it was made of, and is smaller: together they take less than four times the memory of what you keep yourself. A Response
 * seen for the first time gets none, since most are never seen again. Only text is kept: bytes can be written to at any time.
 *
 * @module
 */
import type { Response } from '../../http/response.ts';

/** Longest text whose forms are kept, characters. */
const LONGEST = 1024 * 1024;
const NONE: ReadonlyMap<string, Response> = new Map();

const seen = new WeakMap<Response, ReadonlyMap<string, Response>>();

/**
 * The form of a response that was kept.
 *
 * @param form The coding and the level.
 */
export function keptForm(response: Response, form: string): Response | undefined {
  return seen.get(response)?.get(form);
}

/** Whether a form of this Response is worth keeping: it has come before. */
export function isWorthKeeping(response: Response): boolean {
  if (typeof response.content !== 'string' || response.content.length > LONGEST) return false;
  if (seen.has(response)) return true;
  seen.set(response, NONE);
  return false;
}

/** Keeps a form. */
export function keepForm(response: Response, form: string, made: Response): void {
  seen.set(response, new Map(seen.get(response)).set(form, made));
}
