import { createHmac, hkdfSync } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Request, Response, signedCookies, withSignedCookie } from '../../src/index.ts';

const secret = 'a'.repeat(32);
const newer = 'b'.repeat(32);
const request = new Request();
/** The `name=value` that a browser would send back. */
const pairOf = (response: Response): string => (response.header('set-cookie') ?? '').split(';')[0] ?? '';
const made = (name: string, value: string, options: object = {}): string =>
  pairOf(withSignedCookie(request, Response.empty(), name, value, { secret, ...options }));
const sent = (...lines: string[]): Request => new Request({ headers: lines.map((line) => ['Cookie', line] as const) });
const read = (line: string, by: string | readonly string[] = secret): object => ({ ...signedCookies(sent(line), { secret: by }) });

afterEach(() => vi.useRealTimers());

describe('a signed cookie', () => {
  it('is read as it was set, beside others', () => {
    expect(read(`a=1; ${made('cart', '7')}; ${made('seen', 'x.y; z')}`)).toEqual({ cart: '7', seen: 'x.y; z' });
    expect(read(made('empty', ''))).toEqual({ empty: '' });
  });

  it('gives back any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), (text) => {
        expect(read(made('t', text))).toEqual({ t: text });
      }),
    );
  });

  it('is a value, its end and an HMAC with SHA-256 under a key of its own (RFC 2104, RFC 5869)', () => {
    const key = Buffer.from(hkdfSync('sha256', secret, '', 'filrouge cookie, signed', 32));
    const signature = createHmac('sha256', key).update('cart=7.').digest('base64url');
    expect(made('cart', '7')).toBe(`cart=7..${signature}`);
  });

  it.each<[string, (pair: string) => string]>([
    ['value', (pair) => pair.replace('=7', '=8')],
    ['name', (pair) => pair.replace('cart', 'debt')],
    ['end', (pair) => pair.replace('=7..', '=7.9999999999.')],
    ['signature', (pair) => pair.replace(/.{3}$/, 'AAA')],
    ['signature, cut short', (pair) => pair.slice(0, -1)],
    ['signature, left out', (pair) => pair.replace(/\..*/, '')],
  ])('is not there when it was changed: its %s', (_, change) => {
    expect(read(change(made('cart', '7')))).toEqual({});
  });

  it('is not there for another secret, or when it is not signed at all', () => {
    expect(read(made('cart', '7'), newer)).toEqual({});
    expect(read('cart=7; x; =; "')).toEqual({});
  });

  it('is accepted by any of several secrets, and made by the first', () => {
    expect(read(made('cart', '7'), [newer, secret])).toEqual({ cart: '7' });
    expect(read(made('cart', '7', { secret: [newer, secret] }), newer)).toEqual({ cart: '7' });
    expect(read(made('cart', '7', { secret: [newer, secret] }), secret)).toEqual({});
  });

  it('has ended when its maxAge or its expires has passed, however long a client keeps it', () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 });
    const aged = made('a', '1', { maxAge: 60 });
    const dated = made('b', '2', { expires: new Date(1_060_000) });
    const endless = made('c', '3');
    expect(read(`${aged}; ${dated}; ${endless}`)).toEqual({ a: '1', b: '2', c: '3' });
    vi.setSystemTime(1_059_999);
    expect(read(`${aged}; ${dated}`)).toEqual({ a: '1', b: '2' });
    vi.setSystemTime(1_060_000);
    expect(read(`${aged}; ${dated}; ${endless}`)).toEqual({ c: '3' });
  });

  it('is not hidden by a forged one of the same name in front of it; of two genuine ones the first wins', () => {
    expect(read(`cart=8; cart=9.AAAA; ${made('cart', '7')}; ${made('cart', '6')}`)).toEqual({ cart: '7' });
    expect({ ...signedCookies(sent('cart=8', made('cart', '7')), { secret }) }).toEqual({ cart: '7' });
  });

  it('may be called __proto__: the result has no prototype', () => {
    const values = signedCookies(sent(made('__proto__', '1')), { secret });
    expect([Object.getPrototypeOf(values), Object.entries(values)]).toEqual([null, [['__proto__', '1']]]);
  });
});

describe('withSignedCookie', () => {
  const fieldFor = (asked: Request, options: object = {}): string | undefined =>
    withSignedCookie(asked, Response.empty(), 'a', 'b', { secret, ...options })
      .header('set-cookie')
      ?.replace(/^[^;]*; /, '');

  it('has the attributes of withCookie, and Secure under TLS', () => {
    expect(fieldFor(request)).toBe('Path=/; HttpOnly; SameSite=Lax');
    expect(fieldFor(new Request({ secure: true }))).toBe('Path=/; HttpOnly; Secure; SameSite=Lax');
    expect(fieldFor(new Request({ secure: true }), { secure: false, maxAge: 5, path: '/x' })).toBe(
      'Max-Age=5; Path=/x; HttpOnly; SameSite=Lax',
    );
  });

  it('leaves the response as it is, and other cookies beside it', () => {
    const response = Response.text('x').withCookie('z', '1');
    expect(withSignedCookie(request, response, 'a', 'b', { secret }).headerAll('set-cookie')).toHaveLength(2);
    expect(response.headerAll('set-cookie')).toHaveLength(1);
  });

  it.each<[string, object, string]>([
    ['a secret that could be guessed', { secret: 'short' }, 'secret has 5 bytes, not at least 32'],
    ['no secret', { secret: undefined }, 'secret is undefined: set the variable in the environment that holds it'],
    ['an empty list of secrets', { secret: [] }, 'there is no secret'],
    ['an attribute in another case', { maxage: 1 }, 'unknown option "maxage": did you mean "maxAge"?'],
  ])('refuses %s', (_, options, why) => {
    expect(() => withSignedCookie(request, Response.empty(), 'a', 'b', { secret, ...options })).toThrow(
      expect.objectContaining({
        name: 'TypeError',
        code: 'bad-option',
        message: expect.stringContaining(`Cannot set cookie "a": ${why}`) as string,
      }),
    );
  });

  it('refuses a value that is no text, instead of signing what it looks like', () => {
    expect(() => withSignedCookie(request, Response.empty(), 'a', undefined as never, { secret })).toThrow(
      'its value is undefined, not a string',
    );
  });

  it('refuses what browsers would not take', () => {
    expect(() => made('a', 'x'.repeat(4096))).toThrow(expect.objectContaining({ code: 'bad-cookie' }));
    expect(() => made('a', 'x', { maxAge: 1.5 })).toThrow(expect.objectContaining({ code: 'bad-cookie' }));
    expect(() => made('__Host-a', 'x')).toThrow('its prefix needs secure');
  });
});

describe('signedCookies', () => {
  it.each([['short'], [[]], [undefined]])('refuses the secret %j', (wrong) => {
    expect(() => signedCookies(request, { secret: wrong as string })).toThrow(
      expect.objectContaining({ code: 'bad-option', message: expect.stringMatching(/^Cannot read signed cookies: /) as string }),
    );
  });
});
