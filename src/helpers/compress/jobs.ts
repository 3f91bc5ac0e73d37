/**
 * Limits how much is compressed at the same time.
 *
 * node:zlib works on the four threads of libuv, as do the file system and name look-ups. Fifty responses at once would fill them,
 * and a small file would wait behind all of them. So at most two pieces are being compressed, whatever the number of responses; the others
 * wait in the order in which they came. As a piece is at most 64 KiB, about a millisecond's work, all responses go on side by side.
 *
 * Handler threads have a count each. One for all of them would be wrong: a handler that blocks keeps its thread's turns until it is done.
 *
 * @module
 */

/** Half of libuv's threads: the other half stays for files. */
const MOST = 2;

let running = 0;
const waiting: (() => void)[] = [];

/** Waits for a turn. Each turn must be given back with `endJob`, whatever happens. */
export function startJob(): Promise<void> | undefined {
  if (running < MOST) {
    running++;
    return undefined;
  }
  return new Promise((resolve) => waiting.push(resolve));
}

/** Passes the turn on to the next caller that waits. */
export function endJob(): void {
  const next = waiting.shift();
  if (next) next();
  else running--;
}

/** How many jobs run and how many wait: for tests. */
export function jobs(): { readonly running: number; readonly waiting: number } {
  return { running, waiting: waiting.length };
}
