/**
 * Server-sent events: the text/event-stream format (WHATWG HTML §9.2).
 *
 * @module
 */

/** One event. */
export interface ServerSentEvent {
  /** May have several lines. */
  readonly data: string;
  /** Its type; default `message`. */
  readonly event?: string;
  /** What the browser sends back as Last-Event-ID when it reconnects. */
  readonly id?: string;
  /** How long the browser waits before it reconnects, milliseconds. */
  readonly retry?: number;
}

/** Serializes events, one piece each. */
export async function* serializeEvents(events: AsyncIterable<string | ServerSentEvent>): AsyncGenerator<string> {
  for await (const event of events) yield serializeEvent(typeof event === 'string' ? { data: event } : event);
}

function serializeEvent({ data, event, id, retry }: ServerSentEvent): string {
  let text = '';
  if (event !== undefined) text += `event: ${oneLine('event', event)}\n`;
  if (id !== undefined) text += `id: ${oneLine('id', id)}\n`;
  if (retry !== undefined) text += `retry: ${retry}\n`;
  for (const line of data.split(/\r\n|\r|\n/)) text += `data: ${line}\n`;
  return `${text}\n`;
}

function oneLine(name: string, value: string): string {
  if (/[\r\n\0]/.test(value)) throw new TypeError(`Cannot send event: its ${name} has more than one line`);
  return value;
}
