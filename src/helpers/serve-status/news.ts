/**
 * What a status page is told, once a second.
 *
 * The server counts; a page shows what has happened since it was told last. So what is sent are differences, worker by worker: a worker that is stuck and
 * tells nothing for a while must neither look like a fall of all counts, nor like a flood when it tells again.
 *
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { ServerSentEvent } from '../../http/event-stream.ts';
import { addDurations, type Durations, durationsSince, NO_DURATIONS, quantileOf } from '../../process/durations.ts';
import type { ServerStatus, WorkerStatus } from '../../process/server-status.ts';
import type { ObservedServer, ServerActivity, ServerMark, SlowRequest, ThreadActivity } from '../../process/watching/server-activity.ts';

/** How often a page is told, ms. */
const INTERVAL = 1000;
/** How many of the slowest requests of all workers are told. */
const MOST_SLOW = 15;

/** What has happened since the page was told last; null where nothing can be said. */
export interface Rates {
  /** Answers a second. */
  readonly answers: number | null;
  /** Of these, with 500 or above. */
  readonly failures: number | null;
  /** What was refused before a handler, a second. */
  readonly refusals: number | null;
  /** How long answers took, ms. */
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  /** How late event loops were, ms: the 99th percentile over all workers. */
  readonly loopDelay: number | null;
}

/** One worker at this moment. */
export interface WorkerNews {
  readonly pid: number;
  readonly generation: number;
  readonly connections: number;
  readonly inFlight: number;
  readonly queued: number;
  readonly rss: number;
  readonly threads: readonly ThreadActivity[];
}

/** What is sent. */
export interface News {
  /** Ms since the epoch. */
  readonly at: number;
  readonly generation: number;
  readonly restarts: number;
  readonly requests: number;
  readonly rates: Rates;
  readonly workers: readonly WorkerNews[];
  readonly slowest: readonly (SlowRequest & { readonly pid: number })[];
  /** Those that were not sent before. */
  readonly marks: readonly ServerMark[];
}

/** The events of one page, until its client leaves or the server is gone. */
export async function* newsOf(server: ObservedServer): AsyncGenerator<ServerSentEvent> {
  const teller = new Teller();
  for (;;) {
    let news: News;
    try {
      news = teller.tell(...(await Promise.all([server.status(), server.activity()])), Date.now());
    } catch {
      return; // the primary is gone: the browser looks for another server
    }
    yield { data: JSON.stringify(news), retry: INTERVAL };
    await pause(INTERVAL, undefined, { ref: false });
  }
}

/** What counts in a worker. */
interface Counted {
  readonly answers: number;
  readonly failures: number;
  readonly refusals: number;
  readonly latency: Durations;
  readonly loopDelay: Durations;
}

const NOTHING: Counted = { answers: 0, failures: 0, refusals: 0, latency: NO_DURATIONS, loopDelay: NO_DURATIONS };

/** Remembers what one page was told last: as much as there are workers and marks. */
export class Teller {
  #at: number | undefined;
  /** What the workers told last, and how far their counts were. */
  #workers: ReadonlyMap<number, { readonly status: WorkerStatus; readonly counted: Counted }> = new Map();
  #marks: ReadonlySet<string> = new Set();

  /** What is to be told now. */
  tell({ generation, restarts, requests, ...status }: ServerStatus, activity: ServerActivity, at: number): News {
    const before = this.#workers;
    const seconds = this.#at === undefined ? undefined : Math.max(at - this.#at, 1) / 1000;
    this.#at = at;
    this.#workers = new Map(status.workers.map((worker) => [worker.pid, this.#heard(worker, activity)]));
    let sum = NOTHING; // what was before the page was opened did not happen in a second
    if (seconds !== undefined) {
      for (const [pid, { counted }] of this.#workers) sum = added(sum, since(before.get(pid)?.counted ?? NOTHING, counted));
    }
    return {
      at,
      generation,
      restarts,
      requests,
      rates: ratesOf(sum, seconds),
      workers: [...this.#workers.values()].map((heard) => workerNews(heard.status, activity)),
      slowest: slowestOf(activity),
      marks: this.#fresh(activity.marks),
    };
  }

  /** One that is mute does not even tell its memory: what it told last stands. */
  #heard(status: WorkerStatus, { workers }: ServerActivity): { readonly status: WorkerStatus; readonly counted: Counted } {
    const last = this.#workers.get(status.pid);
    if (last && status.rss === 0) return last;
    const latency = workers.find(({ pid }) => pid === status.pid)?.latency ?? NO_DURATIONS;
    const known = last?.counted.latency ?? NO_DURATIONS;
    return { status, counted: countedOf(status, latency.count < known.count ? known : latency) };
  }

  #fresh(all: readonly ServerMark[]): ServerMark[] {
    const marks = new Map(all.map((mark) => [`${mark.at} ${mark.message}`, mark]));
    const fresh = [...marks].flatMap(([key, mark]) => (this.#marks.has(key) ? [] : [mark]));
    this.#marks = new Set(marks.keys());
    return fresh;
  }
}

function ratesOf(sum: Counted, seconds: number | undefined): Rates {
  const rate = (count: number): number | null => (seconds === undefined ? null : count / seconds);
  const ms = (durations: Durations, share: number): number | null => {
    const found = quantileOf(durations, share);
    return found === undefined ? null : found * 1000;
  };
  return {
    answers: rate(sum.answers),
    failures: rate(sum.failures),
    refusals: rate(sum.refusals),
    p50: ms(sum.latency, 0.5),
    p95: ms(sum.latency, 0.95),
    p99: ms(sum.latency, 0.99),
    loopDelay: ms(sum.loopDelay, 0.99),
  };
}

function countedOf({ answered, refused, loopDelay }: WorkerStatus, latency: Durations): Counted {
  return {
    answers: answered.reduce((sum, { count }) => sum + count, 0),
    failures: answered.reduce((sum, { status, count }) => sum + (status >= 500 ? count : 0), 0),
    refusals: Object.values(refused).reduce((sum, count) => sum + count, 0),
    latency,
    loopDelay,
  };
}

function since(before: Counted, now: Counted): Counted {
  return {
    answers: now.answers - before.answers,
    failures: now.failures - before.failures,
    refusals: now.refusals - before.refusals,
    latency: durationsSince(before.latency, now.latency),
    loopDelay: durationsSince(before.loopDelay, now.loopDelay),
  };
}

function added(a: Counted, b: Counted): Counted {
  return {
    answers: a.answers + b.answers,
    failures: a.failures + b.failures,
    refusals: a.refusals + b.refusals,
    latency: addDurations(a.latency, b.latency),
    loopDelay: addDurations(a.loopDelay, b.loopDelay),
  };
}

function workerNews({ pid, generation, connections, inFlight, queued, rss }: WorkerStatus, activity: ServerActivity): WorkerNews {
  const threads = activity.workers.find((worker) => worker.pid === pid)?.threads ?? [];
  return { pid, generation, connections, inFlight, queued, rss, threads };
}

function slowestOf({ workers }: ServerActivity): News['slowest'] {
  const all = workers.flatMap(({ pid, slowest }) => slowest.map((request) => ({ ...request, pid })));
  return all.toSorted((a, b) => b.ms - a.ms).slice(0, MOST_SLOW);
}
