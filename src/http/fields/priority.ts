/**
 * Priority (RFC 9218 §4): how soon a client wants a response, and whether it can use it in parts.
 *
 * @module
 */
import { trimWhitespace } from '../grammar.ts';

/** How soon, and how. */
export interface Priority {
  /** 0 is most urgent, 7 is least. */
  readonly urgency: number;
  /** Whether the client can use the response while it arrives, so that several share the connection. */
  readonly isIncremental: boolean;
}

/** What holds for a parameter that is not there (RFC 9218 §4.1, §4.2). */
export const DEFAULT_PRIORITY: Priority = { urgency: 3, isIncremental: false };

/**
 * What we do with requests that have no such field: they share the connection. The defaults would have a large response hold up all that come after it,
 * those of other people too where a balancer has put them on one connection; RFC 9218 §10 leaves the choice to us.
 */
export const NO_PRIORITY: Priority = { urgency: 3, isIncremental: true };

/**
 * Reads the field.
 *
 * What is unknown or out of range is ignored, so that later parameters do no harm (RFC 9218 §4). Of a parameter that comes twice the last one
 * counts, as in every dictionary (RFC 8941 §3.2).
 *
 * @param value Its lines, joined with commas.
 */
export function parsePriority(value: string): Priority {
  if (value === '') return DEFAULT_PRIORITY;
  let { urgency, isIncremental } = DEFAULT_PRIORITY;
  for (const member of value.split(',')) {
    const [item = ''] = trimWhitespace(member).split(';', 1); // parameters of a parameter mean nothing
    const level = /^u=(\d)$/.exec(item)?.[1];
    if (level !== undefined && Number(level) <= 7) urgency = Number(level);
    else if (item === 'i' || item === 'i=?1') isIncremental = true;
    else if (item === 'i=?0') isIncremental = false;
  }
  return { urgency, isIncremental };
}
