/**
 * Socket.IO servers of several machines, joined by the adapters of the Socket.IO project over a real Redis.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAdapter } from '@socket.io/redis-adapter';
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter';
import { Redis } from 'ioredis';
import { createClient, type RedisClientType } from 'redis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { SocketIOOptions } from '../../../src/socket.io.ts';
import { until } from '../../support/until.ts';
import { connected, next, serveIO, WAYS } from './served.ts';

const REDIS = '/usr/bin/redis-server';
const isThere = existsSync(REDIS);
if (!isThere) console.warn(`SKIPPED: the Redis tests need ${REDIS} (Debian: apt-get install redis-server)`);

type Done = (...args: unknown[]) => void;

describe.skipIf(!isThere && process.env['CI'] === undefined)('two machines', () => {
  let folder = '';
  let path = '';
  let stop = async (): Promise<void> => {};

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'filrouge-redis-'));
    path = join(folder, 'socket');
    const redis = spawn(REDIS, ['--port', '0', '--unixsocket', path, '--save', '', '--dir', folder], { stdio: 'ignore' });
    stop = async () => {
      redis.kill();
      await once(redis, 'close');
    };
    await until(
      () => existsSync(path) || undefined,
      () => 'the socket of Redis',
    );
  });
  afterAll(async () => {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function client(): Promise<RedisClientType> {
    const made = createClient({ socket: { path, tls: false } }) as unknown as RedisClientType;
    made.on('error', () => {});
    await made.connect();
    onTestFinished(() => made.close());
    return made;
  }

  function streamsClient(): Redis {
    const made = new Redis(path);
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
