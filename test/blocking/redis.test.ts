/** A real Redis without await. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocking, createBlocking } from '../../src/blocking.ts';
import { until } from '../support/until.ts';
import type * as Counter from './fixtures/counter.mjs';

const REDIS = '/usr/bin/redis-server';
const isThere = existsSync(REDIS);
if (!isThere) console.warn(`SKIPPED: the Redis tests need ${REDIS} (Debian: apt-get install redis-server)`);

describe.skipIf(!isThere && process.env['CI'] === undefined)('Redis without await', () => {
  let folder = '';
  let stop = async (): Promise<void> => {};
  const counter = createBlocking<typeof Counter>(new URL('./fixtures/counter.mjs', import.meta.url));

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'filrouge-redis-'));
    const path = join(folder, 'socket');
    const redis = spawn(REDIS, ['--port', '0', '--unixsocket', path, '--save', '', '--dir', folder], { stdio: 'ignore' });
    stop = async () => {
      redis.kill();
      await once(redis, 'close');
    };
    await until(
      () => existsSync(path) || undefined,
      () => 'the socket of Redis',
    );
    process.env['REDIS_PATH'] = path; // the I/O thread inherits it
  });
  afterAll(async () => {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('counts over one connection', () => {
    expect([counter.increment('a'), counter.increment('a'), counter.increment('b')]).toEqual([1, 2, 1]);
    expect(blocking.all([() => counter.increment('a'), () => counter.increment('a')])).toEqual([3, 4]);
    expect(counter.connections()).toBe('1');
  });

  it('throws what Redis refuses, at the line of the caller', () => {
    expect(() => counter.failOn('a')).toThrow(/WRONGTYPE/);
  });
});
