/**
 * The channels of node:diagnostics_channel on which calls to the outside are watched: `tracing:filrouge.call:start` and its likes.
 *
 * A subscriber of `start` may push fields that the call takes along, so that a tracer can carry its context across without being known here.
 *
 * @module
 */
import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel';
import type { Around } from './request-channels.ts';

/** What comes on the channels of calls: one object for each call. */
export interface CallMessage {
  /**
   * `blocking`: a function in an I/O thread; `fetch`: `createFetch`; `proxy`; `cgi`. And `called`, in the I/O thread, around the function that was called there:
   * its `fields` are those that were pushed where it was called.
   */
  readonly kind: 'blocking' | 'called' | 'fetch' | 'proxy' | 'cgi';
  /** What is called: `database.find`, `fetch example.org`, the target of a proxy, the command of a script. */
  readonly name: string;
  /** For which request, as it came; undefined when that is not known. */
  readonly request: object | undefined;
  /** Of `fetch` and `proxy`. */
  readonly method?: string;
  /** Of `fetch` and `proxy`: the whole address. */
  readonly url?: string;
  /**
   * Goes with the call: as header fields with `fetch` and `proxy`, as HTTP_* variables with `cgi`, to the I/O thread with `blocking`.
   * They replace those of their names; undefined, with `proxy`, leaves out what the client has sent.
   */
  readonly fields: [name: string, value: string | undefined][];
  /** May be set by whoever hears of `start`: makes the call, in a context that no store can be bound to. */
  around?: Around;
  /** What has come of it: a Response with `proxy` and `cgi`. */
  result?: unknown;
  /** What it has failed with. */
  error?: unknown;
}

/** Around a call. */
export const callChannel: TracingChannel<CallMessage, CallMessage> = tracingChannel('filrouge.call');

/** Makes a call that somebody watches. @param call May give a promise: the call is over when that settles. */
export function traceCall<T>(message: CallMessage, call: () => T): T {
  const { end } = callChannel;
  return within(message, () => {
    try {
      const result = call();
      if (result instanceof Promise) {
        void result.then(succeeded(message), failed(message));
        return result;
      }
      message.result = result;
      return result;
    } catch (error) {
      tellFailure(message, error);
      throw error;
    } finally {
      end.publish(message);
    }
  });
}

/** The call has begun, and comes back later: its end is told by `endCall`. */
export function beginCall<T>(message: CallMessage, begin: () => T): T {
  const { end } = callChannel;
  return within(message, () => {
    try {
      return begin();
    } catch (error) {
      tellFailure(message, error);
      throw error;
    } finally {
      end.publish(message);
    }
  });
}

/** Tells of the beginning of a call, and makes it as whoever hears of it would have it. */
function within<T>(message: CallMessage, call: () => T): T {
  return callChannel.start.runStores(message, () => (message.around ? message.around(call) : call()));
}

/** The fields that go with a call. */
export function fieldsWith({ fields }: CallMessage): [name: string, value: string][] {
  return fields.filter((field): field is [string, string] => field[1] !== undefined);
}

/** What has come of a call that was begun. */
export function endCall(message: CallMessage, { error, result }: { readonly error?: unknown; readonly result?: unknown }): void {
  if (error === undefined) succeeded(message)(result);
  else failed(message)(error);
}

function succeeded(message: CallMessage): (result: unknown) => void {
  return (result) => {
    message.result = result;
    callChannel.asyncStart.publish(message);
    callChannel.asyncEnd.publish(message);
  };
}

function failed(message: CallMessage): (error: unknown) => void {
  return (error) => {
    tellFailure(message, error);
    callChannel.asyncStart.publish(message);
    callChannel.asyncEnd.publish(message);
  };
}

function tellFailure(message: CallMessage, error: unknown): void {
  message.error = error;
  callChannel.error.publish(message);
}
