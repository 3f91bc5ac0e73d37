/**
 * Errors on their way between threads, and those that a call itself can end with.
 *
 * @module
 */
import type { WireError } from './wire.ts';

/** How deep causes are followed. */
const MAX_DEPTH = 8;

/** Errors that are made again by a class of the language. */
const CLASSES: Readonly<Record<string, new (message: string) => Error>> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/** Why a call has not come to its end; docs/errors.md says what follows. */
export type CallCode =
  | 'blocking-timeout'
  | 'blocking-aborted'
  | 'blocking-thread-died'
  | 'blocking-not-loaded'
  | 'blocking-misused'
  | 'fetch-bad-json'
  | 'fetch-schema-mismatch';

/** An error of the call itself, thrown at the line of the caller. @param above The function whose caller that is. @param made When its class matters. */
export function callError(code: CallCode, message: string, above: (...args: never[]) => unknown, made: Error = new Error(message)): Error {
  const error = Object.assign(made, { code }); // by hand: this folder knows no table
  Error.captureStackTrace(error, above);
  return error;
}

/** Takes an error apart, so that it can travel. */
export function errorToWire(thrown: unknown, depth = 0): WireError {
  if (!(thrown instanceof Error)) {
    const value = isCloneable(thrown) ? thrown : String(thrown);
    return { name: 'Error', message: String(thrown), stack: '', fields: {}, cause: undefined, errors: undefined, thrown: value };
  }
  const fields: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(thrown)) {
    if (key !== 'cause' && key !== 'errors' && isCloneable(value)) fields[key] = value;
  }
  if (thrown instanceof DOMException) fields['code'] = thrown.code; // an accessor of its class
  const isDeep = depth >= MAX_DEPTH;
  const { errors } = thrown as { readonly errors?: unknown };
  return {
    name: thrown.name,
    message: thrown.message,
    stack: thrown.stack ?? '',
    fields,
    cause: thrown.cause === undefined || isDeep ? undefined : errorToWire(thrown.cause, depth + 1),
    errors: Array.isArray(errors) && !isDeep ? errors.map((error: unknown) => errorToWire(error, depth + 1)) : undefined,
    thrown: undefined,
  };
}

/**
 * Makes what was thrown again.
 *
 * @param above The function whose caller is to stand first in the stack; undefined for the stack of the I/O thread alone.
 * @param where In the stack, between the two: `in the I/O thread of database.person`.
 */
export function errorOfWire(wire: WireError, above?: (...args: never[]) => unknown, where = ''): unknown {
  if (wire.thrown !== undefined) return wire.thrown;
  const { name, message, errors } = wire;
  const error = errors
    ? new AggregateError(
        errors.map((one) => errorOfWire(one)),
        message,
      )
    : new (CLASSES[name] ?? Error)(message);
  if (error.name !== name) Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true });
  Object.assign(error, wire.fields);
  if (wire.cause) Object.defineProperty(error, 'cause', { value: errorOfWire(wire.cause), configurable: true, writable: true });
  let stack = wire.stack;
  if (above) {
    Error.captureStackTrace(error, above);
    const there = wire.stack.startsWith(name) || wire.stack.includes('\n') ? wire.stack.slice(wire.stack.indexOf('\n    at') + 1) : '';
    stack = `${error.stack ?? ''}\n    ${where}${there === '' ? '' : `\n${there}`}`;
  }
  Object.defineProperty(error, 'stack', { value: stack, configurable: true, writable: true });
  return error;
}

function isCloneable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'function' && typeof value !== 'symbol';
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}
