/**
 * Who answers for which keys: what the primary tells every worker, and what each of them concludes.
 *
 * @module
 */
import { slotOf } from '../../process/place/slots.ts';

/** Nobody holds a slot: its keys go to the next heaviest. */
export const VACANT = 0;
/** A slot is changing hands: requests with its keys wait for the next table. */
export const CHANGING: number = -1;

/** A table. Each has a higher version than the one before. */
export interface AffinityTable {
  readonly version: number;
  /** For each slot the id of a worker, `VACANT` or `CHANGING`. */
  readonly holders: readonly number[];
}

/** What decides who answers a request: its key, or without one the slot of the worker that has accepted it. */
export type AffinityKey = string | number;

/** What workers know before the primary has told them anything. */
export const NO_TABLE: AffinityTable = { version: 0, holders: [] };

/** The worker that answers for a key; undefined: none does yet, wait for the next table. */
export function holderOf({ holders }: AffinityTable, key: AffinityKey): number | undefined {
  const slot = typeof key === 'number' ? key : slotOf(key, holders.length, (candidate) => holders[candidate] !== VACANT);
  const holder = holders[slot] ?? VACANT;
  return holder > VACANT ? holder : undefined;
}
