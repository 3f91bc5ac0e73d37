/**
 * Which slot a key belongs to. A server with `affinity` has as many slots as workers; each is held by one worker, and by its successor after it.
 *
 * Every slot has a weight for every key (rendezvous hashing), and the key belongs to the heaviest: so when a slot has no holder, its keys and no others
 * go to the next heaviest, spread over all.
 *
 * @module
 */

/** FNV-1a, 32 bits: keys are short. */
const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

/** The slot of this worker, and how many there are; undefined where workers have none. */
let home: { readonly slot: number; readonly count: number } | undefined;

/** Tells this process or thread which slot its worker has. @param text As `homeText` gives it: empty when it has none. */
export function settleIn(text: string): void {
  const [slot, count] = text.split(':').map(Number);
  home = slot === undefined || count === undefined ? undefined : { slot, count };
}

/** What a thread is told of the slot of its worker: empty when there is none. */
export function homeText(): string {
  return home ? `${home.slot}:${home.count}` : '';
}

/** The slot of this worker, and how many there are. */
export function homeSlot(): { readonly slot: number; readonly count: number } | undefined {
  return home;
}

/** The heaviest of the slots for a key. @param isCandidate Which of them count. @returns Its number; -1 when none counts. */
export function slotOf(key: string, count: number, isCandidate: (slot: number) => boolean): number {
  const hash = hashOf(key);
  let best = -1;
  let heaviest = -1;
  for (let slot = 0; slot < count; slot++) {
    if (!isCandidate(slot)) continue;
    const weight = mix(hash ^ Math.imul(slot + 1, 0x9e3779b1));
    if (weight > heaviest) {
      best = slot;
      heaviest = weight;
    }
  }
  return best;
}

function hashOf(key: string): number {
  let hash = OFFSET;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), PRIME);
  return hash;
}

/** The finalizer of MurmurHash3: each bit of the result depends on every bit of `value`. */
function mix(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
