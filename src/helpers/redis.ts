/**
 * Stores in Redis, for sessions and rate limits shared by all machines.
 *
 * The application provides the client: one of `redis` (4 and later) or `ioredis` (5 and later), single, sentinel or cluster, connected,
 * with a listener for its `error` event. Neither package is loaded here.
 *
 * @module
 */
import { checkOptions, checkString } from '../http/errors/bad-option.ts';
import type { Hits, RateStore, SessionStore } from '../process/stores.ts';
import { commandsOf, type RedisClient } from './redis/commands.ts';
import { HIT_SCRIPT } from './redis/hit-script.ts';
import { UPDATE_SCRIPT } from './redis/update-script.ts';

export type { RateStore, SessionStore } from '../process/stores.ts';
export type { RedisClient } from './redis/commands.ts';

/** Options of the Redis stores. */
export interface RedisStoreOptions {
  /** What every key begins with. Default `filrouge:session:` and `filrouge:rate:`. Applications that share a Redis need different ones. */
  prefix?: string | undefined;
}

const KNOWN: ReadonlySet<string> = new Set(['prefix']);

/**
 * Keeps sessions in Redis, each as one string that expires by itself.
 *
 * @throws TypeError (code `bad-option`) for what is not a client, and for a wrong option.
 * @example
 * const client = await createClient({ url: 'redis://localhost' }).on('error', console.error).connect();
 * const sessions = createSessions<{ user: string }>({ secret, store: redisSessionStore(client) });
 */
export function redisSessionStore(client: RedisClient, options: RedisStoreOptions = {}): SessionStore {
  const commands = commandsOf(client);
  const prefix = checkedPrefix(options, 'filrouge:session:');
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
export function redisRateStore(client: RedisClient, options: RedisStoreOptions = {}): RateStore {
  const commands = commandsOf(client);
  const prefix = checkedPrefix(options, 'filrouge:rate:');
  const ask = async (act: 'hit' | 'peek', key: string, window: number, limit: number): Promise<Hits> => {
    const reply = await commands.eval(HIT_SCRIPT, prefix + key, [String(window), String(limit), act]);
    const [count, ms] = reply as [count: number, ms: number];
    return { count, resetAfter: ms / 1000 };
  };
  return {
    hit: (key, window, limit) => ask('hit', key, window, limit),
    peek: (key, window, limit) => ask('peek', key, window, limit),
    reset: async (key) => {
      await commands.del(prefix + key);
    },
  };
}

function checkedPrefix(options: RedisStoreOptions, usual: string): string {
  checkOptions('Cannot create Redis store', options, KNOWN);
  const { prefix = usual } = options;
  checkString('Cannot create Redis store', 'prefix', prefix);
  return prefix;
}
