/**
 * One answer for all who ask at about the same time: several status pages cost what one costs.
 *
 * @module
 */

/** For how long an answer is given again, ms: less than the interval at which a page asks. */
const WHILE = 400;

/** Wraps a question: while it is being answered, and for a moment after that, everybody gets the same answer. */
export function sharedForAWhile<A>(ask: () => Promise<A>): () => Promise<A> {
  let last: Promise<A> | undefined;
  let until = 0;
  return () => {
    if (last && performance.now() < until) return last;
    const answer = ask().finally(() => {
      if (last === answer) until = performance.now() + WHILE;
    });
    last = answer;
    until = Number.POSITIVE_INFINITY;
    return answer;
  };
}
