/**
 * Forms of type application/x-www-form-urlencoded (WHATWG URL §5).
 *
 * @module
 */
import type { Request } from '../../http/request.ts';
import { tooLarge } from './form-error.ts';
import { type CheckedLimits, checkName, TextBudget } from './limits.ts';

/** A field of text. */
export interface TextPart {
  readonly name: string;
  readonly value: string;
}

/**
 * Reads the fields in order.
 *
 * @throws HttpError 400 when the body is not valid UTF-8, 413 beyond the limits.
 */
export function readUrlencoded(request: Request, limits: CheckedLimits): TextPart[] {
  const text = request.body.text(limits.text);
  if (hasMoreFields(text, limits.fields)) throw tooLarge(`it has more than ${limits.fields} fields`);
  const budget = new TextBudget(limits);
  return Array.from(new URLSearchParams(text), ([name, value]) => {
    checkName(name);
    budget.take(name, value);
    return { name, value };
  });
}

/** Counts before anything is made of them: 10 MiB of `&a` would be five million fields. */
function hasMoreFields(text: string, limit: number): boolean {
  let count = 0;
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('&', start);
    if (end !== start && ++count > limit) return true;
    if (end === -1) return false;
    start = end + 1;
  }
  return false;
}
