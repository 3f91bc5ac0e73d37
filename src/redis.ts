/// <reference types="node" preserve="true" />
/**
 * The door `filrouge/redis`: sessions and rate limits shared by all machines.
 *
 * @module
 */
export {
  type RateStore,
  type RedisClient,
  type RedisRateStoreOptions,
  type RedisStoreOptions,
  redisRateStore,
  redisSessionStore,
  type SessionStore,
} from './helpers/redis.ts';
