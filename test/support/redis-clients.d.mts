import type { RedisPublisher } from '../../src/pubsub.ts';
import type { RedisClient } from '../../src/redis.ts';

/** Where a Redis is: the socket of a server, the port of a Sentinel of `main`, or ports of a Cluster. */
export interface RedisPlace {
  readonly path?: string;
  readonly sentinel?: number;
  readonly cluster?: readonly number[];
}

export function connectRedis(name: 'redis' | 'ioredis', where: RedisPlace): Promise<RedisClient & RedisPublisher>;
export function endRedis(client: unknown): void;
