import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createSessions, Request, Response, type Session, type SessionOptions, type Sessions } from '../../../src/index.ts';

interface Data {
  user: string;
  count: number;
  text: string;
}

const SECRET = 'k'.repeat(32);
const OTHER = 'o'.repeat(32);
const page = Response.text('page');

/** What a browser would send back: `name=value` of the last Set-Cookie. */
function cookieOf(response: Response): string {
  return setCookie(response)?.split(';')[0] ?? '';
}

function setCookie(response: Response): string | undefined {
  return response.headers.findLast(([name]) => name === 'Set-Cookie')?.[1];
}

function requestWith(cookie?: string, { secure = false } = {}): Request {
  return new Request({ secure, ...(cookie !== undefined && { headers: { Cookie: cookie } }) });
}

/** The cookie of a session that somebody has logged in to. */
function loggedIn(sessions: Sessions<Data>, data: Partial<Data> = { user: 'ada' }): string {
  const session = sessions.open(requestWith());
  session.data = data;
  return cookieOf(session.save(page));
}

const open = (sessions: Sessions<Data>, cookie: string): Session<Data> => sessions.open(requestWith(cookie));

afterEach(() => void vi.useRealTimers());

describe('createSessions', () => {
  it.each<[string, unknown]>([
    ['no secret', {}],
    ['an empty list of secrets', { secret: [] }],
    ['a secret of 31 bytes', { secret: 'x'.repeat(31) }],
    ['a short secret behind a long one', { secret: [SECRET, 'short'] }],
    ['a secret that is no text', { secret: 12345 }],
    ['a ttl of 0', { secret: SECRET, ttl: 0 }],
    ['a ttl of half a second', { secret: SECRET, ttl: 0.5 }],
    ['a ttl that browsers cut', { secret: SECRET, ttl: 401 * 86_400 }],
    ['a lifetime shorter than the ttl', { secret: SECRET, ttl: 60, lifetime: 59 }],
    ['maxAge for the cookie', { secret: SECRET, cookie: { maxAge: 1 } }],
    ['SameSite=None without Secure', { secret: SECRET, cookie: { sameSite: 'none' } }],
    ['a __Host- name with a path', { secret: SECRET, name: '__Host-s', cookie: { path: '/app' } }],
    ['a name that is no token', { secret: SECRET, name: 'a b' }],
    ['a store without delete', { secret: SECRET, store: { get: () => {}, set: () => {} } }],
    ['an unknown option', { secret: SECRET, maxAge: 1 }],
  ])('refuses %s at start', (_, options) => {
    expect(() => createSessions<Data>(options as SessionOptions)).toThrow(expect.objectContaining({ code: 'bad-option' }));
  });

  it('says how to make a secret when there is none worth the name', () => {
    expect(() => createSessions({ secret: 'secret' })).toThrow(/has 6 bytes, not at least 32: take what "openssl rand -base64 32" prints/);
  });
});

describe('a session in a sealed cookie', () => {
  const sessions = createSessions<Data>({ secret: SECRET });

  it('remembers its data from one request to the next, without a promise', () => {
    const session = open(sessions, loggedIn(sessions, { user: 'ada', text: 'é\u0000💡' }));
    expect([session.isNew, session.data]).toEqual([false, { user: 'ada', text: 'é\u0000💡' }]);
  });

  it('is new and empty for a client without a cookie, and sends none as long as nothing is put in', () => {
    const session = sessions.open(requestWith());
    expect([session.isNew, session.data]).toEqual([true, {}]);
    expect(setCookie(session.save(page))).toBeUndefined();
  });

  it('sends a cookie only when the data has changed', () => {
    const cookie = loggedIn(sessions);
    const same = open(sessions, cookie);
    same.data.user = 'ada';
    expect(setCookie(same.save(page))).toBeUndefined();
    const changed = open(sessions, cookie);
    changed.data.count = 1;
    expect(open(sessions, cookieOf(changed.save(page))).data).toEqual({ user: 'ada', count: 1 });
  });

  it('sees a change deep inside, and the loss of a member', () => {
    const deep = createSessions<{ list: number[]; extra: string }>({ secret: SECRET });
    const first = deep.open(requestWith());
    first.data = { list: [1], extra: 'x' };
    const second = deep.open(requestWith(cookieOf(first.save(page))));
    second.data.list?.push(2);
    delete second.data.extra;
    expect(deep.open(requestWith(cookieOf(second.save(page)))).data).toEqual({ list: [1, 2] });
  });

  it('ends with destroy: the cookie is taken away, and with it the data', () => {
    const session = open(sessions, loggedIn(sessions));
    session.destroy();
    expect(session.data).toEqual({});
    expect(setCookie(session.save(page))).toBe(
      'session=; Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax',
    );
  });

  it('takes away a cookie that does not open, and sends nothing to a client that has none', () => {
    const stale = open(sessions, 'session=stale');
    stale.destroy();
    expect(setCookie(stale.save(page))).toContain('session=; Max-Age=0');
    const none = sessions.open(requestWith());
    none.destroy();
    expect(setCookie(none.save(page))).toBeUndefined();
  });

  it('begins another one when something is put in after destroy', () => {
    const session = open(sessions, loggedIn(sessions, { user: 'ada', text: 'old' }));
    session.destroy();
    session.data.text = 'signed out';
    expect(open(sessions, cookieOf(session.save(page))).data).toEqual({ text: 'signed out' });
  });

  it('gets a new cookie with the same data from regenerate', () => {
    const cookie = loggedIn(sessions);
    const session = open(sessions, cookie);
    session.regenerate();
    const next = cookieOf(session.save(page));
    expect(next).not.toBe(cookie);
    expect(open(sessions, next).data).toEqual({ user: 'ada' });
  });

  it('refuses to make a cookie that browsers would drop, says what to do, and lets go of the body', () => {
    const session = sessions.open(requestWith());
    session.data.text = 'x'.repeat(3000);
    let isReleased = false;
    const response = Response.stream('text/plain', (async function* () {})());
    vi.spyOn(response, 'dispose').mockImplementation(() => {
      isReleased = true;
    });
    expect(() => session.save(response)).toThrow(/has \d+ bytes, browsers take 4096; keep less in it .*, or give createSessions a store/);
    expect(() => session.save(response)).toThrow(expect.objectContaining({ code: 'session-too-large' }));
    session.data.text = 'x'.repeat(10_000);
    expect(() => session.save(response)).toThrow(expect.objectContaining({ code: 'session-too-large' }));
    expect(isReleased).toBe(true);
    session.data.text = 'x'.repeat(2800);
    expect(setCookie(session.save(page))?.length).toBeLessThanOrEqual(4096);
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['a list', []],
    ['a text', 'x'],
    ['a bigint', { count: 1n }],
  ])('refuses to save %s for data', (_, data) => {
    const session = sessions.open(requestWith());
    session.data = data as Data;
    expect(() => session.save(page)).toThrow(expect.objectContaining({ code: 'not-serializable' }));
  });
});

describe('the seal', () => {
  const sessions = createSessions<Data>({ secret: SECRET });

  it('hides the data, and makes another cookie each time', () => {
    const [one, other] = [loggedIn(sessions, { user: 'ada-lovelace' }), loggedIn(sessions, { user: 'ada-lovelace' })];
    expect(Buffer.from(one.slice('session=2.'.length), 'base64url').toString('latin1')).not.toContain('lovelace');
    expect(one).not.toBe(other);
  });

  it('opens with none of its bits changed', () => {
    const value = loggedIn(sessions).slice('session=2.'.length);
    const bytes = Buffer.from(value, 'base64url');
    fc.assert(
      fc.property(fc.nat({ max: bytes.length * 8 - 1 }), (bit) => {
        const changed = Buffer.from(bytes);
        changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(open(sessions, `session=2.${changed.toString('base64url')}`).isNew).toBe(true);
      }),
      { numRuns: 300 },
    );
    expect(open(sessions, `session=2.${value}`).isNew).toBe(false);
  });

  it('takes whatever a client invents for no session', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.base64String(),
          fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64url')),
          fc.uint8Array().map((bytes) => `2.${Buffer.from(bytes).toString('base64url')}`),
        ),
        (value) => {
          const cookie = `session=${value.replace(/[^\x21-\x7e]/g, '')}`;
          expect(open(sessions, cookie).isNew).toBe(true);
        },
      ),
    );
  });

  it('does not open cut short, under another name or with another secret', () => {
    const cookie = loggedIn(sessions);
    for (let length = 'session='.length; length < cookie.length; length++) expect(open(sessions, cookie.slice(0, length)).isNew).toBe(true);
    expect(open(createSessions<Data>({ secret: SECRET, name: 'other' }), cookie.replace('session', 'other')).isNew).toBe(true);
    expect(open(createSessions<Data>({ secret: OTHER }), cookie).isNew).toBe(true);
  });

  it('opens what an older secret has sealed, and seals with the newest', () => {
    const rotated = createSessions<Data>({ secret: [OTHER, SECRET] });
    const session = open(rotated, loggedIn(sessions));
    expect(session.data).toEqual({ user: 'ada' });
    session.data.count = 1;
    const cookie = cookieOf(session.save(page));
    expect(open(createSessions<Data>({ secret: OTHER }), cookie).isNew).toBe(false);
    expect(open(sessions, cookie).isNew).toBe(true);
  });
});

describe('the life of a session', () => {
  const sessions = createSessions<Data>({ secret: SECRET, ttl: 1000, lifetime: 5000 });
  const at = (seconds: number): void => void vi.setSystemTime(seconds * 1000);

  it('ends when it was not used for its ttl', () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 0 });
    const cookie = loggedIn(sessions);
    at(999);
    expect(open(sessions, cookie).isNew).toBe(false);
    at(1000);
    expect(open(sessions, cookie).isNew).toBe(true);
  });

  it('slides: a cookie comes again when a tenth of the ttl has passed, not before', () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 0 });
    const cookie = loggedIn(sessions);
    at(99);
    expect(setCookie(open(sessions, cookie).save(page))).toBeUndefined();
    at(100);
    const next = open(sessions, cookie).save(page);
    expect(setCookie(next)).toContain('Max-Age=1000;');
    at(1099);
    expect(open(sessions, cookieOf(next)).data).toEqual({ user: 'ada' });
  });

  it('ends after its lifetime however much it is used, and regenerate begins it anew', () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 0 });
    let cookie = loggedIn(sessions);
    for (let now = 500; now < 5000; now += 500) {
      at(now);
      const response = open(sessions, cookie).save(page);
      if (setCookie(response) === undefined) continue;
      cookie = cookieOf(response);
      expect(Number(/Max-Age=(\d+)/.exec(setCookie(response) ?? '')?.[1])).toBe(Math.min(1000, 5000 - now));
    }
    at(4999);
    const session = open(sessions, cookie);
    expect(session.isNew).toBe(false);
    session.regenerate();
    const fresh = cookieOf(session.save(page));
    at(5000);
    expect(open(sessions, cookie).isNew).toBe(true);
    expect(open(sessions, fresh).data).toEqual({ user: 'ada' });
  });
});

describe('the cookie of a session', () => {
  it.each<[string, Partial<SessionOptions>, boolean, string]>([
    ['over TLS', {}, true, '__Host-session=…; Max-Age=86400; Path=/; HttpOnly; Secure; SameSite=Lax'],
    ['without TLS', {}, false, 'session=…; Max-Age=86400; Path=/; HttpOnly; SameSite=Lax'],
    [
      'behind a proxy that is not trusted',
      { cookie: { secure: true } },
      false,
      '__Host-session=…; Max-Age=86400; Path=/; HttpOnly; Secure; SameSite=Lax',
    ],
    [
      'for a domain',
      { cookie: { domain: 'a.example' } },
      true,
      '__Secure-session=…; Max-Age=86400; Domain=a.example; Path=/; HttpOnly; Secure; SameSite=Lax',
    ],
    ['with a name', { name: 'sid', ttl: 60 }, true, 'sid=…; Max-Age=60; Path=/; HttpOnly; Secure; SameSite=Lax'],
    ['with a name that demands TLS', { name: '__Host-sid' }, false, '__Host-sid=…; Max-Age=86400; Path=/; HttpOnly; Secure; SameSite=Lax'],
    [
      'for the own site only',
      { cookie: { sameSite: 'strict' } },
      true,
      '__Host-session=…; Max-Age=86400; Path=/; HttpOnly; Secure; SameSite=Strict',
    ],
  ])('is safe %s', (_, options, secure, expected) => {
    const sessions = createSessions<Data>({ secret: SECRET, ...options });
    const session = sessions.open(requestWith(undefined, { secure }));
    session.data.user = 'ada';
    const line = setCookie(session.save(page)) ?? '';
    expect(line.replace(/=2\.[\w-]+/, '=…')).toBe(expected);
    expect(sessions.open(requestWith(line.split(';')[0], { secure })).isNew).toBe(false);
  });

  it('made without TLS is none under TLS: who can write into the one cannot into the other', () => {
    const sessions = createSessions<Data>({ secret: SECRET });
    const cookie = loggedIn(sessions);
    expect(sessions.open(requestWith(cookie, { secure: true })).isNew).toBe(true);
    expect(sessions.open(requestWith(`__Host-${cookie}`, { secure: true })).isNew).toBe(true);
  });

  it('is found in any line of Cookie (RFC 9113 §8.2.3)', () => {
    const sessions = createSessions<Data>({ secret: SECRET });
    const request = new Request({ headers: { Cookie: ['a=b', `c=d; ${loggedIn(sessions)}`] } });
    expect(sessions.open(request).data).toEqual({ user: 'ada' });
  });
});

describe('caches', () => {
  const sessions = createSessions<Data>({ secret: SECRET });
  const saved = (
    response: Response,
    use: (session: Session<Data>) => void,
    cookie?: string,
  ): [cache: string | undefined, vary: string | undefined] => {
    const session = sessions.open(requestWith(cookie));
    use(session);
    const result = session.save(response);
    return [result.header('cache-control'), result.header('vary')];
  };
  const change = (session: Session<Data>): void => {
    session.data.user = 'ada';
  };

  it.each<[string, Response, string]>([
    ['nothing', page, 'no-store'],
    ['public', page.withPublicCache(60), 'no-store'],
    ['max-age alone', page.withHeader('Cache-Control', 'max-age=60'), 'no-store'],
    ['no-cache', page.withHeader('Cache-Control', 'no-cache'), 'no-store'],
    ['both private and public', page.withHeader('Cache-Control', 'private, public'), 'no-store'],
    ['private', page.withPrivateCache(60), 'private, max-age=60'],
    ['no-store', page.withNoCache(), 'no-store'],
  ])('keep no cookie for others when the response says %s', (_, response, expected) => {
    expect(saved(response, change)).toEqual([expected, 'Cookie']);
  });

  it('hear that a response depends on the cookie when the data was looked at, and only then', () => {
    const cookie = loggedIn(sessions);
    expect(saved(page, (session) => void session.data, cookie)).toEqual([undefined, 'Cookie']);
    expect(saved(page, (session) => void session.data)).toEqual([undefined, 'Cookie']);
    expect(saved(page, (session) => void session.isNew)).toEqual([undefined, 'Cookie']);
    expect(saved(page.withPublicCache(60), () => {}, cookie)).toEqual(['public, max-age=60', undefined]);
    expect(saved(page.withHeader('Vary', 'Accept'), (session) => void session.data, cookie)).toEqual([undefined, 'Accept, Cookie']);
  });
});

describe('what Rouille gets wrong with sessions', () => {
  const sessions = createSessions<Data>({ secret: SECRET });

  it('fixation: an id that the client invented is never taken', () => {
    const invented = 'a'.repeat(64); // 64 letters are a Rouille session id
    const session = open(sessions, `session=${invented}`);
    expect(session.isNew).toBe(true);
    session.data.user = 'ada';
    expect(cookieOf(session.save(page))).not.toContain(invented);
  });

  it('regenerate is there, for the login', () => {
    const anonymous = loggedIn(sessions, { text: 'basket' });
    const session = open(sessions, anonymous);
    session.regenerate();
    session.data.user = 'ada';
    session.save(page);
    expect(open(sessions, anonymous).data).toEqual({ text: 'basket' }); // who has planted it learns nothing
  });

  it('the cookie has Secure under TLS, SameSite and HttpOnly', () => {
    const session = sessions.open(requestWith(undefined, { secure: true }));
    session.data.user = 'ada';
    expect(setCookie(session.save(page))).toMatch(/; HttpOnly; Secure; SameSite=Lax$/);
  });

  it('the cookie is sent when something changed or slides, not with every response', () => {
    expect(setCookie(open(sessions, loggedIn(sessions)).save(page))).toBeUndefined();
  });

  it('a cookie that the handler set, and every other field, stays', () => {
    const session = sessions.open(requestWith());
    session.data.user = 'ada';
    const response = session.save(page.withCookie('theme', 'dark').withHeader('X-A', 'b'));
    expect(response.headers.filter(([name]) => name === 'Set-Cookie')).toHaveLength(2);
    expect(response.header('x-a')).toBe('b');
  });

  it('a session can be ended, and its cookie goes', () => {
    const session = open(sessions, loggedIn(sessions));
    session.destroy();
    expect(setCookie(session.save(page))).toContain('Max-Age=0');
  });

  it('a constant Response never carries the cookie of one client to another', () => {
    const constant = Response.text('shared');
    const before = JSON.stringify(constant.headers);
    for (let i = 0; i < 100; i++) {
      const session = sessions.open(requestWith());
      session.data.count = i;
      expect(open(sessions, cookieOf(session.save(constant))).data).toEqual({ count: i });
    }
    expect(JSON.stringify(constant.headers)).toBe(before);
    expect(setCookie(sessions.open(requestWith()).save(constant))).toBeUndefined();
  });

  it('the one that opens is taken of several with its name, wherever it stands, and of few only', () => {
    const good = loggedIn(sessions);
    const stale = `${good.split('=')[0]}=stale`;
    for (const cookie of [`${stale}; ${good}`, `a=b; ${stale}; ${stale};${good}; c=d`, `${good}; ${stale}`]) {
      expect(open(sessions, cookie).data).toEqual({ user: 'ada' });
    }
    const lines = new Request({ headers: { Cookie: [stale, good] } });
    expect(sessions.open(lines).data).toEqual({ user: 'ada' });
    expect(open(sessions, `${`${stale}; `.repeat(8)}${good}`).data).toEqual({});
  });
});
