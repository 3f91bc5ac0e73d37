import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LeaseGate } from '../../../src/server/supervisor/inside/lease-gate.ts';
import { type Borrower, Lender } from '../../../src/server/supervisor/lender.ts';

/** A primary and its workers; what they say to each other arrives when the test lets it, in order for each direction. */
class Leases {
  readonly total: number;
  readonly lender: Lender;
  readonly workers: Worker[] = [];

  constructor(total: number, count: number) {
    this.total = total;
    this.lender = new Lender(total, count);
    for (let i = 0; i < count; i++) this.fork();
  }

  get alive(): Worker[] {
    return this.workers.filter((worker) => worker.isAlive);
  }

  get admitted(): number {
    return this.alive.reduce((sum, { admitted }) => sum + admitted, 0);
  }

  fork(): Worker {
    const worker = new Worker(this.lender);
    this.workers.push(worker);
    this.lender.add(worker);
    return worker;
  }

  /** Delivers everything that has been said, and what is said upon it. */
  async settle(): Promise<void> {
    for (;;) {
      const busy = this.workers.filter((worker) => worker.deliverUp() || worker.deliverDown());
      await Promise.resolve(); // answers to connections are promises
      if (busy.length === 0) return;
    }
  }

  /** How many connections could still come in, over all workers: what is lent and unused, and what is free. */
  async room(): Promise<number> {
    const [worker] = this.alive;
    if (!worker) return this.total;
    let count = 0;
    for (;;) {
      const before = worker.admitted;
      worker.enter();
      await this.settle();
      if (worker.admitted === before) return count;
      count++;
    }
  }
}

/** One worker: its gate, its connections, and the two directions of its channel. */
class Worker implements Borrower {
  lent = 0;
  isAlive = true;
  admitted = 0;
  refused = 0;
  /** Connections without an answer so far. */
  waiting = 0;
  readonly #up: (() => void)[] = [];
  readonly #down: (() => void)[] = [];
  readonly #gate: LeaseGate;
  readonly #lender: Lender;

  constructor(lender: Lender) {
    this.#lender = lender;
    this.#gate = new LeaseGate(
      () => this.#up.push(() => lender.want(this)),
      (count) => this.#up.push(() => lender.giveBack(this, count)),
    );
  }

  grant(count: number): void {
    this.#down.push(() => this.#gate.granted(count));
  }

  reclaim(): void {
    this.#down.push(() => this.#gate.reclaimed());
  }

  enter(): void {
    const verdict = this.#gate.enter();
    if (typeof verdict === 'boolean') return this.#judge(verdict);
    this.waiting++;
    void verdict.then((isAdmitted) => {
      this.waiting--;
      this.#judge(isAdmitted);
    });
  }

  leave(): void {
    if (this.admitted === 0) return;
    this.admitted--;
    this.#gate.leave();
  }

  /** The process ends. What it has said may arrive after that. */
  die(): void {
    this.isAlive = false;
    this.#lender.remove(this);
  }

  /** One message reaches the primary. */
  deliverUp(): boolean {
    const message = this.#up.shift();
    message?.();
    return message !== undefined;
  }

  /** One message reaches the worker, if it still hears any. */
  deliverDown(): boolean {
    const message = this.#down.shift();
    if (this.isAlive) message?.();
    return message !== undefined;
  }

  #judge(isAdmitted: boolean): void {
    if (isAdmitted) this.admitted++;
    else this.refused++;
  }
}

async function enterMany(worker: Worker, count: number, leases: Leases): Promise<void> {
  for (let i = 0; i < count; i++) worker.enter();
  await leases.settle();
}

const total = fc.integer({ min: 1, max: 300 });
const worker = fc.nat({ max: 5 });
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('enter' as const), worker, count: fc.integer({ min: 1, max: 80 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('leave' as const), worker, count: fc.integer({ min: 1, max: 80 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constantFrom('up' as const, 'down' as const), worker, count: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('die' as const, 'fork' as const), worker, count: fc.constant(1) }) },
);

function take(leases: Leases, kind: 'enter' | 'leave' | 'up' | 'down' | 'die' | 'fork', index: number): void {
  if (kind === 'fork') return void leases.fork();
  const one = leases.workers[index % leases.workers.length] as Worker; // there is one at least
  if (kind === 'up') one.deliverUp();
  else if (!one.isAlive) return;
  else if (kind === 'down') one.deliverDown();
  else if (kind === 'enter') one.enter();
  else if (kind === 'leave') one.leave();
  else one.die();
}

describe('leases of connections', () => {
  it('let in as many as the whole server may have, and no more, whichever worker they come to', async () => {
    const leases = new Leases(100, 4);
    for (const one of leases.workers) await enterMany(one, 40, leases);
    expect(leases.admitted).toBe(100);
    expect(leases.workers.reduce((sum, { refused }) => sum + refused, 0)).toBe(60);
  });

  it('let one worker have them all when the others need none', async () => {
    const leases = new Leases(100, 4);
    const [first] = leases.workers as [Worker];
    await enterMany(first, 101, leases);
    expect([first.admitted, first.refused]).toEqual([100, 1]);
  });

  it('take back what another worker has on loan and does not use, before anybody is refused', async () => {
    const leases = new Leases(100, 2);
    const [first, second] = leases.workers as [Worker, Worker];
    await enterMany(first, 100, leases);
    for (let i = 0; i < 50; i++) first.leave();
    await enterMany(second, 50, leases);
    expect([first.admitted, second.admitted, second.refused]).toEqual([50, 50, 0]);
  });

  it('give a place that becomes free to the connection that waits in the same worker', async () => {
    const leases = new Leases(1, 1);
    const [only] = leases.workers as [Worker];
    await enterMany(only, 1, leases);
    only.enter(); // the primary is asked, and has not answered
    only.leave();
    await Promise.resolve();
    expect([only.admitted, only.waiting]).toEqual([1, 0]);
  });

  it('come back from a worker that dies', async () => {
    const leases = new Leases(10, 2);
    const [first, second] = leases.workers as [Worker, Worker];
    await enterMany(first, 10, leases);
    first.die();
    await enterMany(second, 10, leases);
    expect(second.admitted).toBe(10);
  });

  it('answer connections that wait for a worker which dies instead of answering', async () => {
    const leases = new Leases(2, 2);
    const [first, second] = leases.workers as [Worker, Worker];
    await enterMany(first, 2, leases);
    second.enter();
    second.deliverUp(); // the first is asked to give back
    first.die();
    await leases.settle();
    expect([second.admitted, second.waiting]).toEqual([1, 0]);
  });

  it('do not come back twice from a worker that dies while it gives some back', async () => {
    const leases = new Leases(400, 1);
    const [first] = leases.workers as [Worker];
    await enterMany(first, 200, leases);
    for (let i = 0; i < 100; i++) first.leave(); // some go back: the message is on its way
    first.die();
    const second = leases.fork();
    await leases.settle();
    await enterMany(second, 500, leases);
    expect(second.admitted).toBe(400);
  });

  it('are not lent to a worker that has died while it asked', async () => {
    const leases = new Leases(400, 1);
    const [first] = leases.workers as [Worker];
    first.enter(); // it asks: the message is on its way
    first.die();
    const second = leases.fork();
    await leases.settle();
    await enterMany(second, 400, leases);
    expect(second.admitted).toBe(400);
  });

  it('never exceed the number, answer everybody, and are all there in the end, in any order of events', async () => {
    await fc.assert(
      fc.asyncProperty(total, fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 60 }), async (most, count, steps) => {
        const leases = new Leases(most, count);
        for (const { kind, worker: index, count: times } of steps) {
          for (let i = 0; i < times; i++) take(leases, kind, index);
          await Promise.resolve();
          expect(leases.admitted).toBeLessThanOrEqual(most);
          expect(leases.workers.every(({ lent }) => lent >= 0)).toBe(true);
          expect(leases.alive.reduce((sum, { lent }) => sum + lent, 0)).toBeLessThanOrEqual(most);
        }
        await leases.settle();
        expect(leases.alive.filter(({ waiting }) => waiting > 0)).toEqual([]);
        expect(leases.admitted + (await leases.room())).toBe(most);
      }),
      { numRuns: 300 },
    );
  });
});
