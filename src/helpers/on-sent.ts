/**
 * After the send: what a program does when it is known how a response went out.
 *
 * @module
 */
import { currentContext } from '../http/body/stream-source.ts';
import { checkFunction } from '../http/errors/bad-option.ts';
import { withCode } from '../http/errors/error-codes.ts';
import type { Request } from '../http/request.ts';
import { type Sent, whenSent } from '../process/watching/sent.ts';
import { isGone } from './logging/gone.ts';

export type { Sent } from '../process/watching/sent.ts';

const SUBJECT = 'Cannot tell how a response was sent';

/**
 * Calls a function once when the response to a request has gone out, or will not: the client has left, the body has broken off, the handler took too
 * long. Also in handler threads, and for a response that a handler never returned. The client waits for nothing that is done there.
 *
 * It may be called several times for a request, until its response has gone out. What a function throws, or rejects with, is for `onError`. A request
 * made by hand is sent to nobody, and its functions are never called.
 *
 * @param call Called in the context of this call: an `AsyncLocalStorage` has the store it has here.
 * @throws TypeError (code `bad-option`) when `call` is no function; Error (code `already-sent`) when the response has gone out unwatched.
 * @example
 * onSent(request, ({ outcome, bytes }) => {
 *   if (outcome === 'sent') billing.add(customer, bytes);
 * });
 */
export function onSent(request: Request, call: (sent: Sent) => void | Promise<void>): void {
  checkFunction(SUBJECT, 'the function', call);
  const { original } = request;
  const inContext = currentContext();
  if (isGone(original)) throw withCode(new Error(`${SUBJECT}: it has gone out, and nobody had asked for it`), 'already-sent');
  whenSent(original, (sent) => inContext(() => call(sent)));
}
