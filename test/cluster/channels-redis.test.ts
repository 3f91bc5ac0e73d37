/** Channels over two servers and a real Redis. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { isWithoutRedis, type RedisServer } from '../support/redis.ts';
import { DEPLOYMENTS, type Deployment } from '../support/redis-deployments.ts';
import { until } from '../support/until.ts';
import { type ChannelCluster, reports, startChannels, tell } from './channels.ts';

/** Of the one server, with a worker of one thread: the primary, the worker's main thread, the handler thread. */
const READERS = 3;
/** Of the other, one process. */
const OTHERS = 1;
const ALL = READERS + OTHERS;

async function startOne({ place, servers }: Deployment, client: string): Promise<ChannelCluster> {
  const one = await startChannels({ workers: 1, threads: 1 }, { REDIS: JSON.stringify(place), REDIS_PACKAGE: client });
  await subscribed(servers, READERS);
  return one;
}

/** Starts one after the other: a client takes time to load. */
async function startTwo(deployment: Deployment, client: string): Promise<[ChannelCluster, ChannelCluster]> {
  const { place, servers } = deployment;
  const one = await startOne(deployment, client);
  const other = await startChannels({ workers: 0 }, { REDIS: JSON.stringify(place), REDIS_PACKAGE: client });
  await subscribed(servers, ALL);
  return [one, other];
}

/** Waits until all readers have a subscription in Redis, each its own: it takes a moment. */
async function subscribed(servers: Deployment['servers'], readers: number): Promise<void> {
  await until(
    async () => {
      const answers = await Promise.all(servers.map((server) => server.ask('PUBSUB', 'NUMSUB', 'filrouge:channel:news')));
      const counts = answers.map((answer) => Number(/:(\d+)\r\n$/.exec(answer)?.[1] ?? 0));
      return counts.reduce((sum, count) => sum + count, 0) === readers || undefined;
    },
    () => 'all subscriptions',
  );
}

async function startRedis(kind: keyof typeof DEPLOYMENTS = 'single'): Promise<Deployment> {
  const deployment = await DEPLOYMENTS[kind]();
  onTestFinished(() => deployment.remove());
  return deployment;
}

describe.skipIf(isWithoutRedis).each(['redis', 'ioredis'])('a channel over two servers, by the client %s', (client) => {
  it.each(['single', 'Sentinel', 'Cluster'] as const)(
    'brings each message once to each reader of both, each publisher in order, over a Redis of the kind %s',
    async (kind) => {
      const [one, other] = await startTwo(await startRedis(kind), client);
      await Promise.all([tell(one, 'order', 300, 20), tell(other, 'order', 300, 20)]);
      for (const report of [...(await reports(one, READERS, 300 * ALL)), ...(await reports(other, OTHERS, 300 * ALL))]) {
        expect(report).toMatchObject({ count: 300 * ALL, isWhole: true, dropped: 0 });
      }
    },
    60_000,
  );

  it('goes on within each server while Redis is gone, and over both when it is back', async () => {
    const deployment = await startRedis();
    const [redis] = deployment.servers as [RedisServer];
    const [one, other] = await startTwo(deployment, client);
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
    expect((await reports(other, OTHERS, 0)).map(({ count }) => count)).toEqual(Array(OTHERS).fill(0));
    await redis.start();
    await until(
      async () => {
        await tell(one, 'publish', 1, 0);
        return (await reports(other, OTHERS, 0)).every(({ count }) => count > 0) || undefined;
      },
      () => 'messages from the other server',
      30_000,
    );
    const [here, there] = [await reports(one, READERS, sentSoFar + 1), await reports(other, OTHERS, 0)];
    const sent = here[0]?.count ?? 0;
    for (const { count, dropped } of here) expect([count, dropped]).toEqual([sent, 0]);
    for (const { count } of there) expect(count).toBeLessThanOrEqual(sent - 10); // what was lost stays lost, and nothing comes twice
    const said = one.stderr.match(/\[pubsub\] What channels publish/g) ?? [];
    expect(said.length).toBe(1); // the primary, who has published: once for all that was lost
  });

  it('holds up nobody when Redis stands still', async () => {
    const deployment = await startRedis();
    const [redis] = deployment.servers as [RedisServer];
    const one = await startOne(deployment, client);
    redis.pause();
    await tell(one, 'publish', 2000, 10_000); // 20 MB, more than may wait for Redis
    for (const { me, count, isWhole } of await reports(one, READERS, 2000)) expect([me, count, isWhole]).toEqual([me, 2000, true]);
    await one.prints(/\[pubsub\] What channels publish for other machines is lost/);
    redis.resume();
  });
});
