/**
 * What is said of requests that take too long: to the client, 503; to the operator, a line that names the request and the place where it stands.
 *
 * @module
 */
import type { Worker } from 'node:worker_threads';
import { refusalFor, tookTooLong } from '../../exchange/respond.ts';
import { timeIsUp } from '../../http/errors/abort-reason.ts';
import { quoted } from '../../http/escaped.ts';
import { HttpError, type Response } from '../../http/response.ts';
import { OWN_CODE } from '../../process/own-code.ts';
import { log, logTimedOut } from '../operator-log.ts';
import { placeFound } from '../seen/slowest.ts';
import { placeOf } from '../watchdog/place.ts';
import type { Flight } from './flight.ts';
import type { HandlerThread } from './handler-thread.ts';

/** The answer to a request that no thread can take. */
export function busy({ request }: Flight): Response {
  const error = new HttpError(503, 'The server is busy', { code: 'server-busy', headers: { 'Retry-After': '1' } });
  return refusalFor(request.peer.server, request, error);
}

/** Has a request recorded whose time is up, while its body is there; where it stands is told when it is known. */
export function recordOverdue(flight: Flight): void {
  const { request } = flight;
  request.peer.server?.options.recorder?.timedOut(request, () => flight.place);
}

/** A promise has not settled in time: it is left alone. */
export function timeOutPromise(thread: HandlerThread, flight: Flight, now: number): void {
  recordOverdue(flight);
  const { message: reason, name } = timeIsUp();
  thread.post(['abort', flight.id, reason, name]);
  flight.answerInstead(tookTooLong(flight.request));
  logTimedOut(flight.request, now - flight.since);
}

/** A thread does not come back. @returns What is said of it, when its place is known. */
export async function tellStuck(worker: Worker | undefined, flight: Flight | undefined, now: number): Promise<string> {
  const standing = worker ? placeOf(worker, OWN_CODE) : undefined;
  if (flight) {
    flight.place = standing;
    recordOverdue(flight);
  }
  const place = await standing;
  if (flight) placeFound(flight.request, place);
  const what = flight ? `${nameOf(flight)} has taken ${elapsed(flight, now)}` : 'a handler thread does not take requests any more';
  log('stuck', `${what} and stands ${place ?? 'in a call that cannot be looked into'}; its thread is replaced`, {
    ...(flight && fieldsOf(flight, now)),
    ...(place !== undefined && { place }),
  });
  return what;
}

/** It does not end either. */
export function tellUnstoppable(what: string): void {
  log('stuck', `${what}, and its thread cannot be stopped: something outside of JavaScript holds it; this process is to be replaced`);
}

/** A request takes longer than `slowRequest`. */
export function tellSlow(thread: HandlerThread, flight: Flight, now: number): void {
  flight.isSlow = true;
  const { worker } = thread.backing;
  const isRunning = thread.running === flight;
  const call = isRunning ? thread.waitsIn : undefined;
  const { request } = flight;
  const recorder = request.peer.server?.options.recorder;
  if (call !== undefined) {
    recorder?.slow(request, `slow, ${elapsed(flight, now)}; it waits in ${call}`);
    return log('slow', `${nameOf(flight)} is slow: ${elapsed(flight, now)}, and waits in ${call}`, {
      ...fieldsOf(flight, now),
      waitsIn: call,
    });
  }
  const isBlocked = isRunning || (!thread.running && thread.silence(now) > 0);
  const what = isRunning ? ', and' : ', its promise has not settled, and its thread';
  const place = isBlocked && worker ? placeOf(worker, OWN_CODE) : Promise.resolve(undefined);
  recorder?.slow(request, async () => {
    const where = await place;
    return `slow, ${elapsed(flight, now)}${where === undefined ? '' : `; it stands ${where}`}`;
  });
  void place.then((where) => {
    placeFound(flight.request, where);
    log(
      'slow',
      `${nameOf(flight)} is slow: ${elapsed(flight, now)}${where ? `${what} stands ${where}` : isRunning ? '' : ', its promise has not settled'}`,
      { ...fieldsOf(flight, now), ...(where !== undefined && { place: where }) },
    );
  });
}

/** A request in a message. */
export function nameOf({ request }: Flight): string {
  return `${request.method} ${quoted(request.path)}`;
}

/** The fields of an event about a request. */
export function fieldsOf({ request, since }: Flight, now: number): Record<string, string | number> {
  return { method: request.method, path: request.path, ms: Math.round(now - since) };
}

/** How long the handler of a request has taken, in a message. */
export function elapsed(flight: Flight, now: number): string {
  return `${Math.round(now - flight.since)} ms`;
}
