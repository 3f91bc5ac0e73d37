/**
 * Promises of answers that end with their request.
 *
 * @module
 */
import type { Request } from '../request.ts';

/**
 * Takes the rejection of an answer for handled once its request is over: nobody is left to be answered. A handler that does not wait for it, because
 * `await` was forgotten or the answer of another was there first, has lost nothing; as an unhandled rejection it would cost the process.
 *
 * @returns The same promise.
 */
export function whileAsked<T>(request: Request, answer: Promise<T>): Promise<T> {
  request.onEnd(() => void answer.catch(() => {}));
  return answer;
}
