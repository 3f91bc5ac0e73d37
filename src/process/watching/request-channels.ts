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
export const requestChannel: TracingChannel<object, object> = tracingChannel('filrouge.request');
/** A pattern has matched. */
export const routeChannel: Channel = channel('filrouge.request:route');
/** The response is known. */
export const responseChannel: Channel = channel('filrouge.request:response');
/** The response has gone out. */
export const sentChannel: Channel = channel('filrouge.request:sent');

/** All of them. */
const CHANNELS: readonly Channel[] = [
  requestChannel.start,
  requestChannel.end,
  requestChannel.asyncStart,
  requestChannel.asyncEnd,
  requestChannel.error,
  routeChannel,
  responseChannel,
  sentChannel,
];
/** What changes who listens on a channel. */
const CHANGES = ['subscribe', 'unsubscribe', 'bindStore', 'unbindStore'] as const;
let areWatched = false;

/** Whether anybody watches requests. Each request asks, so the channels are asked only when somebody has come or gone. */
export function areRequestsWatched(): boolean {
  return areWatched;
}

function lookWhoWatches(): void {
  areWatched = CHANNELS.some((each) => each.hasSubscribers);
}

/** Looks again whenever somebody comes or goes. Node has no event for that, and whoever subscribes by name calls the methods of this same object. */
function keepLooking(watched: Channel): void {
  for (const name of CHANGES) {
    const others: unknown = Object.getOwnPropertyDescriptor(watched, name)?.value; // a second copy of this module has looked first
    const value = (...args: unknown[]): unknown => {
      const change: unknown = others ?? Reflect.get(Object.getPrototypeOf(watched) as object, name); // of an inactive channel, or of an active one
      const result: unknown = Reflect.apply(change as () => unknown, watched, args);
      lookWhoWatches();
      return result;
    };
    Object.defineProperty(watched, name, { value, writable: true, configurable: true });
  }
}

for (const each of CHANNELS) keepLooking(each);
lookWhoWatches(); // somebody may have come before

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
