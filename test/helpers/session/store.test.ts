import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  createMemorySessionStore,
  createSessions,
  Request,
  Response,
  type SessionStore,
  type StoredSession,
  type StoredSessions,
} from '../../../src/index.ts';

interface Data {
  user: string;
  count: number;
}

const SECRET = 'k'.repeat(32);
const page = Response.text('page');

/** A store whose entries can be seen, and what it was asked, in order. */
class OpenStore implements SessionStore {
  readonly entries: Map<string, string> = new Map();
  readonly calls: string[] = [];
  ttl = Number.NaN;

  async get(id: string): Promise<string | undefined> {
    this.calls.push('get');
    return this.entries.get(id);
  }

  async set(id: string, value: string, ttl: number): Promise<void> {
    this.calls.push('set');
    this.ttl = ttl;
    this.entries.set(id, value);
  }

  async update(id: string, before: string, value: string, ttl: number): Promise<boolean> {
    this.calls.push('update');
    if (this.entries.get(id) !== before) return false;
    this.ttl = ttl;
    this.entries.set(id, value);
    return true;
  }

  async delete(id: string): Promise<void> {
    this.calls.push('delete');
    this.entries.delete(id);
  }
}

function setCookie(response: Response): string | undefined {
  return response.headers.findLast(([name]) => name === 'Set-Cookie')?.[1];
}

function cookieOf(response: Response): string {
  return setCookie(response)?.split(';')[0] ?? '';
}

const requestWith = (cookie?: string): Request => new Request(cookie === undefined ? {} : { headers: { Cookie: cookie } });

function setup(): { store: OpenStore; sessions: StoredSessions<Data>; open: (cookie?: string) => Promise<StoredSession<Data>> } {
  const store = new OpenStore();
  const sessions = createSessions<Data>({ secret: SECRET, store, ttl: 1000 });
  return { store, sessions, open: (cookie) => sessions.open(requestWith(cookie)) };
}

/** The cookie of a session that somebody has logged in to. */
async function login(sessions: StoredSessions<Data>): Promise<string> {
  const session = await sessions.open(requestWith());
  session.data.user = 'ada';
  return cookieOf(await session.save(page));
}

afterEach(() => void vi.useRealTimers());

describe('a session in a store', () => {
  it('opens by the cookie whose session is alive, when a stale one of the same name comes first', async () => {
    const { store, sessions, open } = setup();
    const stale = await login(sessions);
    store.entries.clear();
    const good = await login(sessions);
    expect((await open(`session=forged; ${stale}; ${good}`)).data).toEqual({ user: 'ada' });
  });

  it('is remembered, and its cookie holds nothing but a signed name', async () => {
    const { store, sessions, open } = setup();
    const cookie = await login(sessions);
    expect(cookie).toMatch(/^session=[\w-]{32}\.[\w-]{43}$/);
    expect((await open(cookie)).data).toEqual({ user: 'ada' });
    expect(JSON.parse([...store.entries.values()][0] ?? '')).toMatchObject({ data: { user: 'ada' } });
    expect(store.ttl).toBe(1000);
  });

  it('has another name for everybody', async () => {
    const { store, sessions } = setup();
    await Promise.all(Array.from({ length: 100 }, () => login(sessions)));
    expect(store.entries.size).toBe(100);
  });

  it('is in the store before the response leaves', async () => {
    const { store, open } = setup();
    const session = await open();
    session.data.user = 'ada';
    let isKept = false;
    vi.spyOn(store, 'set').mockImplementation(async () => {
      await new Promise((resolve) => void setImmediate(resolve));
      isKept = true;
    });
    await session.save(page);
    expect(isKept).toBe(true);
  });

  it('asks the store for nothing when the client brings no cookie and leaves nothing', async () => {
    const { store, open } = setup();
    expect(setCookie(await (await open()).save(page))).toBeUndefined();
    expect(store.calls).toEqual([]);
  });

  it('writes only what has changed, or slides', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 0 });
    const { store, sessions, open } = setup();
    const cookie = await login(sessions);
    vi.setSystemTime(99_000);
    expect(setCookie(await (await open(cookie)).save(page))).toBeUndefined();
    expect(store.calls.filter((call) => call === 'set')).toHaveLength(1);
    vi.setSystemTime(100_000);
    const slid = await (await open(cookie)).save(page);
    expect(setCookie(slid)).toContain('Max-Age=1000;');
    expect(cookieOf(slid)).toBe(cookie);
  });

  it('ends at its time even when the store forgets nothing', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 0 });
    const { sessions, open } = setup();
    const cookie = await login(sessions);
    vi.setSystemTime(1_000_000);
    expect((await open(cookie)).isNew).toBe(true);
  });

  it('ends with destroy, here and in the browser', async () => {
    const { store, sessions, open } = setup();
    const cookie = await login(sessions);
    const session = await open(cookie);
    session.destroy();
    expect(setCookie(await session.save(page))).toContain('session=; Max-Age=0');
    expect(store.entries.size).toBe(0);
    expect((await open(cookie)).isNew).toBe(true);
  });

  it('fails with the store, sends no cookie then, and lets go of the body', async () => {
    const { store, open } = setup();
    vi.spyOn(store, 'set').mockRejectedValue(new Error('the store is down'));
    const session = await open();
    session.data.user = 'ada';
    const response = Response.stream('text/plain', (async function* () {})());
    const release = vi.spyOn(response, 'dispose');
    await expect(session.save(response)).rejects.toThrow('the store is down');
    expect(release).toHaveBeenCalledOnce();
    vi.spyOn(store, 'get').mockRejectedValue(new Error('the store is down'));
    await expect(open('session=invented')).resolves.toMatchObject({ isNew: true }); // nobody need be asked for that
  });

  it('takes what is no session in the store for none', async () => {
    const { store, sessions, open } = setup();
    const cookie = await login(sessions);
    const [id = ''] = store.entries.keys();
    for (const value of ['', 'null', '1', '{}', '{"begun":1,"expires":99999999999,"data":null}', 'no JSON']) {
      store.entries.set(id, value);
      expect((await open(cookie)).isNew).toBe(true);
    }
  });
});

describe('fixation', () => {
  it('is refused: the id of a stranger, signed by nobody, is never looked up nor taken', async () => {
    const { store, open } = setup();
    const invented = 'a'.repeat(32);
    store.entries.set(invented, '{"begun":0,"expires":99999999999,"data":{"user":"root"}}');
    for (const value of [invented, `${invented}.${'b'.repeat(43)}`, `${invented}.`, `.${'b'.repeat(43)}`]) {
      const session = await open(`session=${value}`);
      expect(session.isNew).toBe(true);
      session.data.user = 'ada';
      expect(cookieOf(await session.save(page))).not.toContain(invented);
    }
    expect(store.calls).not.toContain('get');
  });

  it('is refused: an id that we signed and that is gone is not used again', async () => {
    const { store, sessions, open } = setup();
    const cookie = await login(sessions);
    store.entries.clear();
    const session = await open(cookie);
    expect(session.isNew).toBe(true);
    session.data.user = 'grace';
    expect(cookieOf(await session.save(page))).not.toBe(cookie);
  });

  it('is refused: regenerate at login gives a new id, and the old one, which somebody may have planted, is dead', async () => {
    const { store, sessions, open } = setup();
    const planted = await login(sessions);
    const session = await open(planted);
    session.regenerate();
    session.data.count = 1;
    const cookie = cookieOf(await session.save(page));
    expect(cookie).not.toBe(planted);
    expect(store.entries.size).toBe(1);
    expect((await open(planted)).isNew).toBe(true);
    expect((await open(cookie)).data).toEqual({ user: 'ada', count: 1 });
  });

  it('is refused: a signature holds for one cookie name and one secret', async () => {
    const { store, sessions } = setup();
    const cookie = await login(sessions);
    const renamed = createSessions<Data>({ secret: SECRET, store, name: 'other' });
    expect((await renamed.open(requestWith(cookie.replace('session', 'other')))).isNew).toBe(true);
    const rekeyed = createSessions<Data>({ secret: 'o'.repeat(32), store });
    expect((await rekeyed.open(requestWith(cookie))).isNew).toBe(true);
    const rotated = createSessions<Data>({ secret: ['o'.repeat(32), SECRET], store });
    expect((await rotated.open(requestWith(cookie))).data).toEqual({ user: 'ada' });
  });
});

describe('two requests of one session at once', () => {
  it('cannot bring it back after a logout: who was slower writes nothing', async () => {
    const { store, sessions, open } = setup();
    const cookie = await login(sessions);
    const slow = await open(cookie);
    slow.data.count = 7;
    const logout = await open(cookie);
    logout.destroy();
    await logout.save(page);
    expect(setCookie(await slow.save(page))).toBeUndefined();
    expect(store.entries.size).toBe(0);
  });

  it('cannot bring the old id back after a login: the new cookie stays', async () => {
    const { store, sessions, open } = setup();
    const cookie = await login(sessions);
    const slow = await open(cookie);
    slow.data.count = 7;
    const renewed = await open(cookie);
    renewed.regenerate();
    await renewed.save(page);
    expect(setCookie(await slow.save(page))).toBeUndefined();
    expect(store.entries.size).toBe(1);
  });
});

describe('createMemorySessionStore', () => {
  it('keeps at most as many as it may, and forgets the one that was written the longest ago', async () => {
    const store = createMemorySessionStore({ maxSessions: 2 });
    await store.set('a', '1', 60);
    await store.set('b', '2', 60);
    await store.set('a', '3', 60);
    await store.set('c', '4', 60);
    expect(await Promise.all(['a', 'b', 'c'].map((id) => store.get(id)))).toEqual(['3', undefined, '4']);
  });

  it('writes over what was seen, and over nothing else', async () => {
    const store = createMemorySessionStore();
    expect(await store.update('a', '1', '2', 60)).toBe(false);
    await store.set('a', '1', 60);
    expect([await store.update('a', '0', '2', 60), await store.get('a')]).toEqual([false, '1']);
    expect([await store.update('a', '1', '2', 60), await store.get('a')]).toEqual([true, '2']);
  });

  it('forgets what has expired, and what was deleted', async () => {
    vi.useFakeTimers({ toFake: ['performance'], now: 0 });
    const store = createMemorySessionStore();
    await store.set('a', '1', 60);
    await store.set('b', '2', 60);
    await store.delete('b');
    vi.advanceTimersByTime(59_999);
    expect([await store.get('a'), await store.get('b')]).toEqual(['1', undefined]);
    vi.advanceTimersByTime(1);
    expect(await store.get('a')).toBeUndefined();
  });

  it('refuses a size that is none', () => {
    expect(() => createMemorySessionStore({ maxSessions: 0 })).toThrow(expect.objectContaining({ code: 'bad-option' }));
  });
});
