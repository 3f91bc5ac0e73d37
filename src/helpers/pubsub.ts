/**
 * Publish and subscribe: what is published in one thread is heard in all threads of all workers of the server; with Redis, on all machines.
 *
 * @module
 */
import { badOption, checkFunction, checkOptions, checkString } from '../http/errors/bad-option.ts';
import { type Hub, hubOf } from '../process/channels/hub.ts';
import { encode } from './pubsub/codec.ts';
import type { Mailbox } from './pubsub/mailbox.ts';
import { type MessagesOptions, resolveMessages, resolveSubscribe, type SubscribeOptions } from './pubsub/options.ts';
import { call, iterate, type Messages, type Source, type Subscription } from './pubsub/readers.ts';
import type { RedisPublisher } from './pubsub/redis-publish.ts';
import { type RedisRelay, relayOver } from './pubsub/redis-relay.ts';

export type { Overflow } from './pubsub/mailbox.ts';
export type { MessagesOptions, SubscribeOptions } from './pubsub/options.ts';
export type { Messages, Subscription } from './pubsub/readers.ts';
export type { RedisPublisher } from './pubsub/redis-publish.ts';

/** Options of `createChannel`. */
export interface ChannelOptions {
  /** Carries the messages to other machines: a client of `redis` or `ioredis`, connected, with a listener for its `error` event. Default: none. */
  redis?: RedisPublisher | undefined;
  /** What the channel's name in Redis begins with. Default `filrouge:channel:`. Applications that share a Redis need different ones. */
  prefix?: string | undefined;
}

/** A channel. */
export interface Channel<T> {
  readonly name: string;
  /** How many messages published in this thread have been lost at once, since too many waited already. */
  readonly dropped: number;
  /**
   * Sends a message to all who read the channel now, in this thread as well: each gets a copy, soon, and at most once. A publisher of many messages
   * awaits `drained()` between them: beyond 8 MiB that wait in this thread, messages are lost.
   *
   * @throws TypeError (code `not-serializable`) for what cannot be cloned, such as a function. RangeError (code `bad-option`) for more than 1 MiB.
   */
  publish(message: T): void;
  /** Resolves when there is room for more; usually at once. */
  drained(): Promise<void>;
  /**
   * Calls a function with each message from now on. When it returns a promise, the next message waits for that.
   *
   * @throws TypeError or RangeError (code `bad-option`) for a wrong option.
   */
  subscribe(listener: (message: T) => void | Promise<void>, options?: SubscribeOptions): Subscription;
  /**
   * The messages from now on, for `for await` and `Response.events`. They end with `signal`, and when the loop is left.
   *
   * @throws TypeError or RangeError (code `bad-option`) for a wrong option.
   */
  messages(options?: MessagesOptions): Messages<T>;
}

const SUBJECT = 'Cannot create channel';
const KNOWN: ReadonlySet<string> = new Set(['redis', 'prefix']);
const NAME = /^[\w.:/@+-]{1,200}$/;

/** What there is of each name, as long as somebody has it. */
const channels: Map<string, WeakRef<HubChannel>> = new Map();
const forgotten: FinalizationRegistry<string> = new FinalizationRegistry((name) => {
  if (channels.get(name)?.deref() === undefined) channels.delete(name);
});

/**
 * The channel of a name; there is one in each thread, however often it is asked for.
 *
 * @param name Up to 200 letters, digits and `_ . : / @ + -`.
 * @throws TypeError (code `bad-option`) for a wrong name or option, and for a name that is taken with another Redis.
 * @example
 * const news = createChannel<string>('news');
 *
 * startServer((request) => {
 *   if (match(request, 'GET /events')) return Response.events(news.messages({ signal: request.signal }));
 *   if (match(request, 'POST /news')) news.publish(readText(request));
 *   return Response.empty(204);
 * });
 */
export function createChannel<T>(name: string, options: ChannelOptions = {}): Channel<T> {
  checkString(SUBJECT, 'the name', name);
  if (!NAME.test(name)) throw badOption(SUBJECT, 'the name is not 1 to 200 letters, digits and _ . : / @ + -');
  checkOptions(SUBJECT, options, KNOWN);
  const { redis, prefix = 'filrouge:channel:' } = options;
  checkString(SUBJECT, 'prefix', prefix);
  const key = redis && prefix + name;
  const known = channels.get(name)?.deref();
  if (known) {
    if (known.client !== redis || known.key !== key) throw badOption(SUBJECT, `"${name}" is there already, with another redis or prefix`);
    return known as unknown as Channel<T>;
  }
  const channel = new HubChannel(name, redis, key);
  channels.set(name, new WeakRef(channel));
  forgotten.register(channel, name);
  return channel as unknown as Channel<T>;
}

class HubChannel implements Channel<unknown>, Source {
  readonly name: string;
  readonly hub: Hub = hubOf(setImmediate);
  readonly client: RedisPublisher | undefined;
  /** Its name in Redis. */
  readonly key: string | undefined;
  dropped = 0;
  readonly #relay: RedisRelay | undefined;
  #readers = 0;

  constructor(name: string, client: RedisPublisher | undefined, key: string | undefined) {
    this.name = name;
    this.client = client;
    this.key = key;
    this.#relay = client && relayOver(client, this.hub);
    this.hub.use();
  }

  publish(message: unknown): void {
    const payload = encode(this.name, message);
    if (!this.hub.publish(this.name, payload)) this.dropped++;
    if (this.key !== undefined) this.#relay?.publish(this.key, payload);
  }

  async drained(): Promise<void> {
    if (!this.hub.hasRoom) await new Promise<void>((resolve) => this.hub.whenRoom(resolve));
    const relay = this.#relay;
    if (relay && !relay.hasRoom) await new Promise<void>((resolve) => relay.whenRoom(resolve));
  }

  subscribe(listener: (message: unknown) => void | Promise<void>, options: SubscribeOptions = {}): Subscription {
    checkFunction('Cannot read channel', 'the listener', listener);
    return call(this, listener, resolveSubscribe(options));
  }

  messages(options: MessagesOptions = {}): Messages<unknown> {
    return iterate(this, resolveMessages(options));
  }

  attach(mailbox: Mailbox): () => void {
    this.hub.subscribe(this.name, mailbox);
    if (this.#readers++ === 0 && this.key !== undefined) this.#relay?.listen(this.key, this.#onForeign);
    return () => {
      this.hub.unsubscribe(this.name, mailbox);
      if (--this.#readers === 0 && this.key !== undefined) this.#relay?.listen(this.key, undefined);
    };
  }

  readonly #onForeign = (payload: Uint8Array): void => this.hub.arriveHere(this.name, payload);
}
