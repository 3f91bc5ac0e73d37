/**
 * Server-sent events: the text/event-stream format (WHATWG HTML §9.2).
 *
 * @module
 */

import { StreamContent } from './body/response-body.ts';
import { currentContext, dropReading, isSource, iteratorOf } from './body/stream-source.ts';
import { badOption, checkInteger, checkOptions, checkString, MAX_TIMER, ofWrongKind } from './errors/bad-option.ts';

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

/** Options of `Response.events`. */
export interface EventStreamOptions {
  /** A comment is sent whenever nothing else was for so many milliseconds, so that proxies do not take the connection for idle. 0: none. Default 15,000. */
  heartbeat?: number | undefined;
}

const HEARTBEAT = 15_000;
const COMMENT = ':\n\n';
const KNOWN: ReadonlySet<string> = new Set(['heartbeat']);

/** Events as the body of a response, which ends when the server stops. @throws TypeError or RangeError (code `bad-option`) for a wrong option, and for a source that is not an iterable. */
export function eventContent(events: AsyncIterable<string | ServerSentEvent>, options: EventStreamOptions = {}): StreamContent {
  if (!isSource(events)) {
    const subject = 'Cannot send events';
    if (typeof events === 'function') throw badOption(subject, 'the source is a function, not an iterable: call it');
    throw ofWrongKind(subject, 'the source', events, 'an iterable');
  }
  checkOptions('Cannot send events', options, KNOWN);
  const { heartbeat = HEARTBEAT } = options;
  checkInteger('Cannot send events', 'heartbeat', heartbeat, 0, MAX_TIMER, 'milliseconds');
  return new StreamContent(serialized(events), undefined, { every: heartbeat, piece: COMMENT }, currentContext());
}

/**
 * Serializes events, one piece each. An iterator rather than a generator: its `return` must not wait for a source that never answers.
 *
 * @throws TypeError or RangeError (code `bad-option`) for an event that the format cannot hold, and for one that says nothing.
 */
function serialized(events: AsyncIterable<string | ServerSentEvent>): AsyncIterableIterator<string> {
  let iterator: ReturnType<typeof iteratorOf<string | ServerSentEvent>> | undefined;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: async () => {
      iterator ??= iteratorOf(events);
      const step = await iterator.next();
      if (step.done) return { done: true, value: undefined };
      const event = step.value;
      return { done: false, value: serializeEvent(typeof event === 'string' ? { data: event } : event) };
    },
    return: () => {
      dropReading(events, iterator);
      return Promise.resolve({ done: true, value: undefined });
    },
  };
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
