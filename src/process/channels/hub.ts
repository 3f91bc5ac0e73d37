/**
 * Where the messages of this thread's channels come together. The threads of a server form a tree, and each has one hub:
 *
 *     the primary, or a process without one: the root, which puts all messages in one order
 *       └─ a worker
 *            └─ a handler thread
 *
 * A message goes up to the root, and from there down to every hub that has asked for its channel, also to the one that it came from. A hub
 * whose way up is gone is a root. A process without a server is one, too.
 *
 * What waits is bounded everywhere. A message that came from another hub is acknowledged when it has been passed on, and whoever sends lets
 * only so much go unacknowledged. A hub passes nothing on while somebody holds it; what it has not taken then waits with the publishers.
 *
 * @module
 */

/** A link that has more unacknowledged than this has no room: publishers should wait. Bytes. */
export const HIGH: number = 1024 * 1024;
/** It has room again when there is less than this. Bytes. */
export const LOW: number = 256 * 1024;
/** More than this never waits on one link: messages are lost instead, and counted. Bytes. */
export const BOUND: number = 8 * 1024 * 1024;
/**
 * How long publishers wait for somebody who takes nothing, ms: a reader, a thread, a worker. Whoever waits further out waits longer: else one reader
 * that stands still would be taken for a whole thread that does, or a thread for its worker.
 */
export const PATIENCE: { readonly reader: number; readonly thread: number; readonly worker: number } = {
  reader: 1000,
  thread: 1500,
  worker: 2000,
};
/** What a message costs beside its bytes, about. Bytes. */
export const OVERHEAD = 64;

/** Messages passed on in one turn of the event loop: subscribers read between two turns. */
const TURN = 128;

/** A message on its way to subscribers. */
export interface Parcel {
  readonly payload: Uint8Array;
  /** For whoever decodes it: what need not be decoded again. */
  decoded: unknown;
}

/** A subscriber in this thread. */
export interface Sink {
  take(parcel: Parcel): void;
  /** So many messages have been lost on their way here. */
  missed(count: number): void;
}

/** The way to the hub above. */
export interface Uplink {
  /** The name of the root. */
  readonly root: string;
  /** What is unacknowledged, bytes. */
  readonly queued: number;
  send(name: string, payload: Uint8Array): void;
  /** Asks for a channel, or does without it from now on. */
  want(name: string, isOn: boolean): void;
}

/** The way to a hub below. */
export interface Downlink {
  send(name: string, payload: Uint8Array): void;
  /** Messages have been lost above. */
  missed(name: string, count: number): void;
}

/** What waits to be passed on. */
interface Item {
  readonly name: string;
  readonly parcel: Parcel;
  /** The message has come from elsewhere, and is for subscribers in this thread only. */
  readonly isForHere: boolean;
  /** Not a message: so many were lost. */
  readonly missed: number;
  readonly taken: () => void;
}

const NO_PARCEL: Parcel = { payload: new Uint8Array(0), decoded: undefined };

/** What a message counts for in bounds, bytes. */
export function costOf(payload: Uint8Array): number {
  return payload.length + OVERHEAD;
}

/** The hub of a thread. */
export class Hub {
  readonly #later: (run: () => void) => void;
  readonly #sinks: Map<string, Set<Sink>> = new Map();
  readonly #downs: Map<Downlink, Set<string>> = new Map();
  /** Who has no room for what would be passed on. */
  readonly #holders: Set<object> = new Set();
  /** In the order of their arrival, from `#next` on. */
  #inbox: Item[] = [];
  #next = 0;
  #queued = 0;
  #isScheduled = false;
  /** Called when there is room. */
  #waiting: (() => void)[] = [];
  #up: Uplink | undefined;
  #connect: (() => Uplink) | undefined;
  #isUsed = false;
  readonly #name: string = crypto.randomUUID();

  /** @param later Runs a function in a later turn of the event loop. */
  constructor(later: (run: () => void) => void) {
    this.#later = later;
  }

  /** The name of the root of the tree: messages from hubs with this root come by the tree. */
  get root(): string {
    return this.#up?.root ?? this.#name;
  }

  /** Whether a publisher should go on. */
  get hasRoom(): boolean {
    return (this.#up ? this.#up.queued : this.#queued) <= HIGH;
  }

  /** From now on there is a way up, which is made when it is first needed. */
  join(connect: () => Uplink): void {
    this.#connect = connect;
    if (this.#isUsed) this.#goUp();
  }

  /** The way up is gone. */
  leave(): void {
    this.#connect = undefined;
    this.#up = undefined;
    this.wake();
  }

  /** There are channels. */
  use(): void {
    this.#isUsed = true;
    if (!this.#up) this.#goUp();
  }

  /** Publishes a message of this thread. @returns Whether it is on its way; false when too many wait already. */
  publish(name: string, payload: Uint8Array): boolean {
    if ((this.#up ? this.#up.queued : this.#queued) > BOUND) return false;
    this.relay(name, payload, () => {});
    return true;
  }

  /** Takes a message from a hub below. @param taken Called when more may come. */
  relay(name: string, payload: Uint8Array, taken: () => void): void {
    if (!this.#up) return this.arrive(name, payload, taken);
    this.#up.send(name, payload);
    if (this.hasRoom) taken();
    else this.#waiting.push(taken);
  }

  /** Takes a message that has its place in the order. @param taken Called when it has been passed on. */
  arrive(name: string, payload: Uint8Array, taken: () => void): void {
    this.#push({ name, parcel: { payload, decoded: undefined }, isForHere: false, missed: 0, taken });
  }

  /** Takes a message from outside of the tree, for subscribers in this thread only. Nobody can be asked to wait with it. */
  arriveHere(name: string, payload: Uint8Array): void {
    if (this.#queued <= BOUND) this.#push({ name, parcel: { payload, decoded: undefined }, isForHere: true, missed: 0, taken: () => {} });
    else for (const sink of this.#sinks.get(name) ?? []) sink.missed(1);
  }

  /** So many messages have been lost above, at this place in the order. */
  missed(name: string, count: number): void {
    this.#push({ name, parcel: NO_PARCEL, isForHere: false, missed: count, taken: () => {} });
  }

  subscribe(name: string, sink: Sink): void {
    const sinks = this.#sinks.get(name);
    if (sinks) {
      sinks.add(sink);
      return;
    }
    const wasWanted = this.#isWanted(name);
    this.#sinks.set(name, new Set([sink]));
    if (!wasWanted) this.#up?.want(name, true);
  }

  unsubscribe(name: string, sink: Sink): void {
    this.release(sink);
    const sinks = this.#sinks.get(name);
    if (!sinks?.delete(sink) || sinks.size > 0) return;
    this.#sinks.delete(name);
    if (!this.#isWanted(name)) this.#up?.want(name, false);
  }

  /** A hub below asks for a channel, or does without it from now on. */
  want(down: Downlink, name: string, isOn: boolean): void {
    const wasWanted = this.#isWanted(name);
    const names = this.#downs.get(down) ?? new Set();
    this.#downs.set(down, names);
    if (isOn) names.add(name);
    else names.delete(name);
    this.use();
    if (wasWanted !== this.#isWanted(name)) this.#up?.want(name, isOn);
  }

  /** A hub below is gone. */
  remove(down: Downlink): void {
    const names = this.#downs.get(down) ?? [];
    this.#downs.delete(down);
    for (const name of names) if (!this.#isWanted(name)) this.#up?.want(name, false);
    this.release(down);
  }

  /** Somebody has no room: nothing is passed on until it is released. */
  hold(holder: object): void {
    this.#holders.add(holder);
  }

  release(holder: object): void {
    if (this.#holders.delete(holder)) this.#schedule();
  }

  /** Calls a function when there is room: at once, or later. */
  whenRoom(callback: () => void): void {
    if (this.hasRoom) callback();
    else this.#waiting.push(callback);
  }

  /** There may be room now. */
  wake(): void {
    if (this.#waiting.length === 0 || !this.hasRoom) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) callback();
  }

  #goUp(): void {
    if (!this.#connect) return;
    this.#up = this.#connect();
    const names = new Set(this.#sinks.keys());
    for (const wanted of this.#downs.values()) for (const name of wanted) names.add(name);
    for (const name of names) this.#up.want(name, true);
  }

  #isWanted(name: string): boolean {
    if (this.#sinks.has(name)) return true;
    for (const names of this.#downs.values()) if (names.has(name)) return true;
    return false;
  }

  #push(item: Item): void {
    this.#inbox.push(item);
    this.#queued += costOf(item.parcel.payload);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#holders.size > 0 || this.#next === this.#inbox.length) return;
    this.#isScheduled = true;
    this.#later(this.#run);
  }

  readonly #run = (): void => {
    this.#isScheduled = false;
    for (let i = 0; i < TURN && this.#next < this.#inbox.length && this.#holders.size === 0; i++) {
      const item = this.#inbox[this.#next++] as Item;
      this.#queued -= costOf(item.parcel.payload);
      this.#passOn(item);
      item.taken();
    }
    if (this.#next === this.#inbox.length || this.#next > 4096) {
      this.#inbox = this.#inbox.slice(this.#next);
      this.#next = 0;
    }
    if (this.#queued < LOW) this.wake();
    this.#schedule();
  };

  #passOn({ name, parcel, isForHere, missed }: Item): void {
    for (const sink of this.#sinks.get(name) ?? []) {
      if (missed > 0) sink.missed(missed);
      else sink.take(parcel);
    }
    if (isForHere) return;
    for (const [down, names] of this.#downs) {
      if (!names.has(name)) continue;
      if (missed > 0) down.missed(name, missed);
      else down.send(name, parcel.payload);
    }
  }
}

let own: Hub | undefined;

/** The hub of this thread. @param later As for the constructor. */
export function hubOf(later: (run: () => void) => void): Hub {
  own ??= new Hub(later);
  return own;
}
