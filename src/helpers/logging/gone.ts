/**
 * Requests that are over.
 *
 * @module
 */
import type { Request } from '../../http/request.ts';
import { isSentKnown } from '../../process/watching/sent.ts';

/** Whether a response has gone out, or was given up, and it is not known how. */
export function isGone(request: Request): boolean {
  if (isSentKnown(request)) return false;
  let isOver = false;
  let isAsking = true;
  request.onEnd(() => {
    isOver = isAsking; // at once
  });
  isAsking = false;
  return isOver;
}
