import { afterEach, describe, expect, it, vi } from 'vitest';
import { createRateLimiter, type Rate, type RateLimiterOptions, type RateStore, Request, Response } from '../../../src/index.ts';

const from = (remoteAddress: string, headers: Record<string, string> = {}): Request => new Request({ remoteAddress, headers });

/** The statuses of some requests; 200 where the limiter has nothing against them. */
async function statuses(options: RateLimiterOptions, requests: readonly Request[]): Promise<number[]> {
  const limiter = createRateLimiter(options);
  const answers: number[] = [];
  for (const request of requests) answers.push((await limiter.check(request))?.status ?? 200);
  return answers;
}

afterEach(() => void vi.useRealTimers());

describe('createRateLimiter', () => {
  it.each<[string, unknown]>([
    ['a limit of 0', { limit: 0, window: 60 }],
    ['half a request', { limit: 0.5, window: 60 }],
    ['no limit', { window: 60 }],
    ['no window', { limit: 1 }],
    ['a window of less than a second', { limit: 1, window: 0.5 }],
    ['a window in milliseconds', { limit: 1, window: 86_400_000 }],
    ['a key that is no function', { limit: 1, window: 60, key: 'ip' }],
    ['a store without hit', { limit: 1, window: 60, store: {} }],
    ['an unknown option', { limit: 1, window: 60, max: 2 }],
  ])('refuses %s at start', (_, options) => {
    expect(() => createRateLimiter(options as RateLimiterOptions)).toThrow(expect.objectContaining({ code: 'bad-option' }));
  });

  it('lets 100 requests of a client through in a minute and refuses the 101st; another client goes on', async () => {
    const requests = [...Array.from({ length: 101 }, () => from('192.0.2.1')), from('192.0.2.2')];
    const answers = await statuses({ limit: 100, window: 60 }, requests);
    expect(answers.filter((status) => status === 200)).toHaveLength(101);
    expect(answers[100]).toBe(429);
  });

  it('answers synchronously in a server without workers', () => {
    expect(createRateLimiter({ limit: 1, window: 60 }).check(from('192.0.2.1'))).toBeUndefined();
  });

  it('refuses with 429, says when to come again, and is right about it (RFC 6585 §4, RFC 9110 §10.2.3)', async () => {
    vi.useFakeTimers({ toFake: ['performance'], now: 500 });
    const limiter = createRateLimiter({ limit: 2, window: 10 });
    await limiter.check(from('192.0.2.1'));
    await limiter.check(from('192.0.2.1'));
    vi.advanceTimersByTime(4000);
    const refusal = await limiter.check(from('192.0.2.1'));
    const seconds = Number(refusal?.header('retry-after'));
    expect(seconds).toBeGreaterThanOrEqual(6);
    expect(seconds).toBeLessThanOrEqual(7);
    expect(Object.fromEntries(refusal?.headers ?? [])).toMatchObject({
      'RateLimit-Policy': '"default";q=2;w=10',
      RateLimit: `"default";r=0;t=${seconds}`,
      'Cache-Control': 'no-store',
    });
    expect([refusal?.status, refusal?.text()]).toEqual([429, `Too many requests: try again in ${seconds} s`]);
    vi.advanceTimersByTime(5900);
    expect((await limiter.check(from('192.0.2.1')))?.header('retry-after')).toBe('1');
    vi.advanceTimersByTime(seconds * 1000 - 5900);
    expect(await limiter.check(from('192.0.2.1'))).toBeUndefined();
  });

  it('gives the count, what remains and when there is room again as values', async () => {
    vi.useFakeTimers({ toFake: ['performance'], now: 500 });
    const limiter = createRateLimiter({ limit: 2, window: 10 });
    const hit = (): unknown => limiter.hit(from('192.0.2.1'));
    const policy = { 'RateLimit-Policy': '"default";q=2;w=10' };
    const about = { limit: 2, window: 10, resetAfter: 10.3125 };
    expect(hit()).toEqual({ ...about, count: 1, remaining: 1, isExceeded: false, headers: { ...policy, RateLimit: '"default";r=1;t=11' } });
    expect(hit()).toEqual({ ...about, count: 2, remaining: 0, isExceeded: false, headers: { ...policy, RateLimit: '"default";r=0;t=11' } });
    expect(hit()).toEqual({
      ...about,
      count: 3,
      remaining: 0,
      isExceeded: true,
      headers: { ...policy, RateLimit: '"default";r=0;t=11', 'Retry-After': '11', 'Cache-Control': 'no-store' },
    });
    expect(await limiter.check(from('192.0.2.1'))).toMatchObject({ status: 429 });
  });

  it('lets a program answer with a page of its own', () => {
    const limiter = createRateLimiter({ limit: 1, window: 60 });
    const answer = (request: Request): Response => {
      const { isExceeded, headers } = limiter.hit(request) as Rate;
      return isExceeded
        ? new Response('<h1>Slowly</h1>', { status: 429, headers: { ...headers, 'Content-Type': 'text/html' } })
        : Response.empty();
    };
    expect(answer(from('192.0.2.1')).status).toBe(204);
    const refusal = answer(from('192.0.2.1'));
    expect([refusal.status, refusal.text(), refusal.header('retry-after')]).toEqual([
      429,
      '<h1>Slowly</h1>',
      expect.stringMatching(/^6[012]$/),
    ]);
  });

  it('tells without counting whether the next request would pass', () => {
    const limiter = createRateLimiter({ limit: 2, window: 60 });
    const peek = (): unknown => limiter.peek(from('192.0.2.1'));
    for (const rate of [peek(), peek()]) expect(rate).toMatchObject({ count: 0, remaining: 2, resetAfter: 0, isExceeded: false });
    void limiter.hit(from('192.0.2.1'));
    expect(peek()).toMatchObject({ count: 1, remaining: 1, isExceeded: false });
    void limiter.hit(from('192.0.2.1'));
    for (const rate of [peek(), peek()]) {
      expect(rate).toMatchObject({ count: 2, remaining: 0, isExceeded: true });
      expect((rate as Rate).headers['Retry-After']).toMatch(/^6[012]$/);
    }
    expect(limiter.peek(from('192.0.2.2'))).toMatchObject({ count: 0, isExceeded: false });
  });

  it('forgets a client, and no other', () => {
    const limiter = createRateLimiter({ limit: 1, window: 60 });
    for (const name of ['ada', 'grace']) expect(limiter.check(from('192.0.2.1'), name)).toBeUndefined();
    expect(limiter.reset(from('192.0.2.1'), 'ada')).toBeUndefined();
    expect(limiter.check(from('192.0.2.1'), 'ada')).toBeUndefined();
    expect(limiter.check(from('192.0.2.1'), 'ada')).toMatchObject({ status: 429 });
    expect(limiter.check(from('192.0.2.1'), 'grace')).toMatchObject({ status: 429 });
  });

  it('answers in JSON whom prefers it', async () => {
    const limiter = createRateLimiter({ limit: 1, window: 60 });
    await limiter.check(from('192.0.2.1'));
    const refusal = await limiter.check(from('192.0.2.1', { Accept: 'application/json' }));
    expect(JSON.parse(refusal?.text() ?? '')).toMatchObject({ status: 429, code: 'too-many-requests' });
  });

  it('counts by what the option says, or the call', async () => {
    const limiter = createRateLimiter({ limit: 1, window: 60, key: (request) => request.header('x-user') ?? '' });
    expect(await limiter.check(from('192.0.2.1', { 'X-User': 'ada' }))).toBeUndefined();
    expect(await limiter.check(from('192.0.2.2', { 'X-User': 'ada' }))).toMatchObject({ status: 429 });
    expect(await limiter.check(from('192.0.2.2', { 'X-User': 'ada' }), 'grace')).toBeUndefined();
    expect(await limiter.check(from('192.0.2.3'), 'grace')).toMatchObject({ status: 429 });
  });

  it('does not count together with another limiter, even of the same policy', async () => {
    const [one, other] = [createRateLimiter({ limit: 1, window: 60 }), createRateLimiter({ limit: 1, window: 60 })];
    expect(await one.check(from('192.0.2.1'))).toBeUndefined();
    expect(await other.check(from('192.0.2.1'))).toBeUndefined();
    expect(await one.check(from('192.0.2.1'))).toMatchObject({ status: 429 });
  });

  it.each([
    ['the addresses of one IPv6 network of 64 bits', '2001:db8:1:2::1', '2001:db8:1:2:ffff::2', true],
    ['one IPv6 address in two spellings', '2001:db8::1', '2001:0DB8:0:0:0:0:0:1', true],
    ['one link-local address with and without its zone', 'fe80::1%eth0', 'fe80::1', true],
    ['two IPv6 networks', '2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['an address and its form in IPv6', '192.0.2.1', '::ffff:192.0.2.1', true],
    ['an address and its form in hexadecimal IPv6', '192.0.2.1', '::ffff:c000:201', true],
    ['two addresses in their IPv6 form', '::ffff:192.0.2.1', '::ffff:192.0.2.2', false],
    ['two IPv4 addresses', '192.0.2.1', '192.0.2.2', false],
  ])('takes %s for one client or for two, as it should', async (_, one, other, isSame) => {
    expect(await statuses({ limit: 1, window: 60 }, [from(one), from(other)])).toEqual([200, isSame ? 429 : 200]);
  });

  it('takes all clients without an address for one', async () => {
    expect(await statuses({ limit: 1, window: 60 }, [new Request(), new Request()])).toEqual([200, 429]);
  });
});

describe('a store of the application', () => {
  it('is asked with key, window and limit, and its count decides', async () => {
    const asked: unknown[][] = [];
    const store: RateStore = {
      hit: async (...all) => {
        asked.push(all);
        return { count: asked.length, resetAfter: 12.3 };
      },
    };
    const limiter = createRateLimiter({ limit: 7, window: 33, store });
    for (let i = 0; i < 7; i++) expect(await limiter.check(from('192.0.2.1'))).toBeUndefined();
    expect((await limiter.check(from('192.0.2.1')))?.header('retry-after')).toBe('13');
    expect(asked[0]).toEqual(['7/33/0:192.0.2.1', 33, 7]);
  });

  it('is asked to peek and to reset where it can, and is said to lack that where it cannot', async () => {
    const asked: unknown[][] = [];
    const store: RateStore = {
      hit: () => ({ count: 1, resetAfter: 1 }),
      peek: async (...all) => {
        asked.push(all);
        return { count: 4, resetAfter: 2 };
      },
      reset: async (...all) => void asked.push(all),
    };
    const limiter = createRateLimiter({ limit: 5, window: 35, store });
    expect(await limiter.peek(from('192.0.2.1'))).toMatchObject({ count: 4, remaining: 1, resetAfter: 2, isExceeded: false });
    expect(await limiter.reset(from('192.0.2.1'))).toBeUndefined();
    expect(asked).toEqual([
      ['5/35/0:192.0.2.1', 35, 5],
      ['5/35/0:192.0.2.1', 35],
    ]);
    const simple = createRateLimiter({ limit: 5, window: 35, store: { hit: store.hit } });
    for (const act of ['peek', 'reset'] as const) {
      expect(() => simple[act](from('192.0.2.1'))).toThrow(
        expect.objectContaining({ code: 'bad-option', message: `Cannot limit rate: the store lacks ${act}` }),
      );
    }
  });

  it('never sees a key longer than a hash, and sees different ones for different keys', async () => {
    const keys: string[] = [];
    const store: RateStore = { hit: (key) => ({ count: keys.push(key) - keys.length, resetAfter: 1 }) };
    const limiter = createRateLimiter({ limit: 1, window: 34, store });
    await limiter.check(from('192.0.2.1'), 'x'.repeat(16_000));
    await limiter.check(from('192.0.2.1'), 'y'.repeat(16_000));
    expect(Math.max(...keys.map((key) => key.length))).toBeLessThan(64);
    expect(new Set(keys).size).toBe(2);
  });

  it('that fails makes the check fail, and so does one that counts nothing', async () => {
    const failing: RateStore = { hit: () => Promise.reject(new Error('the store is down')) };
    await expect(createRateLimiter({ limit: 1, window: 60, store: failing }).check(from('192.0.2.1'))).rejects.toThrow('the store is down');
    const empty = { hit: async () => undefined } as unknown as RateStore;
    await expect(createRateLimiter({ limit: 1, window: 60, store: empty }).check(from('192.0.2.1'))).rejects.toThrow(
      'did not return count',
    );
  });

  it('refuses a key that is none, since all clients would be one', () => {
    const limiter = createRateLimiter({ limit: 1, window: 60, key: (request) => request.header('x-user') as string });
    expect(() => limiter.check(from('192.0.2.1'))).toThrow(expect.objectContaining({ code: 'bad-option' }));
  });
});
