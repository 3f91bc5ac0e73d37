/**
 * The access log: one line for each response.
 *
 * @module
 */
import { EventEmitter } from 'node:events';
import { badOption, checkOptions } from '../http/errors/bad-option.ts';
import { escaped } from '../http/escaped.ts';
import type { Request } from '../http/request.ts';
import type { Response } from '../http/response.ts';
import { checkResponse } from './finishing/finisher.ts';

/** Where lines go: process.stdout, a file stream, or anything with `write`. */
export interface LogOutput {
  write(line: string): unknown;
}

/** Options of `logAccess`. */
export interface LogAccessOptions {
  /** Default `process.stdout`. */
  output?: LogOutput | undefined;
  /** `common` (default): for people. `json`: for programs. A function returns the line, without its line end. */
  format?: 'common' | 'json' | ((request: Request, response: Response, ms: number) => string) | undefined;
}

const SUBJECT = 'Cannot log access';
const KNOWN: ReadonlySet<string> = new Set(['output', 'format']);
/** Bytes that may wait in a slow output. Beyond that, lines are dropped: a log that nobody reads must not fill the memory. */
const MAX_WAITING = 16 * 1024 * 1024;

/** Outputs that already have our `error` listener: a closed pipe must not end the server. */
const guarded = new WeakSet<LogOutput>();

/**
 * Logs a response and returns it.
 *
 * The time runs from when the whole request had arrived; a request made by hand has none. Whatever a client can choose is escaped, so that
 * no line of the log can be forged. An output that fails or is closed loses lines; a slow one does when more than 16 MiB of them wait.
 *
 * @param request The request that is answered.
 * @param response Its answer; only its head is looked at.
 * @throws TypeError (code `bad-option`) for a wrong option, and when `response` is none.
 * @example
 * startServer((request) => finish(request, answer, logAccess));
 */
export function logAccess(request: Request, response: Response, options: LogAccessOptions = {}): Response {
  checkResponse(SUBJECT, response);
  check(options);
  const { output = process.stdout, format = 'common' } = options;
  guard(output);
  const ms = performance.now() - request.readAt;
  const line =
    format === 'common'
      ? commonLine(request, response, ms)
      : format === 'json'
        ? jsonLine(request, response, ms)
        : format(request, response, ms);
  write(output, `${escaped(line)}\n`);
  return response;
}

function check(options: LogAccessOptions): void {
  checkOptions(SUBJECT, options, KNOWN);
  const { output, format } = options;
  if (output !== undefined && typeof (output as Partial<LogOutput> | null)?.write !== 'function') {
    throw badOption(SUBJECT, 'output lacks write');
  }
  if (format === undefined || format === 'common' || format === 'json' || typeof format === 'function') return;
  throw badOption(SUBJECT, `format is ${JSON.stringify(format)}, not "common", "json" or a function`);
}

/** A log that cannot be written is no reason to fail a request. */
function write(output: LogOutput, line: string): void {
  if (((output as { readonly writableLength?: number }).writableLength ?? 0) > MAX_WAITING) return;
  try {
    const result = output.write(line);
    if (result instanceof Promise) result.catch(() => {}); // of a FileHandle: an unhandled rejection would end the process
  } catch {
    // This cannot be reported: the log is where it would be.
  }
}

function commonLine(request: Request, response: Response, ms: number): string {
  const client = request.remoteAddress ?? '-';
  const time = Number.isNaN(ms) ? '-' : `${ms.toFixed(1)}ms`;
  return `${new Date().toISOString()} ${client} ${request.method} ${request.target} ${response.status} ${time}`;
}

function jsonLine(request: Request, response: Response, ms: number): string {
  return JSON.stringify({
    time: new Date().toISOString(),
    client: request.remoteAddress,
    method: request.method,
    target: request.target,
    route: request.route,
    status: response.status,
    ms: Number.isNaN(ms) ? undefined : Number(ms.toFixed(3)),
    userAgent: request.header('user-agent'),
  });
}

function guard(output: LogOutput): void {
  if (guarded.has(output)) return;
  guarded.add(output);
  if (output instanceof EventEmitter) output.on('error', () => {});
}
