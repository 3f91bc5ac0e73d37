/** Two requests of one session, and every order in which their calls can reach the store. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createSessions, Request, Response, type SessionStore, type StoredSession } from '../../../src/index.ts';

interface Data {
  user: string;
  a: number;
  b: number;
}

type Change = (session: StoredSession<Data>) => void;

const SECRET = 'k'.repeat(32);
const page = Response.text('page');

/** A store whose calls wait until they are let through, one at a time. */
class SteppedStore implements SessionStore {
  readonly entries: Map<string, string> = new Map();
  /** What has been let through. */
  readonly done: string[] = [];
  isStepped = false;
  readonly #waiting: { readonly name: string; readonly go: () => void }[] = [];

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Lets one of the waiting calls through. */
  step(index: number): void {
    const [call] = this.#waiting.splice(index, 1);
    this.done.push(call?.name ?? '');
    call?.go();
  }

  get(id: string): Promise<string | undefined> {
    return this.#call('get', () => this.entries.get(id));
  }

  async set(id: string, value: string): Promise<void> {
    await this.#call('set', () => this.entries.set(id, value));
  }

  update(id: string, before: string, value: string): Promise<boolean> {
    return this.#call('update', () => this.entries.get(id) === before && this.entries.set(id, value) === this.entries);
  }

  async delete(id: string): Promise<void> {
    await this.#call('delete', () => this.entries.delete(id));
  }

  #call<T>(name: string, effect: () => T): Promise<T> {
    if (!this.isStepped) return Promise.resolve(effect());
    return new Promise((resolve) => void this.#waiting.push({ name, go: () => resolve(effect()) }));
  }
}

/** How two requests have ended, in one of the orders. */
interface Ending {
  /** The data of all sessions in the store. */
  readonly live: readonly Partial<Data>[];
  /** The cookies that the two got. */
  readonly cookies: readonly (string | undefined)[];
  /** What the next request with the cookie of the first, and of the second, finds. */
  readonly found: readonly (Partial<Data> | undefined)[];
  readonly calls: string;
}

/** All endings of two requests that have both opened the session before either is saved. */
async function endingsOf(first: Change, second: Change, later = 0): Promise<Ending[]> {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000_000 });
  onTestFinished(() => void vi.useRealTimers());
  const endings: Ending[] = [];
  const plan: number[] = []; // which of the waiting calls is let through at each step: counted up like a number, its last digit first
  for (;;) {
    const widths: number[] = [];
    endings.push(await play(first, second, later, plan, widths));
    while (plan.length > 0 && plan.at(-1) === (widths[plan.length - 1] as number) - 1) plan.pop();
    if (plan.length === 0) return endings;
    plan.push((plan.pop() as number) + 1);
  }
}

/** Runs one order, and completes its plan. @param widths Filled with how many calls waited at each step. */
async function play(first: Change, second: Change, later: number, plan: number[], widths: number[]): Promise<Ending> {
  vi.setSystemTime(1_000_000_000);
  const store = new SteppedStore();
  const sessions = createSessions<Data>({ secret: SECRET, store, ttl: 1000 });
  const open = (cookie: string): Promise<StoredSession<Data>> => sessions.open(new Request({ headers: { Cookie: cookie } }));
  const session = await open('');
  session.data = { user: 'ada', a: 0 };
  const cookie = cookieOf(await session.save(page)) ?? '';
  vi.setSystemTime(1_000_000_000 + later * 1000);
  const opened = [await open(cookie), await open(cookie)] as const;
  first(opened[0]);
  second(opened[1]);
  store.isStepped = true;
  let left = opened.length;
  const saving = Promise.all(opened.map((one) => one.save(page).finally(() => left--)));
  for (let step = 0; left > 0; step++) {
    await new Promise<void>((resolve) => void setImmediate(resolve));
    if (store.waiting === 0) continue;
    widths[step] = store.waiting;
    if (step === plan.length) plan.push(0);
    store.step(plan[step] as number);
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }
  const cookies = (await saving).map(cookieOf);
  store.isStepped = false;
  const found = await Promise.all(
    cookies.map(async (one) => {
      const next = await open(one ?? cookie);
      return next.isNew ? undefined : next.data;
    }),
  );
  const live = [...store.entries.values()].map((text) => (JSON.parse(text) as { data?: Partial<Data> }).data ?? {});
  return { live, cookies, found, calls: store.done.join(' ') };
}

function cookieOf(response: Response): string | undefined {
  return response.header('set-cookie')?.split(';')[0];
}

const logOut: Change = (session) => session.destroy();
const look: Change = (session) => void session.data;
const setA: Change = (session) => void (session.data.a = 1);
const setB: Change = (session) => void (session.data.b = 2);
const regenerate: Change = (session) => session.regenerate();
const logIn: Change = (session) => {
  session.regenerate();
  session.data.user = 'grace';
};

describe('a logout', () => {
  it('holds beside a request that writes', async () => {
    const endings = await endingsOf(logOut, setA);
    expect(endings.length).toBeGreaterThan(1);
    for (const { live, found } of endings) expect([live, found]).toEqual([[], [undefined, undefined]]);
  });

  it('holds beside a renewal', async () => {
    const endings = await endingsOf(logOut, look, 500);
    expect(endings.some(({ calls }) => calls.includes('update'))).toBe(true);
    for (const { live } of endings) expect(live).toEqual([]);
  });

  it('holds beside a request that regenerates the session and is slower: nothing lives on under another name', async () => {
    const endings = await endingsOf(logOut, regenerate);
    for (const { live, cookies, calls } of endings) {
      const isSlower = calls.indexOf('delete') < calls.indexOf('update');
      expect(live).toEqual(isSlower ? [] : [{ user: 'ada', a: 0 }]);
      if (isSlower) expect(cookies[1]).toBeUndefined();
    }
    expect(new Set(endings.map(({ live }) => live.length))).toEqual(new Set([0, 1]));
  });

  it('does not stop a login beside it, which takes over nothing of what has ended', async () => {
    for (const { live, found, calls } of await endingsOf(logOut, logIn)) {
      const isSlower = calls.indexOf('delete') < calls.indexOf('update');
      const data = isSlower ? { user: 'grace' } : { user: 'grace', a: 0 };
      expect([live, found[1]]).toEqual([[data], data]);
    }
  });

  it('does not stop a login of the same user beside it', async () => {
    const again: Change = (session) => {
      session.regenerate();
      session.data.user = 'ada';
    };
    for (const { found } of await endingsOf(logOut, again)) expect(found[1]).toMatchObject({ user: 'ada' });
    const whole: Change = (session) => {
      session.regenerate();
      session.data = { user: 'ada', a: 0 };
    };
    for (const { found } of await endingsOf(logOut, whole)) expect(found[1]).toEqual({ user: 'ada', a: 0 });
  });

  it('holds beside another logout', async () => {
    for (const { live } of await endingsOf(logOut, logOut)) expect(live).toEqual([]);
  });
});

describe('two requests that change a session', () => {
  it('lose nothing when they change different members', async () => {
    const endings = await endingsOf(setA, setB);
    expect(endings.length).toBeGreaterThan(1);
    for (const { live } of endings) expect(live).toEqual([{ user: 'ada', a: 1, b: 2 }]);
  });

  it('keep the removal of a member', async () => {
    const forget: Change = (session) => void delete session.data.a;
    for (const { live } of await endingsOf(forget, setB)) expect(live).toEqual([{ user: 'ada', b: 2 }]);
  });

  it('leave the later of two values of one member', async () => {
    const other: Change = (session) => void (session.data.a = 7);
    for (const { live } of await endingsOf(setA, other)) expect([[{ user: 'ada', a: 1 }], [{ user: 'ada', a: 7 }]]).toContainEqual(live);
  });

  it('lose nothing when one of them only renews it', async () => {
    for (const { live } of await endingsOf(look, setB, 500)) expect(live).toEqual([{ user: 'ada', a: 0, b: 2 }]);
  });

  it('leave one session when one of them regenerates it, with the data of the other unless that was slower', async () => {
    for (const { live, found } of await endingsOf(regenerate, setB)) {
      expect(live).toHaveLength(1);
      expect(found[0]).toEqual(live[0]);
      expect([
        { user: 'ada', a: 0 },
        { user: 'ada', a: 0, b: 2 },
      ]).toContainEqual(live[0]);
    }
  });

  it('leave one session when both regenerate it', async () => {
    for (const { live, cookies } of await endingsOf(regenerate, regenerate)) {
      expect(live).toEqual([{ user: 'ada', a: 0 }]);
      expect(cookies.filter((one) => one !== undefined)).toHaveLength(1);
    }
  });

  it('leave no data of the one in the session of the other when both log in', async () => {
    const other: Change = (session) => {
      session.regenerate();
      session.data = { user: 'alan' };
    };
    for (const { found } of await endingsOf(logIn, other)) expect(found.map((data) => data?.user)).toEqual(['grace', 'alan']);
  });
});

describe('a session that is saved twice', () => {
  it.each([
    ['as it is', setA],
    ['regenerated', logIn],
  ])('is one session with all its data: %s', async (_how, change) => {
    const store = new SteppedStore();
    const sessions = createSessions<Data>({ secret: SECRET, store });
    const begun = await sessions.open(new Request());
    begun.data = { user: 'ada', a: 0 };
    const Cookie = cookieOf(await begun.save(page)) ?? '';
    const session = await sessions.open(new Request({ headers: { Cookie } }));
    change(session);
    await session.save(page);
    session.data.b = 2;
    const cookie = cookieOf(await session.save(page)) ?? '';
    expect(store.entries.size).toBe(1);
    expect((await sessions.open(new Request({ headers: { Cookie: cookie } }))).data).toEqual(session.data);
  });
});

describe('a store that never writes', () => {
  it('is an error that says so, not an endless wait', async () => {
    const store = new SteppedStore();
    const sessions = createSessions<Data>({ secret: SECRET, store });
    const begun = await sessions.open(new Request());
    begun.data.a = 0;
    const session = await sessions.open(new Request({ headers: { Cookie: cookieOf(await begun.save(page)) ?? '' } }));
    vi.spyOn(store, 'update').mockResolvedValue(false);
    session.data.a = 1;
    await expect(session.save(page)).rejects.toMatchObject({ code: 'session-contended' });
  });
});
