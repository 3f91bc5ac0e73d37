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

/** By the request as it came, not a cut of it. */
const calls = new NoteOf<SentCall[]>('calls');
/** How those are told who ask when it is known already. */
const known = new NoteOf<(call: SentCall) => void>('known');
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
  const tell = known.get(request);
  if (tell) return tell(call);
  const others = calls.get(request);
  if (others) others.push(call);
  else {
    waiting++;
    calls.set(request, [call]);
  }
}

/** It is known now: tells all who want to know, once. @param tell Tells one of them, and never throws. */
export function nowSent(request: object, tell: (call: SentCall) => void): void {
  if (known.has(request)) return;
  known.set(request, tell);
  const waits = calls.get(request);
  if (!waits) return;
  waiting--;
  calls.delete(request);
  for (const call of waits) tell(call);
}
