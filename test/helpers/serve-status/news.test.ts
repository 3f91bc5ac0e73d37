import { describe, expect, it } from 'vitest';
import { newsOf, Teller } from '../../../src/helpers/serve-status/news.ts';
import type { ServerSentEvent } from '../../../src/http/event-stream.ts';
import { DURATION_BOUNDS, DurationTally, NO_DURATIONS } from '../../../src/process/durations.ts';
import { NO_TOTALS, NOTHING_NOW, type ServerStatus, type WorkerStatus } from '../../../src/process/server-status.ts';
import type { ServerActivity } from '../../../src/process/watching/server-activity.ts';

const NOW = { generation: 1, restarts: 0, bounds: DURATION_BOUNDS };
const QUIET: ServerActivity = { workers: [], marks: [] };

function answers(status: number, count: number): WorkerStatus['answered'][number] {
  return { route: '/', method: 'GET', status, count, durations: undefined };
}

/** What a worker was seen to do: so many requests that took so long. */
function seen(pid: number, count: number, seconds: number): ServerActivity {
  const tally = new DurationTally();
  for (let i = 0; i < count; i++) tally.add(seconds);
  return { workers: [{ pid, generation: 1, threads: [], slowest: [], latency: tally.read() }], marks: [] };
}

function worker(pid: number, answered: WorkerStatus['answered'], more: Partial<WorkerStatus> = {}): WorkerStatus {
  return { ...NO_TOTALS, ...NOTHING_NOW, pid, generation: 1, rss: 1000, answered, ...more };
}

function statusOf(...workers: WorkerStatus[]): ServerStatus {
  return { ...NO_TOTALS, ...NOW, workers };
}

describe('the events of a status page', () => {
  it('ask the server once for each, and no more when the client has left', async () => {
    let asked = 0;
    const status = async () => {
      asked++;
      return statusOf();
    };
    const news = newsOf({ status, activity: async () => QUIET, stackOf: async () => undefined });
    const first = await news.next();
    expect((first.value as ServerSentEvent).data).toMatch(/^\{"at":\d+,"generation":1,/);
    await news.return(undefined);
    expect((await news.next()).done).toBe(true);
    expect(asked).toBe(1);
  });

  it('end when the server is gone: the browser looks for another', async () => {
    const status = () => Promise.reject(new Error('the primary is gone'));
    const news = newsOf({ status, activity: async () => QUIET, stackOf: async () => undefined });
    expect((await news.next()).done).toBe(true);
  });
});

describe('what a status page is told', () => {
  it('has no rates at first, and then those since it was told last', () => {
    const teller = new Teller();
    const first = teller.tell(statusOf(worker(1, [answers(200, 1000)])), seen(1, 500, 7), 1000);
    expect(first.rates).toEqual({ answers: null, failures: null, refusals: null, p50: null, p95: null, p99: null, loopDelay: null });
    const later = statusOf(worker(1, [answers(200, 1100), answers(500, 10)], { refused: { '400': 4 } }));
    const { rates } = teller.tell(later, seen(1, 500, 7), 3000);
    expect(rates).toMatchObject({ answers: 55, failures: 5, refusals: 2, p50: null, loopDelay: null });
  });

  it('has the latency of what was answered since it was told last', () => {
    const teller = new Teller();
    const status = statusOf(worker(1, []));
    teller.tell(status, seen(1, 0, 0), 1000);
    const { rates } = teller.tell(status, seen(1, 100, 0.1), 2000);
    expect(rates.p50).toBeGreaterThan(50);
    expect(rates.p99).toBeLessThanOrEqual(100);
    expect(teller.tell(status, seen(1, 100, 0.1), 3000).rates.p50).toBeNull();
  });

  it('is neither a fall nor a flood when a worker is mute for a while: what it told last stands', () => {
    const teller = new Teller();
    const mute = worker(1, [], { rss: 0 });
    teller.tell(statusOf(worker(1, [answers(200, 5000)], { connections: 9 })), seen(1, 50, 0.1), 1000);
    const meanwhile = teller.tell(statusOf(mute), seen(1, 0, 0), 2000);
    expect(meanwhile.rates).toMatchObject({ answers: 0, p50: null });
    expect(meanwhile.workers[0]).toMatchObject({ pid: 1, connections: 9, rss: 1000 });
    const afterwards = teller.tell(statusOf(worker(1, [answers(200, 5003)])), seen(1, 50, 0.1), 3000);
    expect(afterwards.rates).toMatchObject({ answers: 3, p50: null });
  });

  it('counts all that a new worker has answered, and nothing of one that is gone', () => {
    const teller = new Teller();
    teller.tell(statusOf(worker(1, [answers(200, 10)])), QUIET, 1000);
    expect(teller.tell(statusOf(worker(2, [answers(200, 7)])), QUIET, 2000).rates.answers).toBe(7);
  });

  it('has each mark once, and the slowest of all workers in one order, fifteen at most', () => {
    const teller = new Teller();
    const mark = (message: string) => ({ at: 1, event: 'replaced', message });
    const slow = (ms: number) => ({ method: 'GET', path: '/', ms, at: 1, status: 200 });
    const busy = (pid: number) => ({
      pid,
      generation: 1,
      threads: [],
      latency: NO_DURATIONS,
      slowest: Array.from({ length: 10 }, (_, i) => slow(i * 10 + pid)),
    });
    const first = teller.tell(statusOf(), { workers: [busy(1), busy(2)], marks: [mark('a')] }, 1);
    expect(first.slowest.map(({ ms }) => ms).slice(0, 4)).toEqual([92, 91, 82, 81]);
    expect(first.slowest).toHaveLength(15);
    expect(first.marks).toEqual([mark('a')]);
    expect(teller.tell(statusOf(), { workers: [], marks: [mark('a'), mark('b')] }, 2).marks).toEqual([mark('b')]);
  });
});
