/**
 * Stores in Redis, for sessions and rate limits shared by all machines.
 *
 * The application provides the client: one of `redis` (4 and later) or `ioredis` (5 and later), single, sentinel or cluster, connected,
 * with a listener for its `error` event. Neither package is loaded here.
 *
 * @module
 */
import { badOption, checkInteger, checkOptions, checkString, MAX_TIMER } from '../http/errors/bad-option.ts';
import { countHit, type HitAct } from '../process/hits.ts';
import type { Hits, RateStore, SessionStore } from '../process/stores.ts';
import { type Bounds, commandsOf, type RedisClient } from './redis/commands.ts';
import { UNAVAILABLE } from './redis/gate.ts';
import { HIT_SCRIPT } from './redis/hit-script.ts';
import { UPDATE_SCRIPT } from './redis/update-script.ts';

export type { RateStore, SessionStore } from '../process/stores.ts';
export type { RedisClient } from './redis/commands.ts';

/** Options of `redisSessionStore`, and those that it shares with `redisRateStore`. */
export interface RedisStoreOptions {
  /** What every key begins with. Default `filrouge:session:` and `filrouge:rate:`. Applications that share a Redis need different ones. */
  prefix?: string | undefined;
  /** How long Redis may take to answer a command, ms. Default 2000. */
  timeout?: number | undefined;
  /** How many commands of one client may be under way: more fail at once. Default 10,000. */
  maxPending?: number | undefined;
}

/** Options of `redisRateStore`. */
export interface RedisRateStoreOptions extends RedisStoreOptions {
  /**
   * What becomes of requests while Redis is not available. `refuse` (the default) answers 503; `allow` lets all through, uncounted; `count-here` counts in
   * this server, so that the limit holds for each machine by itself.
   */
  unavailable?: 'refuse' | 'allow' | 'count-here' | undefined;
}

const SUBJECT = 'Cannot create Redis store';
const KNOWN: ReadonlySet<string> = new Set(['prefix', 'timeout', 'maxPending']);
const RATE_KNOWN: ReadonlySet<string> = new Set([...KNOWN, 'unavailable']);
const NO_HITS: Hits = { count: 0, resetAfter: 0 };

/**
 * Keeps sessions in Redis, each as one string that expires by itself.
 *
 * What needs Redis rejects with an HttpError 503 (code `redis-unavailable`) while it is not available.
 *
 * @throws TypeError (code `bad-option`) for what is not a client, and for a wrong option.
 * @example
 * const client = await createClient({ url: 'redis://localhost' }).on('error', console.error).connect();
 * const sessions = createSessions<{ user: string }>({ secret, store: redisSessionStore(client) });
 */
export function redisSessionStore(client: RedisClient, options: RedisStoreOptions = {}): SessionStore {
  checkOptions(SUBJECT, options, KNOWN);
  const { prefix, bounds } = resolve(options, 'filrouge:session:');
  const commands = commandsOf(client, bounds);
  return {
    get: async (id) => {
      const value = await commands.get(prefix + id);
      return typeof value === 'string' ? value : undefined; // both clients return null when there is none
    },
    set: async (id, value, ttl) => {
      await commands.set(prefix + id, value, ttl);
    },
    update: async (id, before, value, ttl) => (await commands.eval(UPDATE_SCRIPT, prefix + id, [before, value, String(ttl)])) === 1,
    delete: async (id) => {
      await commands.del(prefix + id);
    },
  };
}

/**
 * Counts for rate limiters in Redis, one hash of at most 33 numbers for each key, by the clock of Redis.
 *
 * @throws TypeError (code `bad-option`) for what is not a client, and for a wrong option.
 * @example
 * const limiter = createRateLimiter({ limit: 100, window: 60, store: redisRateStore(client) });
 */
export function redisRateStore(client: RedisClient, options: RedisRateStoreOptions = {}): RateStore {
  checkOptions(SUBJECT, options, RATE_KNOWN);
  const { unavailable = 'refuse' } = options;
  if (!['refuse', 'allow', 'count-here'].includes(unavailable)) {
    throw badOption(SUBJECT, `unavailable is ${unavailable}, not refuse, allow or count-here`);
  }
  const { prefix, bounds } = resolve(options, 'filrouge:rate:');
  const commands = commandsOf(client, bounds);
  const without = async (error: unknown, act: HitAct, key: string, window: number, limit: number): Promise<Hits> => {
    if (unavailable === 'refuse' || (error as { code?: unknown }).code !== UNAVAILABLE) throw error;
    return unavailable === 'allow' ? NO_HITS : countHit(prefix + key, window, limit, act);
  };
  const ask = async (act: 'hit' | 'peek', key: string, window: number, limit: number): Promise<Hits> => {
    try {
      const reply = await commands.eval(HIT_SCRIPT, prefix + key, [String(window), String(limit), act]);
      const [count, ms] = reply as [count: number, ms: number];
      return { count, resetAfter: ms / 1000 };
    } catch (error) {
      return without(error, act, key, window, limit);
    }
  };
  return {
    hit: (key, window, limit) => ask('hit', key, window, limit),
    peek: (key, window, limit) => ask('peek', key, window, limit),
    reset: async (key, window) => {
      try {
        await commands.del(prefix + key);
      } catch (error) {
        await without(error, 'reset', key, window, 1);
      }
    },
  };
}

function resolve(options: RedisStoreOptions, usual: string): { readonly prefix: string; readonly bounds: Bounds } {
  const { prefix = usual, timeout = 2000, maxPending = 10_000 } = options;
  checkString(SUBJECT, 'prefix', prefix);
  checkInteger(SUBJECT, 'timeout', timeout, 1, MAX_TIMER, 'milliseconds');
  checkInteger(SUBJECT, 'maxPending', maxPending, 1, Number.MAX_SAFE_INTEGER);
  return { prefix, bounds: { timeout, maxPending } };
}
