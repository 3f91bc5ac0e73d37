/**
 * Collections of garbage in this thread.
 *
 * @module
 */
import { constants, type NodeGCPerformanceDetail, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import type { GcFigures } from '../../process/server-status.ts';

const KINDS: ReadonlyMap<number, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
]);

/** What an observer of `gc` gets: its types know only that of the base class. */
type GcEntry = PerformanceEntry & { readonly detail: NodeGCPerformanceDetail };

/** Counts collections until it is stopped. */
export class GcWatch {
  readonly #figures: Record<string, GcFigures> = {};
  readonly #observer: PerformanceObserver;

  constructor() {
    this.#observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) this.#add(entry as GcEntry);
    });
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  /** What has been counted, by kind. */
  read(): Record<string, GcFigures> {
    return { ...this.#figures };
  }

  stop(): void {
    this.#observer.disconnect();
  }

  #add({ detail, duration }: GcEntry): void {
    const kind = KINDS.get(detail.kind ?? 0) ?? 'other';
    const { count, seconds } = this.#figures[kind] ?? { count: 0, seconds: 0 };
    this.#figures[kind] = { count: count + 1, seconds: seconds + duration / 1000 };
  }
}
