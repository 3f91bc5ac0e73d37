/**
 * Errors on standard error, where nobody else wants them: what could not be done, and the error with its stack and causes.
 *
 * A message may hold what a client has sent. Its control characters are escaped, and every line but the first is indented, so that none can
 * pass for a line of its own.
 *
 * @module
 */
import { escaped, escapedBlock, quoted } from '../http/escaped.ts';
import type { Request } from '../http/request.ts';
import { idOf } from '../process/requests/ids.ts';

/** Prints an error in serving a request, with the id of that request if it has one. */
export function printErrorOf(request: Request, error: unknown): void {
  const id = idOf(request.original);
  const what = `${escaped(request.method)} ${quoted(request.path)}`;
  printError(`Cannot serve ${what}${id === undefined ? '' : ` (request ${id})`}`, error);
}

/** Prints an error. @param subject What could not be done. */
export function printError(subject: string, error: unknown): void {
  console.error(escapedBlock(`${subject}: ${textOf(error)}`));
}

/** An error with its stack and causes; anything else that was thrown is named as what it is. */
export function textOf(error: unknown): string {
  if (error instanceof Error || Object.prototype.toString.call(error) === '[object Error]') return shown(error);
  if (error === undefined || error === null) return `${error} was thrown, not an Error`;
  const kind = typeof error;
  return `${kind === 'object' ? 'an' : 'a'} ${kind} was thrown, not an Error: ${shown(error)}`;
}

/**
 * What a value looks like. One that throws when it is looked at must not keep the request from being answered.
 *
 * `node:util` is fetched here: an import of it makes Node load much that few programs need.
 */
function shown(value: unknown): string {
  try {
    return process.getBuiltinModule('node:util').inspect(value);
  } catch {
    return `${typeof value} that cannot be shown`;
  }
}
