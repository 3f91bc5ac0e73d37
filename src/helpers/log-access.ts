/**
 * The access log: one line for each response, when it has gone out.
 *
 * @module
 */
import { EventEmitter } from 'node:events';
import { badOption, checkOptions } from '../http/errors/bad-option.ts';
import { escaped } from '../http/escaped.ts';
import type { Request } from '../http/request.ts';
import type { Response } from '../http/response.ts';
import { type Sent, whenSent } from '../process/watching/sent.ts';
import { checkResponse } from './finishing/finisher.ts';
import { contextOf, type LogContext } from './logging/context.ts';
import { isGone } from './logging/gone.ts';

/** Where lines go: process.stdout, a file stream, or anything with `write`. */
export interface LogOutput {
  write(line: string): unknown;
}

/** Where entries go instead: a logger of pino, or one like it. */
export interface AccessLogger {
  info(entry: AccessEntry, message: string): unknown;
}

/** What is known of a request and its response. What is not known is left out. */
export interface AccessEntry extends LogContext {
  /** When it was written, as an ISO date. */
  readonly time: string;
  readonly client?: string;
  readonly method: string;
  /** As sent. */
  readonly target: string;
  /** The pattern that matched. */
  readonly route?: string;
  /** As the client got it. */
  readonly status?: number;
  /** Of the body, as sent. */
  readonly bytes?: number;
  /** From when the whole request had arrived until the last byte was given to the system, or the client was given up. */
  readonly ms?: number;
  /** The same, until the head of the response. */
  readonly firstByteMs?: number;
  readonly outcome: Sent['outcome'];
  readonly userAgent?: string;
}

/** Options of `logAccess`. */
export interface LogAccessOptions {
  /** Lines, to anything with `write`; or entries, to a logger with `info(entry, message)`, or to a function. Default `process.stdout`. */
  output?: LogOutput | AccessLogger | ((entry: AccessEntry) => unknown) | undefined;
  /**
   * Of lines. `common` (default): for people. `json`: for programs. A function returns the line, without its line end; `sent` says how the response went
   * out.
   */
  format?: 'common' | 'json' | ((request: Request, response: Response, ms: number, sent: Sent) => string) | undefined;
}

/** Writes what is to be told of a request. */
type Writer = (request: Request, response: Response, sent: Sent) => void;

const SUBJECT = 'Cannot log access';
const KNOWN: ReadonlySet<string> = new Set(['output', 'format']);
/** Bytes that may wait in a slow output. Beyond that, lines are dropped: a log that nobody reads must not fill the memory. */
const MAX_WAITING = 16 * 1024 * 1024;

/** Outputs that already have our `error` listener: a closed pipe must not end the server. */
const guarded = new WeakSet<LogOutput>();

/**
 * Logs a response when it has gone out, or will not, and returns it at once.
 *
 * The time runs from when the whole request had arrived until the last byte was given to the system. A request made by hand is sent to nobody: its line is
 * written at once, without times. Whatever a client can choose is escaped, so that no line of the log can be forged. An output that fails or is closed loses
 * lines; a slow one does when more than 16 MiB of them wait.
 *
 * @param request The request that is answered.
 * @param response Its answer; only its head is looked at.
 * @throws TypeError (code `bad-option`) for a wrong option, and when `response` is none. What a `format` or an `output` of yours throws is for `onError`,
 *   since the response is out.
 * @example
 * startServer((request) => finish(request, answer, logAccess));
 */
export function logAccess(request: Request, response: Response, options: LogAccessOptions = {}): Response {
  checkResponse(SUBJECT, response);
  const write = writerFor(options);
  const { original } = request;
  if (original.peer.server && !isGone(original)) whenSent(original, (sent) => write(request, response, sent));
  else write(request, response, unsent(response));
  return response;
}

/** What can be said of a response that nobody has sent. */
function unsent({ status }: Response): Sent {
  const { NaN: unknown } = Number;
  return { status, bytes: unknown, startedAt: unknown, firstByteAt: undefined, endedAt: unknown, outcome: 'sent' };
}

function writerFor(options: LogAccessOptions): Writer {
  checkOptions(SUBJECT, options, KNOWN);
  const { output = process.stdout, format } = options;
  const isLogger = isCallable((output as Partial<AccessLogger> | null)?.info);
  if (format !== undefined && (isLogger || typeof output === 'function')) throw badOption(SUBJECT, 'format is for an output with write');
  if (typeof output === 'function') return (request, _response, sent) => handled(output(entryOf(request, sent)));
  if (isLogger) return (request, _response, sent) => handled(toLogger(output as AccessLogger, request, sent));
  if (!isCallable((output as Partial<LogOutput> | null)?.write)) {
    throw badOption(SUBJECT, 'output is no function, and lacks write and info');
  }
  if (format !== undefined && format !== 'common' && format !== 'json' && typeof format !== 'function') {
    throw badOption(SUBJECT, `format is ${JSON.stringify(format)}, not "common", "json" or a function`);
  }
  guard(output as LogOutput);
  return (request, response, sent) => writeLine(output as LogOutput, lineOf(format, request, response, sent));
}

function isCallable(value: unknown): boolean {
  return typeof value === 'function';
}

function toLogger(logger: AccessLogger, request: Request, sent: Sent): unknown {
  return logger.info(entryOf(request, sent), escaped(`${request.method} ${request.target} ${sent.status ?? '-'}${ending(sent)}`));
}

/** A logger that rejects must not end the process. */
function handled(result: unknown): void {
  if (result instanceof Promise) result.catch(() => {});
}

/** A log that cannot be written is no reason to fail a request. */
function writeLine(output: LogOutput, line: string): void {
  if (((output as { readonly writableLength?: number }).writableLength ?? 0) > MAX_WAITING) return;
  try {
    handled(output.write(`${escaped(line)}\n`)); // of a FileHandle: an unhandled rejection would end the process
  } catch {
    // This cannot be reported: the log is where it would be.
  }
}

function lineOf(format: LogAccessOptions['format'], request: Request, response: Response, sent: Sent): string {
  if (format === 'json') return JSON.stringify(entryOf(request, sent));
  if (typeof format === 'function') return format(request, response, sent.endedAt - sent.startedAt, sent);
  return commonLine(request, sent);
}

function commonLine(request: Request, sent: Sent): string {
  const { status = '-', bytes, startedAt, endedAt } = sent;
  const ms = endedAt - startedAt;
  const time = Number.isNaN(ms) ? '-' : `${ms.toFixed(1)}ms`;
  const size = Number.isNaN(bytes) ? '-' : `${bytes}B`;
  const client = request.remoteAddress ?? '-';
  return `${new Date().toISOString()} ${client} ${request.method} ${request.target} ${status} ${time} ${size}${ending(sent)}`;
}

/** What is said of a response that did not go out whole. */
function ending({ outcome }: Sent): string {
  return outcome === 'sent' ? '' : ` ${outcome}`;
}

function entryOf(request: Request, { status, bytes, startedAt, firstByteAt = Number.NaN, endedAt, outcome }: Sent): AccessEntry {
  const { remoteAddress, method, target, route } = request;
  const userAgent = request.header('user-agent');
  return {
    time: new Date().toISOString(),
    ...(remoteAddress !== undefined && { client: remoteAddress }),
    method,
    target,
    ...(route !== undefined && { route }),
    ...(status !== undefined && { status }),
    ...(!Number.isNaN(bytes) && { bytes }),
    ...millis('ms', endedAt - startedAt),
    ...millis('firstByteMs', firstByteAt - startedAt),
    outcome,
    ...(userAgent !== undefined && { userAgent }),
    ...contextOf(request),
  };
}

function millis(name: 'ms' | 'firstByteMs', value: number): { readonly ms?: number; readonly firstByteMs?: number } {
  return Number.isNaN(value) ? {} : { [name]: Number(value.toFixed(3)) };
}

function guard(output: LogOutput): void {
  if (guarded.has(output)) return;
  guarded.add(output);
  if (output instanceof EventEmitter) output.on('error', () => {});
}
