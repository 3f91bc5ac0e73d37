/**
 * An error that is an answer: what `read…` helpers and handlers throw when the client is at fault.
 *
 * @module
 */
export type { HttpErrorOptions } from './failure.ts';
export { HttpError } from './response.ts';
