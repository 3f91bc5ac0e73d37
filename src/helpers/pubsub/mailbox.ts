/**
 * What waits for one subscriber: bounded, whatever the subscriber does.
 *
 * @module
 */
import { costOf, type Hub, PATIENCE, type Parcel, type Sink } from '../../process/channels/hub.ts';

/** What happens when more waits for a subscriber than may. */
export type Overflow = 'drop-oldest' | 'drop-newest' | 'wait' | 'close';

/** A mailbox. */
export class Mailbox implements Sink {
  /** Messages that the subscriber has missed. */
  dropped = 0;
  readonly #hub: Hub;
  readonly #limit: number;
  readonly #overflow: Overflow;
  readonly #onArrival: () => void;
  readonly #onOverflow: () => void;
  #parcels: Parcel[] = [];
  #next = 0;
  #queued = 0;
  #isHolding = false;
  /** It has held the publishers for too long, and does not until it is empty. */
  #isStuck = false;
  #patience: NodeJS.Timeout | undefined;

  /**
   * @param limit Bytes.
   * @param onOverflow Called when it overflows under `close`.
   */
  constructor(hub: Hub, limit: number, overflow: Overflow, onArrival: () => void, onOverflow: () => void) {
    this.#hub = hub;
    this.#limit = limit;
    this.#overflow = overflow;
    this.#onArrival = onArrival;
    this.#onOverflow = onOverflow;
  }

  take(parcel: Parcel): void {
    const cost = costOf(parcel.payload);
    if (this.#queued > 0 && this.#queued + cost > this.#limit && !this.#makeRoom(cost)) return;
    this.#parcels.push(parcel);
    this.#queued += cost;
    this.#onArrival();
  }

  missed(count: number): void {
    this.dropped += count;
    if (this.#overflow === 'close') this.#onOverflow();
  }

  /** The oldest message; undefined when there is none. */
  shift(): Parcel | undefined {
    if (this.#next === this.#parcels.length) return undefined;
    const parcel = this.#parcels[this.#next++] as Parcel;
    this.#queued -= costOf(parcel.payload);
    if (this.#next === this.#parcels.length || this.#next > 1024) {
      this.#parcels = this.#parcels.slice(this.#next);
      this.#next = 0;
    }
    if (this.#queued === 0) this.#isStuck = false;
    if (this.#isHolding && this.#queued <= this.#limit / 2) this.#letGo();
    else this.#patience?.refresh();
    return parcel;
  }

  /** Forgets what waits. */
  clear(): void {
    this.#parcels = [];
    this.#next = 0;
    this.#queued = 0;
    this.#letGo();
  }

  /** @returns Whether the new message may be kept. */
  #makeRoom(cost: number): boolean {
    switch (this.#overflow) {
      case 'drop-newest':
        this.dropped++;
        return false;
      case 'close':
        this.missed(1);
        return false;
      case 'wait':
        if (!this.#isStuck) {
          this.#hold();
          return true; // one more than there is room for: nothing comes behind it
        }
        break;
      case 'drop-oldest':
    }
    while (this.#queued > 0 && this.#queued + cost > this.#limit) {
      this.shift();
      this.dropped++;
    }
    return true;
  }

  #hold(): void {
    if (this.#isHolding) return;
    this.#isHolding = true;
    this.#hub.hold(this);
    this.#patience = setTimeout(() => {
      this.#isStuck = true;
      this.#letGo();
    }, PATIENCE.reader).unref();
  }

  #letGo(): void {
    clearTimeout(this.#patience);
    this.#patience = undefined;
    this.#isHolding = false;
    this.#hub.release(this);
  }
}
