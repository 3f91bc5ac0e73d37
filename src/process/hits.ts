/**
 * One count for the whole server: helpers count here, and the server decides where the count is kept.
 *
 * Without workers that is this process. A worker asks its primary, which outlives it, so that a limit holds across all workers, even when
 * they die.
 *
 * @module
 */
import { HitCounter } from './hit-counter.ts';
import type { Hits } from './stores.ts';

/** What is done to the count of a key: one more, nothing, or back to zero. */
export type HitAct = 'hit' | 'peek' | 'reset';

/** Counts somewhere. */
export type CountHit = (key: string, window: number, limit: number, act: HitAct) => Hits | Promise<Hits>;

const own: HitCounter = new HitCounter();
let elsewhere: CountHit | undefined;

/** @internal Registered by the server in a process that shares its count with others. */
export function countHitsWith(count: CountHit): void {
  elsewhere = count;
}

/** Counts for the whole server. */
export function countHit(key: string, window: number, limit: number, act: HitAct = 'hit'): Hits | Promise<Hits> {
  return elsewhere ? elsewhere(key, window, limit, act) : countHitHere(key, window, limit, act);
}

/** Counts for this process only. */
export function countHitHere(key: string, window: number, limit: number, act: HitAct = 'hit'): Hits {
  return own[act](key, window, limit, performance.now());
}
