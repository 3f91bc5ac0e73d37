/**
 * The two ways to read a channel: a function that is called, and an iterator.
 *
 * @module
 */
import { isThenable } from '../../http/awaitable.ts';
import { withCode } from '../../http/errors/error-codes.ts';
import type { Hub, Parcel } from '../../process/channels/hub.ts';
import { decode } from './codec.ts';
import { Mailbox } from './mailbox.ts';
import type { ResolvedReading } from './options.ts';

/** A function that is called with each message. */
export interface Subscription {
  /** How many messages it has missed, because it was too slow or something between was. */
  readonly dropped: number;
  /** Ends it: the function is not called again. */
  unsubscribe(): void;
  /** The same, for `using`. */
  [Symbol.dispose](): void;
}

/** The messages of a channel, as they come. */
export interface Messages<T> extends AsyncIterableIterator<T> {
  /** How many messages were missed, because the reader was too slow or something between was. */
  readonly dropped: number;
  [Symbol.asyncIterator](): Messages<T>;
}

/** What a channel does for those who read it. */
export interface Source {
  readonly name: string;
  readonly hub: Hub;
  /** @returns Ends it. */
  attach(mailbox: Mailbox): () => void;
}

/** Calls a function with each message, one at a time. */
export function call(source: Source, listener: (message: unknown) => unknown, options: ResolvedReading): Subscription {
  let isBusy = false;
  let isOver = false;
  const next = (): void => {
    while (!isBusy) {
      const parcel = mailbox.shift(); // none when it is over
      if (!parcel) return;
      try {
        const result = listener(decode(parcel));
        if (isThenable(result)) {
          isBusy = true;
          result.then(goOn, goOnAfter);
        }
      } catch (error) {
        report(error);
      }
    }
  };
  const goOn = (): void => {
    isBusy = false;
    next();
  };
  const goOnAfter = (error: unknown): void => {
    report(error);
    goOn();
  };
  const report = (error: unknown): void => {
    if (!options.onError) return console.error(`[pubsub] A subscriber of channel "${source.name}" has failed:`, error);
    try {
      options.onError(error);
    } catch (second) {
      console.error(`[pubsub] Cannot call onError of a subscriber of channel "${source.name}":`, second);
    }
  };
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    detach();
    mailbox.clear();
    options.signal?.removeEventListener('abort', end);
  };
  const mailbox: Mailbox = new Mailbox(source.hub, options.maxQueued, options.overflow, next, () => {
    if (isOver) return;
    end();
    report(tooSlow(source.name));
  });
  const detach = source.attach(mailbox);
  endOnAbort(options.signal, end);
  return {
    get dropped() {
      return mailbox.dropped;
    },
    unsubscribe: end,
    [Symbol.dispose]: end,
  };
}

/** Reads one message after the other. */
export function iterate<T>(source: Source, options: ResolvedReading): Messages<T> {
  const waiting: { readonly resolve: (step: IteratorResult<T>) => void; readonly reject: (error: unknown) => void }[] = [];
  let isOver = false;
  let failure: Error | undefined;
  const done = (): IteratorResult<T> => ({ done: true, value: undefined });
  const pass = (): void => {
    while (waiting.length > 0) {
      const parcel = mailbox.shift();
      if (!parcel) return;
      try {
        const value = decode(parcel) as T;
        waiting.shift()?.resolve({ done: false, value });
      } catch (error) {
        tellUnreadable(source.name, parcel, error);
        mailbox.missed(1);
      }
    }
  };
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    detach();
    mailbox.clear();
    options.signal?.removeEventListener('abort', end);
    const first = failure && waiting.shift();
    if (first) {
      first.reject(failure);
      failure = undefined;
    }
    for (const { resolve } of waiting.splice(0)) resolve(done());
  };
  const mailbox: Mailbox = new Mailbox(source.hub, options.maxQueued, options.overflow, pass, () => {
    if (isOver) return;
    failure = tooSlow(source.name);
    end();
  });
  const detach = source.attach(mailbox);
  endOnAbort(options.signal, end);
  return {
    get dropped() {
      return mailbox.dropped;
    },
    next() {
      if (failure) {
        const error = failure;
        failure = undefined;
        return Promise.reject(error);
      }
      if (isOver) return Promise.resolve(done());
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        pass();
      });
    },
    return() {
      end();
      return Promise.resolve(done());
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function endOnAbort(signal: AbortSignal | undefined, end: () => void): void {
  if (signal?.aborted) end();
  else signal?.addEventListener('abort', end, { once: true });
}

const unreadable: WeakSet<Parcel> = new WeakSet();

/** A message has come that is none of ours, or of another version of Node, by Redis: told once, however many read it. */
function tellUnreadable(channel: string, parcel: Parcel, error: unknown): void {
  if (unreadable.has(parcel)) return;
  unreadable.add(parcel);
  console.error(`[pubsub] A message for channel "${channel}" cannot be read:`, error);
}

function tooSlow(channel: string): Error {
  return withCode(
    new Error(`Cannot keep up with channel "${channel}": a message was lost, and the reader wants all (overflow: 'close')`),
    'channel-overflow',
  );
}
