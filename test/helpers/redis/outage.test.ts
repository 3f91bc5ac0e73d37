/** What the stores do when Redis is slow, gone, and back. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createRateLimiter, createSessions, Request, Response } from '../../../src/index.ts';
import { type RedisClient, type RedisStoreOptions, redisRateStore, redisSessionStore } from '../../../src/redis.ts';
import { isOverTls } from '../../support/over.ts';
import { isWithoutRedis, RedisServer } from '../../support/redis.ts';
import { connectRedis, endRedis } from '../../support/redis-clients.mjs';
import { serve, talk } from '../../support/serve.ts';
import { until } from '../../support/until.ts';

const UNAVAILABLE = { name: 'HttpError', status: 503, code: 'redis-unavailable' };

/** What comes of a command: its value, or the code of its error. */
async function outcome(command: Promise<unknown>): Promise<unknown> {
  return command.catch((error: unknown) => (error as { code?: unknown }).code ?? error);
}

describe('a store whose client does not answer', () => {
  /** A client whose commands are settled by the test. */
  function slowClient(): { client: RedisClient; open: ((value: unknown) => void)[]; fail: ((error: Error) => void)[] } {
    const open: ((value: unknown) => void)[] = [];
    const fail: ((error: Error) => void)[] = [];
    const command = (): Promise<unknown> =>
      new Promise((resolve, reject) => {
        open.push(resolve);
        fail.push(reject);
      });
    return { client: { get: command, set: command, del: command, eval: command }, open, fail };
  }

  beforeEach(() => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('fails within its time', async () => {
    const { client } = slowClient();
    const store = redisSessionStore(client, { timeout: 20 });
    await expect(store.get('a')).rejects.toMatchObject({ ...UNAVAILABLE, cause: { message: 'no answer within 20 ms' } });
  });

  it('has no more than maxPending commands under way, of all stores of the client together, and says so once', async () => {
    const { client, open } = slowClient();
    const stores = [redisSessionStore(client, { maxPending: 10 }), redisSessionStore(client, { maxPending: 10, prefix: 'b:' })];
    const commands = Array.from({ length: 100 }, (_, i) => outcome((stores[i % 2] as (typeof stores)[0]).get('a')));
    await Promise.race(commands);
    expect(open).toHaveLength(10);
    for (const answer of open) answer('value');
    const outcomes = await Promise.all(commands);
    expect(outcomes.filter((value) => value === 'value')).toHaveLength(10);
    expect(outcomes.filter((value) => value === 'redis-unavailable')).toHaveLength(90);
    expect(console.error).toHaveBeenCalledTimes(1);
    expect(console.error).toHaveBeenCalledWith(
      expect.stringMatching(/^\[redis\] Redis cannot be reached; .*10 commands wait for its answer/),
    );
  });

  it('sends only a few commands to one that is silent, until it answers again', async () => {
    const { client, open } = slowClient();
    const store = redisSessionStore(client, { timeout: 20 });
    expect(await outcome(store.get('a'))).toBe('redis-unavailable');
    const commands = Array.from({ length: 100 }, () => outcome(store.get('a')));
    expect(await Promise.all(commands)).toEqual(Array(100).fill('redis-unavailable'));
    expect(open).toHaveLength(8);
    open[0]?.('late');
    await new Promise((resolve) => setImmediate(resolve));
    const again = Array.from({ length: 20 }, () => store.get('a'));
    for (const answer of open) answer('value');
    expect(await Promise.all(again)).toEqual(Array(20).fill('value'));
  });

  it('passes on what Redis has against a command, and is unavailable when it cannot serve for now', async () => {
    const { client, fail } = slowClient();
    const store = redisSessionStore(client);
    const wrong = store.get('a');
    fail[0]?.(Object.assign(new Error('WRONGTYPE Operation against a key'), { name: 'ReplyError' }));
    await expect(wrong).rejects.toThrow('WRONGTYPE');
    class ErrorReply extends Error {}
    const loading = store.get('a');
    fail[1]?.(new ErrorReply('LOADING Redis is loading the dataset in memory'));
    await expect(loading).rejects.toMatchObject(UNAVAILABLE);
  });

  it.each<[string, object]>([
    ['a time-out of 0', { timeout: 0 }],
    ['a time-out that is no number', { timeout: '5' }],
    ['no command at all', { maxPending: 0 }],
  ])('refuses %s', (_, options) => {
    expect(() => redisSessionStore(slowClient().client, options as RedisStoreOptions)).toThrow(
      expect.objectContaining({ code: 'bad-option' }),
    );
  });

  it('refuses another word for what is to be done', () => {
    expect(() => redisRateStore(slowClient().client, { unavailable: 'open' as 'allow' })).toThrow(/not refuse, allow or count-here/);
  });
});

describe.skipIf(isWithoutRedis).each(['redis', 'ioredis'] as const)('a Redis that stops and comes back, with the client %s', (name) => {
  let redis: RedisServer;
  let client: RedisClient;
  beforeEach(async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    redis = await new RedisServer().start();
    client = await connectRedis(name, { path: redis.path });
    await redisSessionStore(client).set('id', 'kept', 60);
  }, 30_000);
  afterEach(async () => {
    vi.restoreAllMocks();
    endRedis(client);
    await redis.remove();
  });

  /** Waits until commands are answered again. */
  async function isBack(): Promise<void> {
    const store = redisSessionStore(client);
    await until(
      async () => ((await outcome(store.set('id', 'back', 60))) === undefined ? true : undefined),
      () => 'Redis',
    );
  }

  it('fails at once while it is killed, holds back nothing, and serves when it is back', async () => {
    await redis.kill();
    const store = redisSessionStore(client, { timeout: 500 });
    const outcomes = await Promise.all(Array.from({ length: 20_000 }, () => outcome(store.get('id'))));
    expect(new Set(outcomes)).toEqual(new Set(['redis-unavailable']));
    await redis.start();
    await isBack();
    expect(console.error).toHaveBeenCalledTimes(1);
  }, 30_000);

  it('fails in time while it stands still, and serves when it goes on', async () => {
    const store = redisSessionStore(client, { timeout: 50 });
    redis.pause();
    const outcomes = await Promise.all(Array.from({ length: 20_000 }, () => outcome(store.get('id'))));
    expect(new Set(outcomes)).toEqual(new Set(['redis-unavailable']));
    redis.resume();
    await isBack();
    expect(await redisSessionStore(client).get('id')).toBe('back');
  }, 30_000);

  it.each([
    ['refuse', 'redis-unavailable,redis-unavailable,redis-unavailable'],
    ['allow', '200,200,200'],
    ['count-here', '200,200,429'],
  ] as const)('lets a limiter %s', async (unavailable, expected) => {
    const store = redisRateStore(client, { unavailable, timeout: 50, prefix: `${name}:${unavailable}:` });
    const limiter = createRateLimiter({ limit: 2, window: 600, store });
    redis.pause();
    const check = async (): Promise<unknown> => (await limiter.check(new Request({ remoteAddress: '192.0.2.1' })))?.status ?? 200;
    expect([await outcome(check()), await outcome(check()), await outcome(check())].join()).toBe(expected);
    if (unavailable !== 'refuse') {
      await limiter.reset(new Request({ remoteAddress: '192.0.2.1' }));
      expect(await limiter.peek(new Request({ remoteAddress: '192.0.2.1' }))).toMatchObject({ count: 0 });
    }
    redis.resume();
  });

  it('has clients answered 503 with Retry-After where a session is opened', async () => {
    const sessions = createSessions<{ user: string }>({ secret: 'k'.repeat(32), store: redisSessionStore(client, { timeout: 1000 }) });
    const { port } = await serve(async (request) => (await sessions.open(request)).save(Response.text('hello')));
    const first = await sessions.open(new Request({ secure: isOverTls })); // the name of the cookie depends on it
    first.data.user = 'ada';
    const cookie = (await first.save(Response.empty())).header('set-cookie')?.split(';')[0] ?? '';
    redis.pause();
    const connection = await talk(port);
    connection.send(`GET / HTTP/1.1\r\nHost: a\r\nCookie: ${cookie}\r\n\r\n`);
    const [answer] = await connection.answers(1);
    expect([answer?.status, answer?.headers['retry-after']]).toEqual([503, '1']);
    redis.resume();
  });
});
