/**
 * Interim responses (RFC 9110 §15.2) among the answers of a connection, which leave in the order of their requests.
 *
 * One for the request whose turn it is goes out at once. One for a later, pipelined request, whose handler is still at work, waits until
 * the answer before it is out. A client that does not read gets none: they are the first thing to do without.
 *
 * @module
 */
import type { Request } from '../../http/request.ts';
import type { ResponseWriter } from './response-writer.ts';

/** What is needed from the connection. */
interface Line {
  readonly isOver: boolean;
  readonly writer: ResponseWriter;
}

/** Most interim responses held for one request: a handler that sends more before its turn must not fill the memory. */
const MAX_HELD = 16;

/** The number of those held until a request is answered. */
const held: WeakMap<Request, number> = new WeakMap();

/** Sends one, now or later. @param before The request that is answered before; undefined: it is the turn of this one. */
export function interject(line: Line, before: Request | undefined, text: string): void {
  if (!before) return say(line, text);
  const count = held.get(before) ?? 0;
  if (count === MAX_HELD) return;
  held.set(before, count + 1);
  before.onEnd(() => say(line, text)); // its answer is out then, and the next has not begun
}

function say({ isOver, writer }: Line, text: string): void {
  if (isOver || writer.isFull) return;
  writer.gather(text);
  writer.flush();
}
