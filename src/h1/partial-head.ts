/**
 * What can be read of a head that has been refused, or has come in part: for logs and for the page that explains the refusal.
 *
 * Nothing of it may decide how the connection goes on: it belongs to a message whose framing is in doubt.
 *
 * @module
 */
import { FieldLines } from '../http/field-lines.ts';
import { isToken } from '../http/grammar.ts';
import type { HeadLimits } from '../http/request/head-limits.ts';
import type { PartialHead } from '../http/request/head-rules.ts';
import { parseFields } from './parser.ts';

/** Reads what can be read. @param text Starts with the head, one character a byte. May go on behind it. */
export function readPartialHead(text: string, limits: HeadLimits): PartialHead {
  const lineFeed = text.indexOf('\n');
  const [method = '', target = '', ...rest] = text.slice(0, lineFeed === -1 ? text.length : lineFeed).split(' ', 3);
  const isMethod = isToken(method) && (target !== '' || rest.length > 0);
  if (!isMethod) return { method: undefined, target: undefined, lines: FieldLines.of([]) };
  return { method, target: rest.length > 0 && target !== '' ? target : undefined, lines: linesOf(text, lineFeed + 1, limits) };
}

function linesOf(text: string, start: number, limits: HeadLimits): FieldLines {
  const places: number[] = [];
  if (start === 0) return FieldLines.of([]); // the request line has no end yet
  try {
    parseFields(text, start, limits, places, undefined);
  } catch {
    // The lines before the fault are in `places`.
  }
  return new FieldLines(text, places);
}
