/**
 * Rate limits: 429 for clients that ask too often (RFC 6585 §4), with fields that say when to try again
 * (draft-ietf-httpapi-ratelimit-headers-09).
 *
 * @module
 */

import { createHash } from 'node:crypto';
import type { Awaitable } from '../http/awaitable.ts';
import { badOption, checkFunction, checkInteger, checkOptions, checkString } from '../http/errors/bad-option.ts';
import type { Request } from '../http/request.ts';
import { HttpError, Response } from '../http/response.ts';
import { countHit } from '../process/hits.ts';
import type { Hits, RateStore } from '../process/stores.ts';
import { clientKey } from './rate-limit/client-key.ts';

export type { Hits, RateStore } from '../process/stores.ts';

/** Options of `createRateLimiter`. */
export interface RateLimiterOptions {
  /** Requests that one client may make in `window` seconds. */
  limit: number;
  /** Length of the window in whole seconds. The window slides: at every moment it is the last `window` seconds. */
  window: number;
  /** Identifies the client. Default: its address; of IPv6 the first 64 bits. */
  key?: (request: Request) => string;
  /** Where requests are counted. Default: in the primary process, for all workers of this server. */
  store?: RateStore;
}

/** Enforces a limit. */
export interface RateLimiter {
  /**
   * Counts a request, and refuses it when there have been too many.
   *
   * @param key Identifies the client instead of the option `key`: a user's name, say.
   * @returns 429 with Retry-After, RateLimit and RateLimit-Policy; undefined when the request may go on. A promise of that where the count
   *   is kept elsewhere: in a worker, always. It rejects with what the store rejects with.
   */
  check(request: Request, key?: string): Awaitable<Response | undefined>;
}

const SUBJECT = 'Cannot create rate limiter';
const KNOWN: ReadonlySet<string> = new Set(['limit', 'window', 'key', 'store']);
/** A structured field holds no larger number (RFC 9651 §3.3.1). */
const LARGEST = 999_999_999_999_999;
/** 400 days, in seconds: more is a mistake in the unit. */
const LONGEST_WINDOW = 34_560_000;
/** A longer key is hashed, so that what clients send does not fill the memory. */
const LONGEST_KEY = 64;

/** The number of limiters per policy: limiters with the same policy must not share a count. */
const namesakes = new Map<string, number>();

/**
 * Creates a rate limiter: once, outside the handler.
 *
 * The count is exact across all workers of this server; `redisRateStore` (door `filrouge/redis`) makes it exact across machines. In no
 * stretch of `window` seconds does a client get more than `limit` requests through. Refused requests are not counted.
 *
 * @throws TypeError or RangeError (code `bad-option`) for an unknown option, or a limit or window that is not a whole number from 1 on.
 * @example
 * const limiter = createRateLimiter({ limit: 100, window: 60 });
 * startServer(async (request) => (await limiter.check(request)) ?? answer(request));
 */
export function createRateLimiter(options: RateLimiterOptions): RateLimiter {
  const { limit, window, key: keyOf = clientKey, store } = checked(options);
  const policy = `${limit}/${window}`;
  const place = namesakes.get(policy) ?? 0;
  namesakes.set(policy, place + 1);
  const prefix = `${policy}/${place}:`;

  function answer(request: Request, hits: Hits): Response | undefined {
    if (!isHits(hits)) throw badOption('Cannot limit rate', 'the store did not return count and resetAfter');
    return hits.count > limit ? refusal(request, limit, window, hits.resetAfter) : undefined;
  }

  return {
    check(request, key = keyOf(request)) {
      checkString('Cannot limit rate', 'key', key);
      const whole = prefix + shortened(key);
      const hits = store ? store.hit(whole, window, limit) : countHit(whole, window, limit);
      return hits instanceof Promise ? hits.then((counted) => answer(request, counted)) : answer(request, hits);
    },
  };
}

function refusal(request: Request, limit: number, window: number, resetAfter: number): Response {
  const seconds = Math.max(1, Math.ceil(resetAfter)); // a client that came back at once would be refused again
  const headers = {
    'Retry-After': String(seconds),
    'RateLimit-Policy': `"default";q=${limit};w=${window}`,
    RateLimit: `"default";r=0;t=${seconds}`,
    'Cache-Control': 'no-store', // RFC 6585 §4: a cache must not keep a 429
  };
  const message = `Too many requests: try again in ${seconds} s`;
  return Response.fromError(new HttpError(429, message, { code: 'too-many-requests', headers }), request);
}

function checked(options: RateLimiterOptions): RateLimiterOptions {
  checkOptions(SUBJECT, options, KNOWN);
  const { limit, window, key, store } = options;
  checkInteger(SUBJECT, 'limit', limit, 1, LARGEST);
  checkInteger(SUBJECT, 'window', window, 1, LONGEST_WINDOW, 'seconds');
  if (key !== undefined) checkFunction(SUBJECT, 'key', key);
  if (store !== undefined && typeof (store as { hit?: unknown } | null)?.hit !== 'function') throw badOption(SUBJECT, 'store lacks hit');
  return options;
}

function isHits(hits: unknown): hits is Hits {
  const { count, resetAfter } = (hits ?? {}) as { count?: unknown; resetAfter?: unknown };
  return Number.isFinite(count) && Number.isFinite(resetAfter);
}

function shortened(key: string): string {
  return key.length <= LONGEST_KEY ? key : `#${createHash('sha256').update(key).digest('base64url')}`;
}
