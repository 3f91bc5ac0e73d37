/**
 * The command that publishes, on either client.
 *
 * @module
 */

import { isCluster, isIoRedis } from '../redis-clients/kinds.ts';

/** What the clients of `redis` and `ioredis` have in common for channels. */
export interface RedisPublisher {
  publish(...args: never[]): Promise<unknown>;
  eval(...args: never[]): Promise<unknown>;
  duplicate(...args: never[]): unknown;
}

/** Publishes a message. */
export type Publish = (channel: string, message: Buffer) => Promise<unknown>;

/**
 * A Cluster takes PUBLISH at any node, and clients send it to one by chance: messages would overtake each other. A script goes where the slot of its
 * key is, so that all of a channel take one way.
 */
const SCRIPT = "return redis.call('PUBLISH', KEYS[1], ARGV[1])";

/** The command of a client. */
export function publishOf(client: RedisPublisher): Publish {
  if (!isCluster(client)) return client.publish.bind(client) as Publish;
  const evaluate = client.eval.bind(client) as (script: string, ...args: readonly unknown[]) => Promise<unknown>;
  if (isIoRedis(client)) return (channel, message) => evaluate(SCRIPT, 1, channel, message);
  return (channel, message) => evaluate(SCRIPT, { keys: [channel], arguments: [message] });
}
