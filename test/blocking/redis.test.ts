/** A real Redis without await. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocking, createBlocking } from '../../src/blocking.ts';
import { isWithoutRedis, RedisServer } from '../support/redis.ts';
import type * as Counter from './fixtures/counter.mjs';

describe.skipIf(isWithoutRedis)('Redis without await', () => {
  const redis = new RedisServer();
  const counter = createBlocking<typeof Counter>(new URL('./fixtures/counter.mjs', import.meta.url));

  beforeAll(async () => {
    await redis.start();
    process.env['REDIS_PATH'] = redis.path; // the I/O thread inherits it
  });
  afterAll(() => redis.remove());

  it('counts over one connection', () => {
    expect([counter.increment('a'), counter.increment('a'), counter.increment('b')]).toEqual([1, 2, 1]);
    expect(blocking.all([() => counter.increment('a'), () => counter.increment('a')])).toEqual([3, 4]);
    expect(counter.connections()).toBe('1');
  });

  it('throws what Redis refuses, at the line of the caller', () => {
    expect(() => counter.failOn('a')).toThrow(/WRONGTYPE/);
  });
});
