/** The stores against a real Redis, with both clients. */

import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRateLimiter, createSessions, Request, Response, type StoredSession, type StoredSessions } from '../../src/index.ts';
import { type RedisClient, redisRateStore, redisSessionStore } from '../../src/redis.ts';
import { isWithoutRedis, RedisServer } from '../support/redis.ts';
import { until } from '../support/until.ts';

interface Connection {
  readonly client: RedisClient;
  close(): unknown;
}

const CONNECT: Record<string, (path: string) => Promise<Connection>> = {
  redis: async (path) => {
    const client = createClient({ socket: { path, tls: false } });
    client.on('error', (error: Error) => console.error(error.message));
    await client.connect();
    return { client, close: () => client.destroy() };
  },
  ioredis: async (path) => {
    const client = new Redis(path);
    return { client, close: () => client.disconnect() };
  },
};

describe('redisSessionStore and redisRateStore', () => {
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a URL', 'redis://localhost'],
    ['an object without commands', { get: () => {} }],
  ])('refuse %s for a client', (_, client) => {
    expect(() => redisSessionStore(client as RedisClient)).toThrow(expect.objectContaining({ code: 'bad-option' }));
    expect(() => redisRateStore(client as RedisClient)).toThrow(expect.objectContaining({ code: 'bad-option' }));
  });

  it('refuse a prefix that is none, and options they do not know', () => {
    const client: RedisClient = { get: async () => {}, set: async () => {}, del: async () => {}, eval: async () => {} };
    expect(() => redisRateStore(client, { prefix: 1 as unknown as string })).toThrow(expect.objectContaining({ code: 'bad-option' }));
    expect(() => redisRateStore(client, { ttl: 1 } as object)).toThrow(expect.objectContaining({ code: 'bad-option' }));
  });
});

describe.skipIf(isWithoutRedis).each(Object.keys(CONNECT))('with the client %s', (name) => {
  const redis = new RedisServer();
  const { path } = redis;
  let connection: Connection;

  beforeAll(async () => {
    await redis.start();
    connection = await (CONNECT[name] as (path: string) => Promise<Connection>)(path);
  });
  afterAll(async () => {
    connection.close();
    await redis.remove();
  });

  it('keeps sessions until they are deleted', async () => {
    const store = redisSessionStore(connection.client, { prefix: 'a:' });
    expect(await store.get('x')).toBeUndefined();
    await store.set('x', 'é💡', 60);
    expect(await store.get('x')).toBe('é💡');
    expect(await redisSessionStore(connection.client, { prefix: 'b:' }).get('x')).toBeUndefined();
    await store.delete('x');
    expect(await store.get('x')).toBeUndefined();
    await store.delete('x');
  });

  it('writes a session over the one that was seen, and over nothing else', async () => {
    const store = redisSessionStore(connection.client, { prefix: 'c:' });
    expect(await store.update('x', 'before', 'after', 60)).toBe(false);
    expect(await store.get('x')).toBeUndefined();
    await store.set('x', 'é💡', 60);
    expect(await store.update('x', 'another', 'after', 60)).toBe(false);
    expect(await store.update('x', 'é💡', 'after', 1)).toBe(true);
    expect(await store.get('x')).toBe('after');
    await until(
      async () => ((await store.get('x')) === undefined ? true : undefined),
      () => 'the end of what was written for one second',
    );
  });

  it('loses nothing of 50 requests that change one session at once, and nothing lives after a logout among them', async () => {
    const second = await (CONNECT[name] as (path: string) => Promise<Connection>)(path);
    const machines = [connection, second].map(({ client }) =>
      createSessions<Record<string, number>>({ secret: 'k'.repeat(32), store: redisSessionStore(client, { prefix: 'race:' }) }),
    ) as [StoredSessions<Record<string, number>>, StoredSessions<Record<string, number>>];
    const begun = await machines[0].open(new Request());
    begun.data['begun'] = 1;
    const [cookie = ''] = (await begun.save(Response.empty())).header('set-cookie')?.split(';') ?? [];
    const open = (i: number): Promise<StoredSession<Record<string, number>>> =>
      (i % 2 === 0 ? machines[0] : machines[1]).open(new Request({ headers: { Cookie: cookie } }));
    const writing = async (i: number): Promise<void> => {
      const session = await open(i);
      session.data[`n${i}`] = i;
      await session.save(Response.empty());
    };
    await Promise.all(Array.from({ length: 50 }, (_, i) => writing(i)));
    expect(Object.keys((await open(0)).data)).toHaveLength(51);

    const leaving = await open(0);
    leaving.destroy();
    const late = await Promise.all(Array.from({ length: 10 }, (_, i) => open(i)));
    for (const [i, session] of late.entries()) session.data[`late${i}`] = i;
    await Promise.all([...late.slice(0, 5), leaving, ...late.slice(5)].map((session) => session.save(Response.empty())));
    expect((await open(0)).isNew).toBe(true);
    second.close();
  });

  it('forgets sessions when their time is over', async () => {
    const store = redisSessionStore(connection.client);
    await store.set('short', 'value', 1);
    await until(
      async () => ((await store.get('short')) === undefined ? true : undefined),
      () => 'the end of a session of one second',
    );
  });

  it('keeps the sessions of createSessions', async () => {
    const options = { secret: 'k'.repeat(32), store: redisSessionStore(connection.client) };
    const session = await createSessions<{ user: string }>(options).open(new Request());
    session.data.user = 'ada';
    const [cookie = ''] = (await session.save(Response.empty())).header('set-cookie')?.split(';') ?? [];
    const other = createSessions<{ user: string }>(options); // another machine
    expect((await other.open(new Request({ headers: { Cookie: cookie } }))).data).toEqual({ user: 'ada' });
  });

  it('counts exactly: of 1000 hits at once, over two connections, 100 pass', async () => {
    const second = await (CONNECT[name] as (path: string) => Promise<Connection>)(path);
    const stores = [connection, second].map(({ client }) => redisRateStore(client, { timeout: 10_000 })); // a busy machine takes its time
    const hits = await Promise.all(Array.from({ length: 1000 }, async (_, i) => stores[i % 2]?.hit('storm', 60, 100)));
    expect(hits.filter((hit) => (hit?.count ?? Number.NaN) <= 100)).toHaveLength(100);
    expect(hits.filter((hit) => hit?.count === 101)).toHaveLength(900);
    second.close();
  });

  it('tells what it has counted without counting, and forgets it', async () => {
    const limiter = createRateLimiter({ limit: 2, window: 60, store: redisRateStore(connection.client, { prefix: 'peek:' }) });
    const request = new Request({ remoteAddress: '192.0.2.1' });
    expect(await limiter.peek(request)).toMatchObject({ count: 0, remaining: 2, resetAfter: 0, isExceeded: false });
    await limiter.hit(request);
    for (let i = 0; i < 2; i++) expect(await limiter.peek(request)).toMatchObject({ count: 1, remaining: 1, isExceeded: false });
    expect(await limiter.hit(request)).toMatchObject({ count: 2, remaining: 0, isExceeded: false });
    expect(await limiter.peek(request)).toMatchObject({ count: 2, isExceeded: true });
    await limiter.reset(request);
    expect(await limiter.hit(request)).toMatchObject({ count: 1 });
  });

  it('says when there is room again, and is right about it', async () => {
    const store = redisRateStore(connection.client);
    const limiter = createRateLimiter({ limit: 2, window: 1, store });
    const check = async (): Promise<number> => (await limiter.check(new Request({ remoteAddress: '192.0.2.1' })))?.status ?? 200;
    expect([await check(), await check(), await check()]).toEqual([200, 200, 429]);
    const began = performance.now();
    const { resetAfter } = await store.hit('once', 1, 1);
    expect(resetAfter).toBeGreaterThan(0.9);
    expect(resetAfter).toBeLessThanOrEqual(1.04);
    await until(
      async () => ((await store.hit('once', 1, 1)).count === 1 ? true : undefined),
      () => 'room after one second',
    );
    expect(performance.now() - began).toBeGreaterThanOrEqual(resetAfter * 1000 - 20);
    expect(await check()).toBe(200);
  });
});
