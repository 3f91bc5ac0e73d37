/** Waiting for a condition, without a fixed time. */
import { setTimeout as pause } from 'node:timers/promises';

/**
 * How long anything that is waited for may take before the test fails, ms: far longer than it takes, as a machine may be slow and busy, and less
 * than the 30 s after which a server ends by itself what has hung.
 */
export const DEADLINE = 20_000;
/** How often it is looked, ms. */
const PAUSE = 5;
/** How often someone is asked for whom an answer is work, ms. */
const LONG_PAUSE = 50;
/** How long a count must have been the same to be taken for the last, ms. */
const STILL = 200;

/**
 * Asks again and again until there is an answer.
 *
 * @param ask Gives undefined as long as the condition does not hold.
 * @param what Says what was waited for in vain.
 */
export async function until<T>(
  ask: () => T | undefined | Promise<T | undefined>,
  what: () => string,
  deadline: number = DEADLINE,
  pauseFor: number = PAUSE,
): Promise<T> {
  const end = performance.now() + deadline;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(`Waited in vain for ${what()}`);
    await pause(pauseFor);
  }
}

/** The same for what is work to tell, as the status of a server is to all its processes and threads: it is asked for less often. */
export function untilTold<T>(ask: () => Promise<T | undefined>, what: () => string): Promise<T> {
  return until(ask, what, DEADLINE, LONG_PAUSE);
}

/**
 * Waits until something that is counted has begun and goes no further, as a source does that nobody asks for more.
 *
 * @returns The count.
 */
export async function standsStill(count: () => number): Promise<number> {
  let last = 0;
  let since = performance.now();
  return until(
    () => {
      const present = count();
      if (present !== last) since = performance.now();
      last = present;
      return last > 0 && performance.now() - since > STILL ? last : undefined;
    },
    () => `a count that stands still, the last was ${last}`,
  );
}
