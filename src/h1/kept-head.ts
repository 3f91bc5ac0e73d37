/**
 * What a connection keeps of its last head, to know it again: clients repeat themselves (docs/decisions/0009-repetition.md).
 *
 * Nothing is believed because of where it comes from: the whole text is compared, and what follows it is read anew.
 *
 * @module
 */
import type { HeadLimits } from '../http/request/head-limits.ts';
import { copyOf, type HeaderSection, type ParsedHead, parseHead, parseSection } from './parser.ts';

/** Longest section, or head, that a connection keeps: about four times that of a browser. */
const MAX_KEPT = 4096;

/**
 * The section of a head in a form that `parseHead` knows again. Clients send the same one with each request of a connection, but for what
 * goes with a body; to compare it takes 40 ns, to parse the 800 characters of a browser 2 µs, measured.
 *
 * @returns `undefined` when it is too long to be held by each connection.
 */
export function keptSection(text: string, { section, end }: ParsedHead, limits: HeadLimits): HeaderSection | undefined {
  if (section.length > MAX_KEPT) return undefined;
  const copy = copyOf(text.slice(end - section.length, end));
  const parsed = parseSection(copy, 0, limits); // again, since the places are other ones
  return parsed && { ...parsed, text: copy };
}

/** A head with its text, of which it holds nothing else. */
export interface KeptHead {
  readonly text: string;
  readonly head: ParsedHead;
}

/**
 * A head in a form that is known again without looking at its parts: a client that polls or pipelines asks for the same thing again.
 *
 * @param start Where it begins in the text.
 * @returns `undefined` when it is too long to be held by each connection.
 */
export function keptHead(text: string, start: number, { section, end }: ParsedHead, limits: HeadLimits): KeptHead | undefined {
  if (end - start > MAX_KEPT) return undefined;
  const copy = copyOf(text.slice(start, end));
  const head = parseHead(copy, 0, limits, section); // again, since the first holds on to all that it was cut from
  return head && { text: copy, head };
}
