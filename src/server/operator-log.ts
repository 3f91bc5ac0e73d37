/**
 * What an operator wants to know: one line for each event, on stderr, as text or as JSON.
 *
 * @module
 */
import { writeSync } from 'node:fs';
import { escaped } from '../http/escaped.ts';

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
  | 'thread-replaced'
  | 'draining'
  | 'drained';

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
export function log(event: OperatorEvent, message: string, fields: Readonly<Record<string, string | number>> = {}): void {
  if (format !== 'off') console.error(lineOf(event, message, fields));
}

/** The same from a thread whose main thread is stuck: console would hand the line over to the main thread. */
export function logAtOnce(event: OperatorEvent, message: string): void {
  if (format === 'off') return;
  try {
    writeSync(2, `${lineOf(event, message, {})}\n`);
  } catch {
    log(event, message); // the pipe is full: the line comes when it can
  }
}

function lineOf(event: OperatorEvent, message: string, fields: Readonly<Record<string, string | number>>): string {
  if (format === 'text') return `filrouge: ${message}`;
  return escaped(JSON.stringify({ time: new Date().toISOString(), source: 'filrouge', event, pid: process.pid, message, ...fields }));
}
