/**
 * Keys that name the worker which has made them.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { homeSlot, slotOf } from '../process/place/slots.ts';

/** Bytes of chance in a key: 144 bits, of which the choice of a worker takes away as many as their number has. */
const BYTES = 18;

/**
 * Makes a random key that the option `affinity` leads to the worker which has made it: for ids of sessions that live in its memory.
 *
 * It cannot be guessed. It leads there as long as the worker lives, and to its successor afterwards. With the prefix it is the whole key: `affinity` has
 * to return it as it was made. Without `affinity`, or with fewer than two workers, any random key will do, and is what this gives.
 *
 * @param prefix What it begins with. Default: nothing.
 * @returns The prefix and 24 characters of `A-Z a-z 0-9 - _`.
 * @example
 * const sessionId = affinityKeyHere();
 * sessions.set(sessionId, new Game());
 * return Response.empty(201).withHeader('Session-Id', sessionId); // affinity: (head) => head.header('session-id')
 */
export function affinityKeyHere(prefix = ''): string {
  const home = homeSlot();
  for (;;) {
    const key = prefix + randomBytes(BYTES).toString('base64url');
    if (home === undefined || slotOf(key, home.count, () => true) === home.slot) return key;
  }
}
