/**
 * Which pages may open a websocket (RFC 6455 §10.2).
 *
 * Browsers let every page connect anywhere and send the user's cookies with it. Only the Origin field tells our own pages from others.
 *
 * @module
 */
import { badOption } from '../../http/errors/bad-option.ts';
import { ownOrigin } from '../../http/request/own-origin.ts';
import type { Request } from '../../http/request.ts';

const SUBJECT = 'Cannot open websocket';
/** A serialized origin (RFC 6454 §6.2). Browsers write it in lower case, without path and final slash. */
const ORIGIN = /^[a-z][a-z0-9+\-.]*:\/\/[^/?#\sA-Z]+$/;

/**
 * Checks the option `origins`.
 *
 * @throws TypeError with code `bad-option`.
 */
export function checkOrigins(origins: readonly string[] | '*' | undefined): void {
  if (origins === undefined || origins === '*') return;
  if (!Array.isArray(origins)) throw badOption(SUBJECT, 'origins is neither a list nor "*"');
  for (const origin of origins as readonly unknown[]) {
    if (typeof origin === 'string' && (origin === 'null' || ORIGIN.test(origin))) continue;
    throw badOption(
      SUBJECT,
      `${JSON.stringify(origin)} is not an origin: write it like "https://app.example", in lower case, without path and slash`,
    );
  }
}

/** Whether the page that asks may connect. A client without Origin is not a browser: it carries nobody's cookies but its own. */
export function isAllowedOrigin(request: Request, origins: readonly string[] | '*' | undefined): boolean {
  const [origin, ...others] = request.headerAll('origin');
  if (origin === undefined || origins === '*') return true;
  if (others.length > 0) return false;
  return origins === undefined ? origin === ownOrigin(request) : origins.includes(origin);
}
