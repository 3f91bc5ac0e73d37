/**
 * Requests that are over.
 *
 * @module
 */
import type { Request } from '../../http/request.ts';
import { isSentKnown, isSentWanted } from '../../process/watching/sent.ts';

/** Whether a response has gone out, or was given up, and nobody has asked how. */
export function isGone(request: Request): boolean {
  if (isSentKnown(request) || isSentWanted(request)) return false; // over TLS it is on its way for a while
  let isOver = false;
  let isAsking = true;
  request.onEnd(() => {
    isOver = isAsking; // at once
  });
  isAsking = false;
  return isOver;
}
