import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Handler } from '../../../src/exchange/respond.ts';
import { Request } from '../../../src/http/request.ts';
import { Response } from '../../../src/http/response.ts';
import { resolveOptions } from '../../../src/server/options.ts';
import { Recycling } from '../../../src/server/supervisor/inside/recycling.ts';

const MiB = 2 ** 20;
const LIMIT = 100 * MiB;
/** As in recycling.ts. */
const INTERVAL = 20;
const REQUESTS_BETWEEN = 4;
const LONGEST_WAIT = 5000;
const AFTERMATH = 10_000;
const REST = 10_000;

const FULL = LIMIT * 0.99;
const NEAR = LIMIT * 0.9;

/** A worker whose memory and requests are what the test says. */
class Scene {
  rss = 10 * MiB;
  requests = 0;
  mayAsk = true;
  /** The memory with which it has asked for a successor. */
  readonly asked: number[] = [];
  /** Requests that have reached the handler. */
  begun = 0;
  readonly recycling: Recycling;
  readonly #handler: Handler;

  constructor(options: { maxMemoryPerWorker?: number; maxRequestsPerWorker?: number }) {
    vi.spyOn(process.memoryUsage, 'rss').mockImplementation(() => this.rss);
    const worker = { ask: (rss: number) => this.asked.push(rss), mayAsk: () => this.mayAsk };
    this.recycling = new Recycling(resolveOptions(options), worker);
    this.#handler = this.recycling.guard(() => {
      this.begun++;
      return Response.text('served');
    });
    this.recycling.start(() => this.requests);
  }

  /** A request comes. */
  request(): void {
    void this.#handler(new Request());
  }

  /** Lets the worker weigh itself once at each of these weights. */
  weigh(...weights: number[]): void {
    for (const rss of weights) {
      this.rss = rss;
      vi.advanceTimersByTime(INTERVAL);
    }
  }

  /** Lets requests that were let go reach the handler. */
  async settle(): Promise<void> {
    for (let i = 0; i < 3; i++) await Promise.resolve();
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] });
  vi.advanceTimersByTime(1000);
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('the memory of a worker', () => {
  it('is not weighed without a bound', () => {
    const scene = new Scene({});
    scene.weigh(10_000 * MiB);
    expect(scene.asked).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('has it ask for a successor, once, when the limit is near', () => {
    const scene = new Scene({ maxMemoryPerWorker: LIMIT });
    scene.weigh(FULL, FULL, LIMIT * 2);
    expect(scene.asked).toEqual([FULL]);
  });

  it('has it ask early when it grows so fast that the successor would come too late', () => {
    const scene = new Scene({ maxMemoryPerWorker: LIMIT });
    scene.weigh(...Array.from({ length: 25 }, () => NEAR - 20 * MiB), NEAR);
    expect(scene.asked).toEqual([NEAR]);
  });

  it('does not have it ask when it is high, but steady', () => {
    const scene = new Scene({ maxMemoryPerWorker: LIMIT });
    scene.weigh(...Array.from({ length: 100 }, () => NEAR));
    expect(scene.asked).toEqual([]);
  });

  it('does not have it ask when it grows so slowly that the successor would come in time', () => {
    const scene = new Scene({ maxMemoryPerWorker: LIMIT });
    scene.weigh(...Array.from({ length: 100 }, (_, i) => LIMIT * 0.8 + (i / 10) * MiB));
    expect(scene.asked).toEqual([]);
  });
});

describe('the number of requests of a worker', () => {
  it('has it ask for a successor, within a tenth of the number', () => {
    const scene = new Scene({ maxRequestsPerWorker: 1000 });
    scene.requests = 899;
    scene.weigh(0);
    expect(scene.asked).toEqual([]);
    scene.requests = 1100;
    scene.weigh(0);
    expect(scene.asked).toHaveLength(1);
  });

  it('never has requests wait', async () => {
    const scene = new Scene({ maxRequestsPerWorker: 10 });
    scene.requests = 100;
    scene.weigh(0);
    scene.request();
    await scene.settle();
    expect(scene.begun).toBe(1);
  });
});

describe('requests of a worker whose memory is full', () => {
  it('wait until the successor is there, and are then served here', async () => {
    const scene = new Scene({ maxMemoryPerWorker: LIMIT });
    scene.weigh(FULL);
    scene.request();
    scene.request();
    await scene.settle();
    expect(scene.begun).toBe(0);
    scene.recycling.goOn(true);
    await scene.settle();
    expect(scene.begun).toBe(2);
  });

  it('wait no longer than for a while', async () => {
    const scene = new Scene({ maxMemoryPerWorker: LIMIT });
    scene.weigh(FULL);
    scene.request();
    vi.advanceTimersByTime(LONGEST_WAIT);
    await scene.settle();
    expect(scene.begun).toBe(1);
  });

  it('wait for a weighing between two ticks, too, after a few of them', async () => {
    const scene = new Scene({ maxMemoryPerWorker: LIMIT });
    scene.weigh(NEAR);
    scene.rss = FULL; // the tick has not seen it yet
    for (let i = 0; i < REQUESTS_BETWEEN + 1; i++) scene.request();
    await scene.settle();
    expect(scene.begun).toBe(REQUESTS_BETWEEN - 1);
  });

  it('are served at once when no successor can start, until it is time to ask again', async () => {
    const scene = new Scene({ maxMemoryPerWorker: LIMIT });
    scene.weigh(FULL);
    scene.recycling.goOn(false);
    scene.weigh(FULL);
    scene.request();
    await scene.settle();
    expect([scene.begun, scene.asked.length]).toEqual([1, 1]);
    vi.advanceTimersByTime(REST);
    scene.request();
    await scene.settle();
    expect([scene.begun, scene.asked.length]).toEqual([1, 2]);
  });

  it('are served at once when the worker leaves, also when it then hears that there is no successor', async () => {
    const scene = new Scene({ maxMemoryPerWorker: LIMIT });
    scene.weigh(NEAR, FULL);
    scene.recycling.goOn(true);
    scene.recycling.goOn(false);
    vi.advanceTimersByTime(REST * 2);
    for (let i = 0; i < REQUESTS_BETWEEN * 2; i++) scene.request();
    await scene.settle();
    expect(scene.begun).toBe(REQUESTS_BETWEEN * 2);
  });
});

describe('what a pool of threads leaves behind', () => {
  it('has the worker ask for a successor when it stays', () => {
    const scene = new Scene({});
    scene.recycling.poolSize(false);
    scene.rss *= 2;
    scene.recycling.poolSize(true);
    vi.advanceTimersByTime(AFTERMATH);
    expect(scene.asked).toEqual([scene.rss]);
  });

  it('is forgotten when the memory has been given back', () => {
    const scene = new Scene({});
    scene.recycling.poolSize(false);
    scene.recycling.poolSize(true);
    vi.advanceTimersByTime(AFTERMATH * 10);
    expect(scene.asked).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits for a better moment while connections are taken over', () => {
    const scene = new Scene({});
    scene.mayAsk = false;
    scene.recycling.poolSize(false);
    scene.rss *= 2;
    scene.recycling.poolSize(true);
    vi.advanceTimersByTime(AFTERMATH * 3);
    expect(scene.asked).toEqual([]);
    scene.mayAsk = true;
    vi.advanceTimersByTime(AFTERMATH);
    expect(scene.asked).toEqual([scene.rss]);
  });

  it('does not count while the pool grows again', () => {
    const scene = new Scene({});
    scene.recycling.poolSize(false);
    scene.rss *= 2;
    scene.recycling.poolSize(true);
    vi.advanceTimersByTime(AFTERMATH - 1);
    scene.recycling.poolSize(false);
    vi.advanceTimersByTime(AFTERMATH * 10);
    expect(scene.asked).toEqual([]);
  });

  it('is of no interest to a worker that leaves', () => {
    const scene = new Scene({});
    scene.recycling.poolSize(false);
    scene.rss *= 2;
    scene.recycling.poolSize(true);
    scene.recycling.goOn(true);
    vi.advanceTimersByTime(AFTERMATH * 10);
    expect(scene.asked).toEqual([]);
  });
});
