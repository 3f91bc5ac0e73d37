/**
 * Server-sent events: the text/event-stream format (WHATWG HTML §9.2).
 *
 * @module
 */

import { badOption, checkInteger, checkString } from './errors/bad-option.ts';

const SUBJECT = 'Cannot send event';

/** One event, or what goes without one: an id, a retry or a comment may stand alone. */
export interface ServerSentEvent {
  /** May have several lines. */
  readonly data?: string | undefined;
  /** Its type; default `message`. Only with data: browsers drop an event without. */
  readonly event?: string | undefined;
  /** What the browser sends back as Last-Event-ID when it reconnects. */
  readonly id?: string | undefined;
  /** How long the browser waits before it reconnects, whole milliseconds. */
  readonly retry?: number | undefined;
  /** One line that browsers read over: it keeps proxies from taking the connection for idle. */
  readonly comment?: string | undefined;
}

/**
 * Serializes events, one piece each.
 *
 * @throws TypeError or RangeError (code `bad-option`) for an event that the format cannot hold, and for one that says nothing.
 */
export async function* serializeEvents(events: AsyncIterable<string | ServerSentEvent>): AsyncGenerator<string> {
  for await (const event of events) yield serializeEvent(typeof event === 'string' ? { data: event } : event);
}

function serializeEvent(given: ServerSentEvent): string {
  if (typeof given !== 'object' || given === null) throw badOption(SUBJECT, `it is ${String(given)}, neither text nor an object`);
  const { data, event, id, retry, comment } = given;
  if (data === undefined && event !== undefined) throw badOption(SUBJECT, 'its data is missing: browsers drop a named event without data');
  let text = '';
  if (comment !== undefined) text += `: ${oneLine('comment', comment)}\n`;
  if (event !== undefined) text += `event: ${oneLine('event', event)}\n`;
  if (id !== undefined) text += `id: ${oneLine('id', id)}\n`;
  if (retry !== undefined) {
    checkInteger(SUBJECT, 'retry', retry, 0, Number.MAX_SAFE_INTEGER, 'milliseconds');
    text += `retry: ${retry}\n`;
  }
  if (data !== undefined) {
    checkString(SUBJECT, 'data', data);
    for (const line of data.split(/\r\n|\r|\n/)) text += `data: ${line}\n`;
  }
  if (text === '') throw badOption(SUBJECT, 'it has no data, id, retry or comment');
  return `${text}\n`;
}

function oneLine(name: string, value: string): string {
  checkString(SUBJECT, name, value);
  if (/[\r\n\0]/.test(value)) throw badOption(SUBJECT, `its ${name} has more than one line`);
  return value;
}
