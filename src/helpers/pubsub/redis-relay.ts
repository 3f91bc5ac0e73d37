/**
 * Channels across machines, by the publish/subscribe of Redis: each thread publishes with the client it is given, and hears by a connection of its
 * own, since one that subscribes can do little else.
 *
 * A message bears the name of the root it was published under: whoever has the same root has had it already, by the tree (see `hub.ts`). And it is
 * numbered by its publisher: a client that has lost its connection sends again what was not answered, and that may have arrived.
 *
 * Redis keeps nothing: what is published while it cannot be reached, or while a subscriber cannot, is lost there. Both clients come back by
 * themselves, and subscribe again.
 *
 * @module
 */
import { badOption } from '../../http/errors/bad-option.ts';
import { BOUND, costOf, HIGH, type Hub, LOW } from '../../process/channels/hub.ts';
import { isIoRedis, isReady } from '../redis-clients/kinds.ts';
import { Outage } from '../redis-clients/outage.ts';
import { type Publish, publishOf, type RedisPublisher } from './redis-publish.ts';

/** A connection that subscribes, of either client. */
interface Listening {
  on(event: string, listener: (...args: never[]) => void): unknown;
  /** Of `redis`. */
  connect?(): Promise<unknown>;
  subscribe(channel: string, listener?: (message: Buffer) => void, isBinary?: boolean): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  /** Of `redis`; a promise, of a Sentinel's. */
  destroy?(): unknown;
  /** Of `ioredis`. */
  disconnect?(): unknown;
}

/** How long publishers wait for a Redis that does not answer, ms. */
const PATIENCE = 1000;
/** In front of each message: the names of root and publisher, UUIDs in ASCII, and a number, 8 bytes. */
const NAME_LENGTH = 36;
const HEAD_LENGTH = 2 * NAME_LENGTH + 8;
/** Publishers whose last number is known: those not heard for longest are forgotten. */
const MAX_PUBLISHERS = 4096;

type OnMessage = (payload: Uint8Array) => void;

const relays: WeakMap<object, RedisRelay> = new WeakMap();

/** The relay over a client: one for all channels that are given it. @throws TypeError (code `bad-option`) for what is not a client. */
export function relayOver(client: RedisPublisher, hub: Hub): RedisRelay {
  const isClient = (['publish', 'eval', 'duplicate'] as const).every(
    (name) => typeof (client as Partial<RedisPublisher> | null)?.[name] === 'function',
  );
  if (!isClient) throw badOption('Cannot create channel', 'redis is not a client of the packages redis or ioredis');
  const relay = relays.get(client) ?? new RedisRelay(client, hub);
  relays.set(client, relay);
  return relay;
}

/** What goes over one client. */
export class RedisRelay {
  /** Messages that Redis has not been given. */
  dropped = 0;
  readonly #client: RedisPublisher;
  readonly #publish: Publish;
  readonly #hub: Hub;
  readonly #listeners: Map<string, OnMessage> = new Map();
  readonly #name: string = crypto.randomUUID();
  #number = 0;
  /** The last number that was heard of each publisher, in each channel. */
  readonly #heard: Map<string, number> = new Map();
  #listening: Listening | undefined;
  /** Published and not answered, as `costOf` counts it. */
  #queued = 0;
  #isStuck = false;
  #patience: NodeJS.Timeout | undefined;
  readonly #waiting: (() => void)[] = [];
  /** The listening connection has been there. */
  #isUp = false;
  /** Its end is listened to. */
  #isWatched = false;
  readonly #mute: Outage = new Outage('[pubsub] What channels publish for other machines is lost until Redis is back');
  readonly #deaf: Outage = new Outage('[pubsub] What other machines publish in channels is lost until Redis is back');

  constructor(client: RedisPublisher, hub: Hub) {
    this.#client = client;
    this.#publish = publishOf(client);
    this.#hub = hub;
  }

  get hasRoom(): boolean {
    return this.#queued <= HIGH || this.#isStuck;
  }

  /** Calls a function when there is room: at once, or later. */
  whenRoom(callback: () => void): void {
    if (this.hasRoom) callback();
    else this.#waiting.push(callback);
  }

  publish(channel: string, payload: Uint8Array): void {
    const hasRoom = this.#queued <= (this.#isStuck ? HIGH : BOUND);
    if (!isReady(this.#client) || !hasRoom) return this.#lose(new Error('it does not answer, or is not connected'));
    const cost = costOf(payload);
    this.#queued += cost;
    this.#patience ??= setTimeout(this.#onImpatience, PATIENCE).unref();
    const message = Buffer.allocUnsafe(HEAD_LENGTH + payload.length);
    message.write(this.#hub.root + this.#name, 'latin1');
    message.writeDoubleLE(++this.#number, 2 * NAME_LENGTH);
    message.set(payload, HEAD_LENGTH);
    this.#start(channel, message).then(
      () => {
        this.#mute.end();
        this.#answered(cost);
      },
      (error: unknown) => {
        this.#lose(error);
        this.#answered(cost);
      },
    );
  }

  async #start(channel: string, message: Buffer): Promise<unknown> {
    return this.#publish(channel, message); // a client may throw as well as reject
  }

  /** Hears a channel from now on, or not any more. */
  listen(channel: string, onMessage: OnMessage | undefined): void {
    if (onMessage) {
      this.#listeners.set(channel, onMessage);
      if (!this.#listening) this.#open();
      else if (this.#isUp) this.#subscribe(this.#listening, channel);
    } else if (this.#listeners.delete(channel)) {
      if (this.#listeners.size === 0) this.#close();
      else if (this.#isUp) this.#listening?.unsubscribe(channel).catch(() => {}); // it is not listened to any more
    }
  }

  #open(): void {
    const listening = this.#client.duplicate() as Listening;
    this.#listening = listening;
    const on = listening.on.bind(listening);
    on('error', (error: unknown) => this.#failed(listening, error)); // it tries again by itself
    if (isIoRedis(listening)) {
      on('messageBuffer', (channel: Buffer, message: Buffer) => this.#arrived(channel.toString(), message));
      on('ready', () => this.#subscribeAll(listening)); // each time: it may have given up a subscription while there was no connection
    } else {
      on('ready', this.#deaf.end);
      this.#connect(listening);
    }
    if (this.#isWatched) return;
    this.#isWatched = true;
    (this.#client as unknown as Listening).on('end', () => this.#close()); // the program is done with it
  }

  /** Connects a client of `redis`, which is then kept connected by itself, and subscribed. */
  #connect(listening: Listening): void {
    listening.connect?.().then(
      () => this.#subscribeAll(listening),
      (error: unknown) => {
        this.#failed(listening, error);
        setTimeout(() => {
          if (this.#listening !== listening) return;
          this.#close();
          this.#open();
        }, PATIENCE).unref();
      },
    );
  }

  #subscribeAll(listening: Listening): void {
    if (this.#listening !== listening) return;
    this.#isUp = true;
    this.#deaf.end();
    for (const channel of this.#listeners.keys()) this.#subscribe(listening, channel);
  }

  #subscribe(listening: Listening, channel: string): void {
    const subscribed = isIoRedis(listening)
      ? listening.subscribe(channel)
      : listening.subscribe(channel, (message: Buffer) => this.#arrived(channel, message), true);
    subscribed.catch((error: unknown) => this.#failed(listening, error));
  }

  /** One that we have closed may fail as it likes. */
  #failed(listening: Listening, error: unknown): void {
    if (this.#listening === listening) this.#deaf.fail(error);
  }

  #close(): void {
    const listening = this.#listening;
    this.#listening = undefined;
    this.#isUp = false;
    if (!listening) return;
    try {
      if (isIoRedis(listening)) listening.disconnect?.();
      else Promise.resolve(listening.destroy?.()).catch(() => {});
    } catch {
      // it was not open
    }
  }

  #arrived(channel: string, message: Buffer): void {
    if (message.length <= HEAD_LENGTH || message.toString('latin1', 0, NAME_LENGTH) === this.#hub.root) return;
    if (this.#isNew(message.toString('latin1', NAME_LENGTH, 2 * NAME_LENGTH) + channel, message.readDoubleLE(2 * NAME_LENGTH))) {
      this.#listeners.get(channel)?.(new Uint8Array(message.subarray(HEAD_LENGTH)));
    }
  }

  #isNew(publisher: string, number: number): boolean {
    if (number <= (this.#heard.get(publisher) ?? 0)) return false;
    this.#heard.delete(publisher); // to the end of the order
    if (this.#heard.size === MAX_PUBLISHERS) this.#heard.delete(this.#heard.keys().next().value as string);
    this.#heard.set(publisher, number);
    return true;
  }

  #answered(cost: number): void {
    this.#queued -= cost;
    this.#isStuck = false;
    if (this.#queued === 0) {
      clearTimeout(this.#patience);
      this.#patience = undefined;
    } else if (this.#patience) this.#patience.refresh();
    else this.#patience = setTimeout(this.#onImpatience, PATIENCE).unref(); // it may stand still again
    if (this.#queued < LOW) this.#wake();
  }

  readonly #onImpatience = (): void => {
    this.#isStuck = true;
    this.#patience = undefined;
    this.#wake();
  };

  #wake(): void {
    for (const callback of this.#waiting.splice(0)) callback();
  }

  #lose(error: unknown): void {
    this.dropped++;
    this.#mute.fail(error);
  }
}
