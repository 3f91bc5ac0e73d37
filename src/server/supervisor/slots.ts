/**
 * The slots of `affinity`, kept by the primary: which worker holds which, and how they change hands.
 *
 * Every worker has one slot for its life, that of its predecessor. A key belongs to a slot (process/place/slots.ts), so a worker that is replaced takes along
 * its own keys and no others. At no moment may two workers begin requests with the same key:
 *
 *     HELD by P ──ready(S), leaving(P)──▶ CHANGING ──P has seen it──▶ HELD by S, or VACANT
 *         └───────────gone(P)───────────▶ VACANT ──ready(S)──▶ CHANGING ──all holders have seen it──▶ HELD by S
 *
 * While a slot is `CHANGING` its requests wait where they are. Only when those who might have begun one have confirmed a table that says so does another
 * worker learn that it is its turn. The keys of a vacant slot are answered by the other holders, so all of these have to confirm. A worker that is gone
 * has nothing to confirm: its keys are answered by others at once.
 *
 * @module
 */
import { type AffinityTable, CHANGING, VACANT } from '../affinity/table.ts';

/** A slot on its way to another holder. */
interface Change {
  /** Who gets it; `VACANT`: nobody. */
  readonly to: number;
  /** The first table that says it is changing hands. */
  readonly version: number;
  /** Workers that have not confirmed it. */
  readonly losers: Set<number>;
}

/** All slots of a server. */
export class Slots {
  readonly #holders: number[];
  readonly #changes: Map<number, Change> = new Map();
  /** The slot of every worker that has asked for the table and is there. */
  readonly #homes: Map<number, number> = new Map();
  readonly #tell: (worker: number, table: AffinityTable) => void;
  #version = 1;

  /** @param tell Sends a worker the table. */
  constructor(count: number, tell: (worker: number, table: AffinityTable) => void) {
    this.#holders = Array.from({ length: count }, () => VACANT);
    this.#tell = tell;
  }

  /** A worker with this slot wants to know the table, now and whenever it changes. */
  join(worker: number, slot: number): void {
    this.#homes.set(worker, slot);
    this.#tell(worker, this.#table);
  }

  /** A worker serves: its slot is to be its own. */
  ready(worker: number): void {
    const slot = this.#homes.get(worker);
    if (slot !== undefined) this.#begin(slot, worker);
  }

  /** A worker leaves: its slot is to be others', unless that of a successor already. */
  leaving(worker: number): void {
    const slot = this.#homes.get(worker);
    if (slot === undefined) return;
    if (this.#holders[slot] === worker || this.#changes.get(slot)?.to === worker) this.#begin(slot, VACANT);
  }

  /** A worker is gone. */
  gone(worker: number): void {
    const slot = this.#homes.get(worker);
    if (slot === undefined) return;
    this.#homes.delete(worker);
    if (this.#holders[slot] === worker) this.#holders[slot] = VACANT;
    const change = this.#changes.get(slot);
    if (change?.to === worker) this.#changes.set(slot, { ...change, to: VACANT });
    for (const { losers } of this.#changes.values()) losers.delete(worker);
    this.#settle();
    this.#publish();
  }

  /** A worker has confirmed a table, and all before it. */
  seen(worker: number, version: number): void {
    for (const change of this.#changes.values()) if (version >= change.version) change.losers.delete(worker);
    if (this.#settle()) this.#publish();
  }

  get #table(): AffinityTable {
    return { version: this.#version, holders: this.#holders.slice() };
  }

  #begin(slot: number, to: number): void {
    const running = this.#changes.get(slot);
    if (running) {
      this.#changes.set(slot, { ...running, to });
      return;
    }
    const holder = this.#holders[slot] as number; // every worker's slot is one of them
    const losers = holder === VACANT ? this.#mayHaveBegun() : [holder];
    this.#holders[slot] = CHANGING;
    this.#changes.set(slot, { to, version: this.#version + 1, losers: new Set(losers) });
    if (losers.length === 0) this.#settle();
    this.#publish();
  }

  /** Who may answer for the keys of a vacant slot: all that hold one, or have not confirmed that theirs is changing hands. */
  #mayHaveBegun(): number[] {
    const all = this.#holders.filter((holder) => holder > VACANT);
    for (const { losers } of this.#changes.values()) all.push(...losers);
    return all;
  }

  /** Ends the changes that everybody has confirmed. @returns Whether there were any. */
  #settle(): boolean {
    let hasAny = false;
    for (const [slot, { to, losers }] of this.#changes) {
      if (losers.size > 0) continue;
      this.#changes.delete(slot);
      this.#holders[slot] = to;
      hasAny = true;
    }
    return hasAny;
  }

  #publish(): void {
    this.#version++;
    for (const worker of this.#homes.keys()) this.#tell(worker, this.#table);
  }
}
