/**
 * Things that are kept in the memory of one process, and servers that are several: whoever comes second hears that the two do not go together.
 *
 * @module
 */
import { withCode } from './error-codes.ts';

let keeper: string | undefined;
let crowd: string | undefined;

/**
 * Says that something is kept in this process only.
 *
 * @param what For the message, with what to do instead.
 * @throws Error (code `bad-option`) when others serve beside this process.
 */
export function keepInOwnMemory(what: string): void {
  keeper ??= what;
  refuseBoth();
}

/**
 * Says that others serve beside this process.
 *
 * @param who For the message: `4 workers`.
 * @throws Error (code `bad-option`) when something is kept in this process only.
 */
export function serveBesideOthers(who: string): void {
  crowd ??= who;
  refuseBoth();
}

function refuseBoth(): void {
  if (keeper === undefined || crowd === undefined) return;
  throw withCode(new Error(`Cannot start server: ${crowd} serve, each with a memory of its own, and ${keeper}`), 'bad-option');
}
