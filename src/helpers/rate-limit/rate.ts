/**
 * How a client stands with a limit, as values and as header fields (draft-ietf-httpapi-ratelimit-headers-09).
 *
 * @module
 */
import type { Hits } from '../../process/stores.ts';

/** How a client stands with a limit. */
export interface Rate {
  /** Requests that one client may make in the window. */
  readonly limit: number;
  /** Length of the window, seconds. */
  readonly window: number;
  /** The client's requests within the window. A request that is refused counts in the answer to itself only: it makes one more than `limit`. */
  readonly count: number;
  /** Requests that the client may still make. */
  readonly remaining: number;
  /** Seconds until the oldest request leaves the window and makes room for another; 0 when there is none. */
  readonly resetAfter: number;
  /** Whether this request was one too many; of `peek`, whether the next would be. */
  readonly isExceeded: boolean;
  /**
   * RateLimit and RateLimit-Policy, to be sent along if you like; where the limit is exceeded also the Retry-After and Cache-Control of a
   * 429 (RFC 6585 §4).
   */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Makes the values.
 *
 * @param isExceeded Of `hits`.
 */
export function rateOf(limit: number, window: number, { count, resetAfter }: Hits, isExceeded: boolean): Rate {
  const remaining = Math.max(0, limit - count);
  const seconds = Math.ceil(resetAfter);
  const wait = Math.max(1, seconds); // a client that came back at once would be refused again
  const headers = {
    'RateLimit-Policy': `"default";q=${limit};w=${window}`,
    RateLimit: `"default";r=${remaining};t=${isExceeded ? wait : seconds}`,
    ...(isExceeded && { 'Retry-After': String(wait), 'Cache-Control': 'no-store' }), // RFC 6585 §4: a cache must not keep a 429
  };
  return { limit, window, count, remaining, resetAfter, isExceeded, headers };
}
