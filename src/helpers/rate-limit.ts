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
import { countHit, type HitAct } from '../process/hits.ts';
import type { Hits, RateStore } from '../process/stores.ts';
import { clientKey } from './rate-limit/client-key.ts';
import { type Rate, rateOf } from './rate-limit/rate.ts';

export type { Hits, RateStore } from '../process/stores.ts';
export type { Rate } from './rate-limit/rate.ts';

/** Options of `createRateLimiter`. */
export interface RateLimiterOptions {
  /** Requests that one client may make in `window` seconds. */
  limit: number;
  /** Length of the window in whole seconds. The window slides: at every moment it is the last `window` seconds. */
  window: number;
  /** Identifies the client. Default: its address; of IPv6 the first 64 bits. */
  key?: ((request: Request) => string) | undefined;
  /** Where requests are counted. Default: in the primary process, for all workers of this server. */
  store?: RateStore | undefined;
}

/**
 * Enforces a limit.
 *
 * Every method takes a `key` that identifies the client instead of the option `key`: a user's name, say. Each returns a promise where the
 * count is kept elsewhere: in a worker, always. It rejects with what the store rejects with.
 */
export interface RateLimiter {
  /**
   * Counts a request, and refuses it when there have been too many.
   *
   * @returns 429 with Retry-After, RateLimit and RateLimit-Policy; undefined when the request may go on.
   */
  check(request: Request, key?: string): Awaitable<Response | undefined>;
  /**
   * Does the same, but leaves the answer to you.
   *
   * @returns How the client stands, this request included.
   * @example
   * const rate = await limiter.hit(request);
   * if (rate.isExceeded) return new Response(page, { status: 429, headers: { ...rate.headers, 'Content-Type': 'text/html' } });
   */
  hit(request: Request, key?: string): Awaitable<Rate>;
  /**
   * Looks without counting.
   *
   * @returns How the client stands before its next request.
   */
  peek(request: Request, key?: string): Awaitable<Rate>;
  /**
   * Forgets what was counted of a client, as after a right password.
   *
   * @example
   * if (isRight(name, password)) await attempts.reset(request, name);
   */
  reset(request: Request, key?: string): Awaitable<void>;
}

const SUBJECT = 'Cannot create rate limiter';
const USE = 'Cannot limit rate';
const NONE: Hits = { count: 0, resetAfter: 0 };
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

  function ask<T>(act: HitAct, key: string, use: (hits: Hits) => T): Awaitable<T> {
    checkString(USE, 'key', key);
    const whole = prefix + shortened(key);
    const hits = store ? askStore(store, act, whole, window, limit) : countHit(whole, window, limit, act);
    return hits instanceof Promise ? hits.then((counted) => use(checkedHits(counted))) : use(checkedHits(hits));
  }
  const rateAfter = (hits: Hits): Rate => rateOf(limit, window, hits, hits.count > limit);

  return {
    check: (request, key = keyOf(request)) =>
      ask('hit', key, (hits) => (hits.count > limit ? refusal(request, rateAfter(hits)) : undefined)),
    hit: (request, key = keyOf(request)) => ask('hit', key, rateAfter),
    peek: (request, key = keyOf(request)) => ask('peek', key, (hits) => rateOf(limit, window, hits, hits.count >= limit)),
    reset: (request, key = keyOf(request)) => ask('reset', key, () => {}),
  };
}

function refusal(request: Request, { headers }: Rate): Response {
  const message = `Too many requests: try again in ${headers['Retry-After']} s`;
  return Response.fromError(new HttpError(429, message, { code: 'too-many-requests', headers }), request);
}

function askStore(store: RateStore, act: HitAct, key: string, window: number, limit: number): Hits | Promise<Hits> {
  if (act === 'hit') return store.hit(key, window, limit);
  if (typeof store[act] !== 'function') throw badOption(USE, `the store lacks ${act}`);
  if (act === 'peek') return (store as Required<RateStore>).peek(key, window, limit);
  const done = (store as Required<RateStore>).reset(key, window);
  return done instanceof Promise ? done.then(() => NONE) : NONE;
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

function checkedHits(hits: Hits): Hits {
  const { count, resetAfter } = (hits ?? {}) as { count?: unknown; resetAfter?: unknown };
  if (Number.isFinite(count) && Number.isFinite(resetAfter)) return hits;
  throw badOption(USE, 'the store did not return count and resetAfter');
}

function shortened(key: string): string {
  return key.length <= LONGEST_KEY ? key : `#${createHash('sha256').update(key).digest('base64url')}`;
}
