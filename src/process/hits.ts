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

/** Counts one hit somewhere. */
export type CountHit = (key: string, window: number, limit: number) => Hits | Promise<Hits>;

const own: HitCounter = new HitCounter();
let elsewhere: CountHit | undefined;

/** @internal Registered by the server in a process that shares its count with others. */
export function countHitsWith(count: CountHit): void {
  elsewhere = count;
}

/** Counts one hit for the whole server. */
export function countHit(key: string, window: number, limit: number): Hits | Promise<Hits> {
  return elsewhere ? elsewhere(key, window, limit) : countHitHere(key, window, limit);
}

/** Counts one hit for this process only. */
export function countHitHere(key: string, window: number, limit: number): Hits {
  return own.hit(key, window, limit, performance.now());
}
