/**
 * The way down to another hub, seen from above: what is not acknowledged on it is bounded, whatever the other side does.
 *
 * A lane that is full holds the hub, and so the publishers, for as long as the other side takes something every now and then. When it has taken
 * nothing for a while (`PATIENCE` in `hub.ts`) it is stuck: the hub goes on, and what finds no room on this lane is lost. The other side learns how much when it
 * reads again.
 *
 * @module
 */
import { BOUND, costOf, type Downlink, HIGH, type Hub, LOW } from '../../process/channels/hub.ts';

/** Sends to the other side. */
export interface LaneEnd {
  message(name: string, payload: Uint8Array): void;
  missed(name: string, count: number): void;
}

/** A lane. */
export class Lane implements Downlink {
  readonly #hub: Hub;
  readonly #end: LaneEnd;
  readonly #time: number;
  /** Not acknowledged, bytes. */
  #queued = 0;
  /** How many messages of each channel were lost since there was room. */
  readonly #losses: Map<string, number> = new Map();
  #isStuck = false;
  #patience: NodeJS.Timeout | undefined;

  /** @param time How long publishers wait for a side that takes nothing, ms. */
  constructor(hub: Hub, end: LaneEnd, time: number) {
    this.#hub = hub;
    this.#end = end;
    this.#time = time;
  }

  send(name: string, payload: Uint8Array): void {
    if (this.#losses.size > 0 || this.#queued > BOUND) return this.missed(name, 1);
    this.#queued += costOf(payload);
    this.#end.message(name, payload);
    if (this.#queued <= HIGH || this.#isStuck || this.#patience) return;
    this.#hub.hold(this);
    this.#patience = setTimeout(this.#onImpatience, this.#time).unref();
  }

  missed(name: string, count: number): void {
    this.#losses.set(name, (this.#losses.get(name) ?? 0) + count);
    if (this.#queued < LOW) this.#tellLosses();
  }

  /** The other side has taken so much, as `costOf` counts it. */
  taken(size: number): void {
    this.#queued -= size;
    if (this.#queued >= LOW) {
      this.#patience?.refresh();
      return;
    }
    this.#isStuck = false;
    this.#tellLosses();
    this.#letGo();
  }

  /** The other side is gone. */
  close(): void {
    this.#letGo();
    this.#hub.remove(this);
  }

  readonly #onImpatience = (): void => {
    this.#isStuck = true;
    this.#letGo();
  };

  #letGo(): void {
    clearTimeout(this.#patience);
    this.#patience = undefined;
    this.#hub.release(this);
  }

  #tellLosses(): void {
    for (const [name, count] of this.#losses) this.#end.missed(name, count);
    this.#losses.clear();
  }
}
