/**
 * What an operator wants to know: one line for each event, on stderr, as text or as JSON.
 *
 * @module
 */
import { writeSync } from 'node:fs';
import { escaped, escapedBlock, quoted } from '../http/escaped.ts';
import type { Request } from '../http/request.ts';
import { mark } from './seen/marks.ts';

/** How events are written. */
export type LogFormat = 'text' | 'json' | 'off';

/** What happened; docs/operations.md says what each event means. */
export type OperatorEvent =
  | 'started'
  | 'ready'
  | 'replaced'
  | 'start-failed'
  | 'gave-up'
  | 'reloaded'
  | 'reload-failed'
  | 'recycled'
  | 'recycling-failed'
  | 'slow'
  | 'timed-out'
  | 'stuck'
  | 'unwatched'
  | 'thread-replaced'
  | 'refused'
  | 'not-recorded'
  | 'handshake-failed'
  | 'accept-failed'
  | 'certificate-changed'
  | 'certificate-kept'
  | 'certificate-expired'
  | 'draining'
  | 'drained';

/** What serves: see `ResolvedOptions`. */
interface Serving {
  readonly workers: number;
  readonly threads: { readonly min: number; readonly max: number };
}

/** Fields of an event, for a program that reads the JSON. */
export type EventFields = Readonly<Record<string, string | number>>;

/** Minimum time between two lines of one kind that clients can cause, ms: a flood of requests must not become a flood of lines. */
const SPARSE_INTERVAL = 10_000;

let format: LogFormat = 'text';

/**
 * Sets how this process, or this thread, writes its events from now on.
 *
 * The reader of stderr may go away: errors and events are then lost, but that must not end the server.
 */
export function logAs(wanted: LogFormat): void {
  format = wanted;
  if (!process.stderr.listeners('error').includes(ignore)) process.stderr.on('error', ignore);
}

function ignore(): void {}

/**
 * Writes the line of an event.
 *
 * @param fields What a program that reads the JSON may want apart from the message.
 */
export function log(event: OperatorEvent, message: string, fields: EventFields = {}): void {
  mark(event, message);
  if (format !== 'off') console.error(lineOf(event, message, fields));
}

/** Writes it where a program reads the lines, and people have enough with another one. */
export function logForPrograms(event: OperatorEvent, message: string, fields: EventFields): void {
  if (format === 'json') log(event, message, fields);
}

/** Tells of a request whose promise has not settled in time. @param ms For how long its handler has had it. */
export function logTimedOut({ method, path }: Request, ms: number): void {
  const taken = Math.round(ms);
  log('timed-out', `${method} ${quoted(path)} has taken ${taken} ms: its promise has not settled; answered 503`, {
    method,
    path,
    ms: taken,
  });
}

/** Tells where a server listens, and what serves there: processes, threads, and that none of them sees what another keeps in memory. */
export function logStarted(url: string, { workers, threads: { min, max } }: Serving): void {
  const several = [
    ...(workers > 0 ? [counted(workers, 'worker')] : []),
    ...(max > 0 ? [`${min < max ? `${min} to ` : ''}${counted(max, 'thread')}${workers > 1 ? ' in each' : ''}`] : []),
  ];
  const what = several.length === 0 ? '' : ` with ${several.join(' and ')}`;
  const apart =
    Math.max(workers, 1) * Math.max(max, 1) > 1 ? `, each with a memory of its own (docs/server.md, "A memory of its own")` : '';
  log('started', `serving on ${url}${what}${apart}`, { url, workers, threads: max });
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** Writes a line as `log` does from a thread whose main thread is stuck: console would hand the line over to the main thread. */
export function logAtOnce(event: OperatorEvent, message: string): void {
  if (format === 'off') return;
  try {
    writeSync(2, `${lineOf(event, message, {})}\n`);
  } catch {
    log(event, message); // the pipe is full: the line comes when it can
  }
}

/**
 * Writes lines about what clients can cause as often as they like: the first of a kind at once, and then at most one in each span of
 * `SPARSE_INTERVAL`, which says how many were left out since the last.
 */
export class SparseLog {
  readonly #kinds: Map<string, { at: number; omitted: number }> = new Map();

  /**
   * Writes the line of an event, or counts it.
   *
   * @param kind What the bound is kept for. There must be few: none is forgotten.
   */
  log(event: OperatorEvent, kind: string, message: string, fields: EventFields = {}): void {
    const omitted = this.admit(kind);
    if (omitted === 0) log(event, message, fields);
    else if (omitted !== undefined) log(event, `${message}; ${omitted} more like this since the last line`, { ...fields, omitted });
  }

  /** Whether there may be one more of a kind now. @returns How many were left out since the last one; undefined: this one is, too. */
  admit(kind: string): number | undefined {
    const now = performance.now();
    const last = this.#kinds.get(kind);
    if (last && now - last.at < SPARSE_INTERVAL) {
      last.omitted++;
      return undefined;
    }
    this.#kinds.set(kind, { at: now, omitted: 0 });
    return last?.omitted ?? 0;
  }
}

/** Errors that say all there is to say. */
const plain = new WeakSet<object>();

/**
 * Has an error printed as its message alone should it end the process: Node's own account, with the stack of the way here, helps nobody
 * whose port is in use. Nothing changes for an error that is caught, nor where the program listens for uncaught errors itself.
 */
export function withoutStack<E extends Error>(error: E): E {
  plain.add(error);
  if (!process.listeners('uncaughtExceptionMonitor').includes(endPlainly)) process.on('uncaughtExceptionMonitor', endPlainly);
  return error;
}

/** Whether an error was given to `withoutStack`. */
export function isPlain(error: unknown): error is Error {
  return plain.has(error as object);
}

function endPlainly(error: unknown): void {
  if (!isPlain(error) || process.listenerCount('uncaughtException') > 0) return;
  console.error(error.message);
  process.exit(1);
}

function lineOf(event: OperatorEvent, message: string, fields: EventFields): string {
  if (format === 'text') return escapedBlock(`filrouge: ${message}`);
  return escaped(JSON.stringify({ time: new Date().toISOString(), source: 'filrouge', event, pid: process.pid, message, ...fields }));
}
