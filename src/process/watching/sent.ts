/**
 * Who wants to know how a response went out: asked for by a handler, a helper or whoever watches from outside, told by whatever sends it.
 *
 * @module
 */
import { NoteOf } from './notes.ts';

/** How a response went out. All times are those of `performance.now()` in the thread that is told, milliseconds. */
export interface Sent {
  /** As the client got it: 503 when the handler took too long. Undefined when nothing was sent. */
  readonly status: number | undefined;
  /** Bytes of the body, as sent: compressed, without framing and head. */
  readonly bytes: number;
  /** When the whole request had arrived; when its head had, if its body is streamed. */
  readonly startedAt: number;
  /** When the head of the response was ready to be sent. Undefined when it never was. */
  readonly firstByteAt: number | undefined;
  /** When the system had taken the last byte, or the client was given up. */
  readonly endedAt: number;
  /** `sent`: whole. `aborted`: the client left, or did not read. `failed`: the body broke off behind its head. */
  readonly outcome: 'sent' | 'aborted' | 'failed';
}

/** Is told once. */
export type SentCall = (sent: Sent) => unknown;

/** How it went out, known by now. */
export interface Told {
  /** Tells one more. Never throws. */
  tell(call: SentCall): void;
}

/** By the request as it came, not a cut of it. */
const calls = new NoteOf<SentCall | SentCall[]>('calls');
/** For those who ask when it is known already. */
const known = new NoteOf<Told>('known');
let waiting = 0;

/** Whether anybody may want to know: most programs never ask. */
export function isAnySentWanted(): boolean {
  return waiting > 0;
}

/** Whether somebody wants to know how the response to a request goes out. */
export function isSentWanted(request: object): boolean {
  return waiting > 0 && calls.has(request);
}

/** Whether it is known already how the response to a request went out. */
export function isSentKnown(request: object): boolean {
  return known.has(request);
}

/** Has a function told when the response to a request has gone out; at once when that is known. @param request As it came, not a cut of it. */
export function whenSent(request: object, call: SentCall): void {
  const told = known.get(request);
  if (told) return told.tell(call);
  const others = calls.get(request);
  if (others === undefined) {
    waiting++;
    calls.set(request, call);
  } else if (typeof others === 'function') calls.set(request, [others, call]);
  else others.push(call);
}

/** It is known now: tells all who want to know, once. */
export function nowSent(request: object, told: Told): void {
  if (known.has(request)) return;
  known.set(request, told);
  const waits = calls.get(request);
  if (waits === undefined) return;
  waiting--;
  calls.delete(request);
  if (typeof waits === 'function') told.tell(waits);
  else for (const call of waits) told.tell(call);
}
