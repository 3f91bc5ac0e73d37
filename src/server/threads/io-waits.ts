/**
 * Handlers that wait for an I/O thread of `filrouge/blocking`: who they are, and the end of their wait when the time of their request is up.
 *
 * @module
 */
import { tookTooLong } from '../../exchange/respond.ts';
import { log } from '../operator-log.ts';
import type { Flight } from './flight.ts';
import type { HandlerThread } from './handler-thread.ts';
import { busy, elapsed, fieldsOf, nameOf, recordOverdue } from './overdue.ts';

/** How long a handler may go on whose wait was ended, ms. */
const RECALL_TIME = 1000;

/** How many threads wait, by the name of the call. */
export function waitsOf(threads: Iterable<HandlerThread>): Record<string, number> {
  const waits: Record<string, number> = {};
  for (const { waitsIn } of threads) if (waitsIn !== undefined) waits[waitsIn] = (waits[waitsIn] ?? 0) + 1;
  return waits;
}

/** Tells the thread of a request that its client has left, or its time is up. */
export function abort(flight: Flight, reason: Error): void {
  const { thread, id } = flight;
  if (!thread) return flight.refuse(busy(flight)); // nobody reads it
  thread.learnRoute?.(id); // what it is counted under
  if (reason.name === 'TimeoutError') recordOverdue(flight);
  flight.tellSent();
  thread.post(['abort', id, reason.message, reason.name]);
  if (reason.name !== 'TimeoutError') thread.endWait(id, 'client-gone'); // that is the pool's to say
}

/** Answers 503 for a handler that waits, and ends its wait: its thread goes on. @returns False when it does not wait. */
export function endWait(thread: HandlerThread, flight: Flight, now: number): boolean {
  const call = thread.waitsIn;
  if (call === undefined || !thread.endWait(flight.id, 'time-is-up')) return false;
  flight.recalledAt = now;
  recordOverdue(flight);
  flight.answerInstead(tookTooLong(flight.request));
  const message = `${nameOf(flight)} has taken ${elapsed(flight, now)} and waits in ${call}; the call is ended, answered 503`;
  log('timed-out', message, { ...fieldsOf(flight, now), waitsIn: call });
  return true;
}

/** Whether a handler goes on although its wait was ended. */
export function isDeaf(thread: HandlerThread, flight: Flight, now: number): boolean {
  return flight.recalledAt > 0 && flight.recalledAt < now - RECALL_TIME && thread.running === flight;
}
