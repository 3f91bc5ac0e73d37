import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AffinityTable, holderOf, NO_TABLE } from '../../../src/server/affinity/table.ts';
import { Slots } from '../../../src/server/supervisor/slots.ts';

const SLOTS = 3;
const KEYS = Array.from({ length: 40 }, (_, i) => `key ${i}`);

interface ModelWorker {
  readonly slot: number;
  table: AffinityTable;
  /** On their way to it. */
  readonly tables: AffinityTable[];
  /** On their way to the primary. */
  readonly confirmed: number[];
  isReady: boolean;
  isLeaving: boolean;
}

/** A primary and its workers, between whom messages take their time but keep their order. */
class Model {
  readonly workers: Map<number, ModelWorker> = new Map();
  readonly #slots: Slots = new Slots(SLOTS, (id, table) => this.workers.get(id)?.tables.push(table));
  #lastId = 0;

  at(index: number): [id: number, worker: ModelWorker] | undefined {
    const all = [...this.workers];
    return all.length === 0 ? undefined : all[index % all.length];
  }

  fork(slot: number): number {
    const id = ++this.#lastId;
    this.workers.set(id, { slot, table: NO_TABLE, tables: [], confirmed: [], isReady: false, isLeaving: false });
    this.#slots.join(id, slot);
    return id;
  }

  ready(id: number): void {
    const worker = this.workers.get(id) as ModelWorker;
    if (worker.isReady || worker.isLeaving) return;
    worker.isReady = true;
    this.#slots.ready(id);
  }

  leave(id: number): void {
    (this.workers.get(id) as ModelWorker).isLeaving = true;
    this.#slots.leaving(id);
  }

  die(id: number): void {
    this.workers.delete(id);
    this.#slots.gone(id);
  }

  hear(worker: ModelWorker): void {
    const table = worker.tables.shift();
    if (!table) return;
    worker.table = table;
    worker.confirmed.push(table.version);
  }

  confirm(id: number, worker: ModelWorker): void {
    const version = worker.confirmed.shift();
    if (version !== undefined) this.#slots.seen(id, version);
  }

  /** Delivers everything. */
  settle(): void {
    for (let isQuiet = false; !isQuiet; ) {
      isQuiet = true;
      for (const [id, worker] of this.workers) {
        while (worker.tables.length > 0 || worker.confirmed.length > 0) {
          isQuiet = false;
          this.hear(worker);
          this.confirm(id, worker);
        }
      }
    }
  }

  /** The workers that would begin a request with a key now. */
  holders(key: string): number[] {
    return [...this.workers].filter(([id, { table }]) => holderOf(table, key) === id).map(([id]) => id);
  }
}

function started(): Model {
  const model = new Model();
  for (let slot = 0; slot < SLOTS; slot++) model.ready(model.fork(slot));
  model.settle();
  return model;
}

const step = fc.record({
  what: fc.constantFrom('fork', 'ready', 'leave', 'die', 'hear', 'hear', 'hear', 'confirm', 'confirm', 'confirm'),
  index: fc.nat(20),
});

function take(model: Model, { what, index }: { readonly what: string; readonly index: number }): void {
  if (what === 'fork') return void (model.workers.size < 8 && model.fork(index % SLOTS));
  const [id, worker] = model.at(index) ?? [];
  if (id === undefined || !worker) return;
  if (what === 'ready') model.ready(id);
  else if (what === 'leave') model.leave(id);
  else if (what === 'die') model.die(id);
  else if (what === 'hear') model.hear(worker);
  else model.confirm(id, worker);
}

describe('the slots of affinity', () => {
  it('never let two live workers begin requests with the same key, whatever dies, leaves or is slow to hear', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const model = started();
        for (const one of steps) {
          take(model, one);
          expect(KEYS.filter((key) => model.holders(key).length > 1)).toEqual([]);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('leave no key without a worker, once everything has been heard and somebody serves', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const model = started();
        for (const one of steps) take(model, one);
        const last = model.fork(0);
        model.settle();
        model.ready(last);
        model.settle();
        for (const key of KEYS) {
          const [holder] = model.holders(key);
          expect(holder).toBeDefined();
          for (const { table } of model.workers.values()) expect(holderOf(table, key)).toBe(holder);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('move the keys of a dead worker and no others, and give them to its successor', () => {
    const model = started();
    const before = KEYS.map((key) => model.holders(key)[0]);
    expect(new Set(before).size).toBe(SLOTS);
    const [dead, { slot }] = model.at(1) as [number, ModelWorker];
    model.die(dead);
    model.settle();
    const meanwhile = KEYS.map((key) => model.holders(key)[0]);
    expect(new Set(meanwhile).size).toBe(SLOTS - 1);
    for (const [i, holder] of meanwhile.entries()) if (before[i] !== dead) expect(holder).toBe(before[i]);
    const successor = model.fork(slot);
    model.ready(successor);
    model.settle();
    expect(KEYS.map((key) => model.holders(key)[0])).toEqual(before.map((holder) => (holder === dead ? successor : holder)));
  });

  it('have a reload move keys only from a worker to its successor', () => {
    const model = started();
    const before = KEYS.map((key) => model.holders(key)[0]);
    const [old, { slot }] = model.at(0) as [number, ModelWorker];
    const successor = model.fork(slot);
    model.ready(successor);
    model.leave(old);
    model.settle();
    expect(KEYS.map((key) => model.holders(key)[0])).toEqual(before.map((holder) => (holder === old ? successor : holder)));
  });

  it('wait for a worker that holds a key and has not heard, but not for one that is gone', () => {
    const model = started();
    const [old, worker] = model.at(0) as [number, ModelWorker];
    const key = KEYS.find((one) => model.holders(one)[0] === old) as string;
    const successor = model.fork(worker.slot);
    model.ready(successor);
    for (const [id, other] of model.workers) {
      if (id === old) continue;
      while (other.tables.length > 0) model.hear(other);
      model.confirm(id, other);
    }
    expect(model.holders(key)).toEqual([old]);
    model.die(old);
    model.settle();
    expect(model.holders(key)).toEqual([successor]);
  });

  it('wait also for a worker that answers for the keys of a vacant slot, and has not heard that its own is changing hands', () => {
    const model = started();
    const [[dead], [deaf, { slot: slotOfTheDeaf }]] = [model.at(0), model.at(1)] as [[number, ModelWorker], [number, ModelWorker]];
    const ofTheDead = KEYS.filter((key) => model.holders(key)[0] === dead);
    model.die(dead);
    model.settle();
    const key = ofTheDead.find((one) => model.holders(one)[0] === deaf) as string;
    model.ready(model.fork(slotOfTheDeaf));
    const successor = model.fork(0);
    model.ready(successor);
    const others = [...model.workers].filter(([id]) => id !== deaf);
    for (let round = 0; round < 5; round++) {
      for (const [id, worker] of others) {
        while (worker.tables.length > 0) model.hear(worker);
        while (worker.confirmed.length > 0) model.confirm(id, worker);
      }
    }
    expect(model.holders(key)).toEqual([deaf]);
    model.settle();
    expect(model.holders(key)).toEqual([successor]);
  });
});
