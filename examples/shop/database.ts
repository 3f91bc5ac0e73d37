/** The functions of io/shop.ts as plain calls, and what their errors mean. */
import { createBlocking } from 'filrouge/blocking';
import type * as Shop from './io/shop.ts';

/** pg has no code for a connection that breaks, for the next query on it, and for one that its pool does not get in time. */
const CUT_OFF = /^Error: (?:Connection terminated|Client .* is not queryable$|timeout exceeded when trying to connect$)/;

export const shop = createBlocking<typeof Shop>(new URL('./io/shop.js', import.meta.url), { timeout: 5000 });

/** Whether a value that had to be unique is there already. */
export function isTaken(error: unknown): boolean {
  return codeOf(error) === '23505';
}

/** Whether the database cannot be reached: classes 08 and 57P are connections that are lost, or refused by a server that starts or stops. */
export function isAway(error: unknown): boolean {
  return /^(?:ECONN|EPIPE|ENOENT|08|57P|blocking-timeout$)/.test(codeOf(error)) || CUT_OFF.test(String(error));
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
