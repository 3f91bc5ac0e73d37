/**
 * Keys that parts of the package give to requests, for the option `affinity`: a part that keeps something in one worker leads its requests there without
 * being told to.
 *
 * @module
 */

/** The key of a request, from its head; undefined: it is not about this. `R` is the Request, which this layer does not know. */
type KeyOf<R> = (head: R) => string | undefined;

const given: KeyOf<never>[] = [];
let isServing = false;

/**
 * Notes how the requests of a part are led.
 *
 * @param what Named in the message.
 * @throws Error (code `bad-option`) when several workers have begun to serve without it.
 */
export function leadRequests<R>(what: string, keyOf: KeyOf<R>): void {
  if (isServing) {
    const message = `Cannot create ${what}: workers serve already, and would not lead its requests; create it before startServer`;
    throw Object.assign(new Error(message), { code: 'bad-option' }); // by hand: this folder imports nothing
  }
  given.push(keyOf);
}

/** The keys of all parts, and behind them that of the user. @param own The option. @param workers How many are about to serve. */
export function keysOf<R>(own: KeyOf<R> | undefined, workers: number): KeyOf<R> | undefined {
  if (workers > 1) isServing = true;
  if (given.length === 0) return own;
  const parts = given as KeyOf<R>[];
  return (head) => {
    for (const keyOf of parts) {
      const key = keyOf(head);
      if (key !== undefined) return key;
    }
    return own?.(head);
  };
}
