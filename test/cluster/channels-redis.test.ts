/** Channels over two servers and a real Redis. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { isWithoutRedis, RedisServer } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { type ChannelCluster, reports, startChannels, tell } from './channels.ts';

/** Of one server with a worker of one thread: the primary, the worker's main thread, the handler thread. */
const READERS = 3;

async function startTwo(redis: RedisServer, client: string): Promise<[ChannelCluster, ChannelCluster]> {
  const env = { REDIS: redis.path, REDIS_PACKAGE: client };
  const options = { workers: 1, threads: 1 };
  const [one, other] = [await startChannels(options, env), await startChannels(options, env)]; // one after the other: a client takes time to load
  // A subscription in Redis takes a moment. Each reader has its own.
  await until(
    async () => ((await redis.ask('PUBSUB', 'NUMSUB', 'filrouge:channel:news')).includes(`:${2 * READERS}\r\n`) ? true : undefined),
    () => 'all subscriptions',
  );
  return [one, other];
}

async function startRedis(): Promise<RedisServer> {
  const redis = new RedisServer();
  onTestFinished(() => redis.remove());
  return redis.start();
}

describe.skipIf(isWithoutRedis).each(['redis', 'ioredis'])('a channel over two servers, by the client %s', (client) => {
  it('brings each message once to each reader of both, each publisher in order', async () => {
    const redis = await startRedis();
    const [one, other] = await startTwo(redis, client);
    await Promise.all([tell(one, 'order', 500, 20), tell(other, 'order', 500, 20)]);
    for (const cluster of [one, other]) {
      const all = await reports(cluster, READERS, 500 * READERS * 2);
      for (const { me, count, isWhole, dropped } of all) expect([me, count, isWhole, dropped]).toEqual([me, 500 * READERS * 2, true, 0]);
    }
  }, 60_000);

  it('goes on within each server while Redis is gone, and over both when it is back', async () => {
    const redis = await startRedis();
    const [one, other] = await startTwo(redis, client);
    await redis.kill();
    await until(
      async () => {
        await tell(one, 'publish', 1, 0);
        return one.stderr.includes('[pubsub] What channels publish for other machines is lost until Redis is back') || undefined;
      },
      () => 'a line that says so',
    );
    const [before] = await reports(one, READERS, 1);
    await tell(one, 'publish', 10, 0);
    const sentSoFar = (before?.count ?? 0) + 10;
    expect((await reports(one, READERS, sentSoFar)).map(({ count }) => count)).toEqual(Array(READERS).fill(sentSoFar));
    expect((await reports(other, READERS, 0)).map(({ count }) => count)).toEqual(Array(READERS).fill(0));
    await redis.start();
    await until(
      async () => {
        await tell(one, 'publish', 1, 0);
        return (await reports(other, READERS, 0)).every(({ count }) => count > 0) || undefined;
      },
      () => 'messages from the other server',
      30_000,
    );
    const [here, there] = [await reports(one, READERS, sentSoFar + 1), await reports(other, READERS, 0)];
    const sent = here[0]?.count ?? 0;
    for (const { count, dropped } of here) expect([count, dropped]).toEqual([sent, 0]);
    for (const { count } of there) expect(count).toBeLessThanOrEqual(sent - 10); // what was lost stays lost, and nothing comes twice
    const said = one.stderr.match(/\[pubsub\] What channels publish/g) ?? [];
    expect(said.length).toBe(1); // the primary, who has published: once for all that was lost
  }, 60_000);

  it('holds up nobody when Redis stands still', async () => {
    const redis = await startRedis();
    const [one] = await startTwo(redis, client);
    redis.pause();
    await tell(one, 'publish', 2000, 10_000); // 20 MB, more than may wait for Redis
    for (const { me, count, isWhole } of await reports(one, READERS, 2000)) expect([me, count, isWhole]).toEqual([me, 2000, true]);
    await one.prints(/\[pubsub\] What channels publish for other machines is lost/);
    redis.resume();
  }, 60_000);
});
