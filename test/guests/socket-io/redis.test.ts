/**
 * Socket.IO servers of several machines, joined by the adapters of the Socket.IO project over a real Redis.
 */
import { createAdapter } from '@socket.io/redis-adapter';
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter';
import { Redis } from 'ioredis';
import { createClient, type RedisClientType } from 'redis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { SocketIOOptions } from '../../../src/socket.io.ts';
import { isWithoutRedis, RedisServer } from '../../support/redis.ts';
import { until } from '../../support/until.ts';
import { connected, next, serveIO, WAYS } from './served.ts';

type Done = (...args: unknown[]) => void;

describe.skipIf(isWithoutRedis)('two machines', () => {
  const redis = new RedisServer();

  beforeAll(async () => {
    await redis.start();
  });
  afterAll(() => redis.remove());

  async function client(): Promise<RedisClientType> {
    const made = createClient({ socket: { path: redis.path, tls: false } }) as unknown as RedisClientType;
    made.on('error', () => {});
    await made.connect();
    onTestFinished(() => made.close());
    return made;
  }

  function streamsClient(): Redis {
    const made = new Redis(redis.path);
    made.on('error', () => {});
    onTestFinished(() => made.disconnect());
    return made;
  }

  const ADAPTERS: Record<string, (stream: string) => Promise<SocketIOOptions>> = {
    'redis-adapter': async () => ({ adapter: createAdapter(await client(), await client()) }),
    'redis-streams-adapter': async (stream) => ({ adapter: createStreamsAdapter(streamsClient(), { streamName: stream }) }),
  };
  const CASES = Object.keys(ADAPTERS).flatMap((name) => WAYS.map(([way, transports]) => [name, way, transports] as const));

  it.each(CASES)(
    'with %s, hear each other: clients %s, in rooms, with acknowledgements and bytes',
    { timeout: 40_000 },
    async (name, _way, transports) => {
      const options = ADAPTERS[name] as (stream: string) => Promise<SocketIOOptions>;
      const stream = crypto.randomUUID();
      const [one, two] = [await serveIO(await options(stream)), await serveIO(await options(stream))];
      for (const { io } of [one, two]) {
        io.on('connection', (socket) => socket.on('join', async (room: string, done: Done) => done(await socket.join(room))));
      }
      await until(
        async () => (await one.io.of('/').adapter.serverCount()) === 2 || undefined,
        () => 'two servers',
      );
      const [ada, bob] = [
        await connected(one.port, { transports: [...transports] }),
        await connected(two.port, { transports: [...transports] }),
      ];
      const [hears, other] = [next(bob, 'news'), next(ada, 'news')];
      one.io.emit('news', 1, Buffer.from([1, 2]));
      expect([await hears, await other]).toEqual([
        [1, Buffer.from([1, 2])],
        [1, Buffer.from([1, 2])],
      ]);
      await bob.emitWithAck('join', 'tea');
      const said = next(bob, 'said');
      one.io.to('tea').emit('said', 'hello');
      expect(await said).toEqual(['hello']);
      for (const [who, socket] of Object.entries({ ada, bob })) socket.on('who?', (done: Done) => done(who));
      expect(((await one.io.timeout(5000).emitWithAck('who?')) as unknown[]).toSorted()).toEqual(['ada', 'bob']);
      expect(await two.io.fetchSockets()).toHaveLength(2);
    },
  );
});
