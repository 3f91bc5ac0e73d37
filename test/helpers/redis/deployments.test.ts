/** The stores over each kind of Redis, with both clients. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRateLimiter, createSessions, Request, Response } from '../../../src/index.ts';
import type { RedisPublisher } from '../../../src/pubsub.ts';
import { type RedisClient, redisRateStore, redisSessionStore } from '../../../src/redis.ts';
import { isWithoutRedis } from '../../support/redis.ts';
import { connectRedis, endRedis } from '../../support/redis-clients.mjs';
import { DEPLOYMENTS, type Deployment } from '../../support/redis-deployments.ts';
import { until } from '../../support/until.ts';

const KINDS = ['single', 'Sentinel', 'Cluster'] as const;

describe.skipIf(isWithoutRedis).each(KINDS)('a Redis of the kind %s', (kind) => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await DEPLOYMENTS[kind]();
  }, 60_000);
  afterAll(() => deployment.remove());

  describe.each(['redis', 'ioredis'] as const)('with the client %s', (name) => {
    let client: RedisClient & RedisPublisher;
    beforeAll(async () => {
      client = await connectRedis(name, deployment.place);
    }, 60_000);
    afterAll(() => endRedis(client));

    it('keeps sessions, and writes over none that has changed', async () => {
      const store = redisSessionStore(client, { prefix: `${name}:` });
      for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) {
        await store.set(id, 'é💡', 60);
        expect(await store.get(id)).toBe('é💡');
        expect(await store.update(id, 'another', 'after', 60)).toBe(false);
        expect(await store.update(id, 'é💡', 'after', 60)).toBe(true);
        expect(await store.get(id)).toBe('after');
        await store.delete(id);
        expect(await store.get(id)).toBeUndefined();
      }
    });

    it('counts hits of many clients exactly', async () => {
      const store = redisRateStore(client, { prefix: `${name}:` });
      const limiter = createRateLimiter({ limit: 3, window: 60, store });
      const statuses = await Promise.all(
        Array.from({ length: 100 }, async (_, i) => limiter.check(new Request({ remoteAddress: `192.0.2.${i % 20}` }))),
      );
      expect(statuses.filter((refusal) => refusal?.status === 429)).toHaveLength(40);
    });

    it('serves sessions, limits and channels by one client', async () => {
      const { createChannel } = await import('../../../src/pubsub.ts');
      const sessions = createSessions<{ user: string }>({ secret: 'k'.repeat(32), store: redisSessionStore(client) });
      const session = await sessions.open(new Request());
      session.data.user = 'ada';
      const response = await session.save(Response.empty());
      expect(response.header('set-cookie')).toBeDefined();
      const channel = createChannel<string>(`all:${kind}:${name}`, { redis: client });
      const messages = channel.messages();
      channel.publish('here');
      expect((await messages.next()).value).toBe('here');
      await messages.return?.();
    });
  });
});

describe.skipIf(isWithoutRedis).each(['redis', 'ioredis'] as const)(
  'a Sentinel that makes another server the master, with the client %s',
  (name) => {
    it('has sessions kept again, after 503s and nothing else', async () => {
      const deployment = await DEPLOYMENTS.Sentinel();
      const client = await connectRedis(name, deployment.place);
      try {
        const store = redisSessionStore(client, { timeout: 300 });
        await store.set('id', 'before', 60);
        await deployment.servers[0]?.kill();
        await until(
          async () => {
            try {
              await store.set('id', 'after', 60);
              return true;
            } catch (error) {
              expect(error).toMatchObject({ status: 503, code: 'redis-unavailable' });
              return undefined;
            }
          },
          () => 'another master',
          30_000,
        );
        expect(await store.get('id')).toBe('after');
      } finally {
        endRedis(client);
        await deployment.remove();
      }
    }, 60_000);
  },
);
