/**
 * The channels of node:diagnostics_channel on which requests are watched from outside, and the one message that each request has.
 *
 * What is said on them is in `exchange/channels.ts`; the route becomes known below that.
 *
 * @module
 */
import { type Channel, channel, type TracingChannel, tracingChannel } from 'node:diagnostics_channel';
import { NoteOf } from './notes.ts';

/** Makes a call, and returns what it returns. */
export type Around = <T>(call: () => T) => T;

/** Around the call of a handler. */
export const requestChannel: TracingChannel<unknown, object> = tracingChannel('filrouge.request');
/** A pattern has matched. */
export const routeChannel: Channel = channel('filrouge.request:route');
/** The response is known. */
export const responseChannel: Channel = channel('filrouge.request:response');
/** The response has gone out. */
export const sentChannel: Channel = channel('filrouge.request:sent');

/** By the request as it came, not a cut of it. */
const messages = new NoteOf<object>('message');

/** The message of a request; undefined when nobody watches it. */
export function messageOf(request: object): object | undefined {
  return messages.get(request);
}

/** Gives a request its message. */
export function setMessage(request: object, message: object): void {
  messages.set(request, message);
}

/** Says that a pattern has matched, to those who watch. */
export function tellRoute(request: object): void {
  const message = messages.get(request);
  if (message) routeChannel.publish(message);
}
