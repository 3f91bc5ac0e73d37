import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { OpenedTexts } from '../../../src/helpers/session/opened.ts';
import { Sealer } from '../../../src/helpers/session/seal.ts';
import { DerivedKey, Xaes } from '../../../src/helpers/session/xaes.ts';
import { createSessions, Request, Response } from '../../../src/index.ts';

const SECRET = 'k'.repeat(32);
/** Made by version 1 with `SECRET` for `session`, from 1,800,000,000 to a day later: `{"user":"ada"}`. */
const FIRST = 'EVJ1Ni8Z-7DUTB7k-bP93QAAa0sjgNOaCx13KR33mPav1Wz4XxSdjf6MLDUdQmchpUBXb6D9Mw_zUw';
const KEPT = { begun: 1_800_000_000, expires: 1_800_086_400, data: '{"user":"ada"}' };
const NONCE = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWX');

afterEach(() => void vi.useRealTimers());

/** What differs from a text in one bit. */
function anyBitOf(text: string): fc.Arbitrary<string> {
  const bytes = Buffer.from(text, 'base64url');
  return fc.nat({ max: bytes.length * 8 - 1 }).map((bit) => {
    const changed = Buffer.from(bytes);
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
    return changed.toString('base64url');
  });
}

describe('XAES-256-GCM', () => {
  it.each([
    [1, '', 'ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271'],
    [3, 'c2sp.org/XAES-256-GCM', '986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d'],
  ])('gives what C2SP prints for a key of bytes %i', (byte, bound, expected) => {
    const xaes = new Xaes(Buffer.alloc(32, byte));
    const derived = xaes.derive(NONCE.subarray(0, 12));
    const half = NONCE.subarray(12);
    const [encrypted, tag] = derived.encrypt(half, Buffer.from('XAES-256-GCM'), Buffer.from(bound));
    expect(Buffer.concat([encrypted, tag]).toString('hex')).toBe(expected);
    expect(derived.decrypt(half, encrypted, tag, Buffer.from(bound))?.toString()).toBe('XAES-256-GCM');
    expect(derived.decrypt(half, encrypted, tag, Buffer.from('other'))).toBeUndefined();
  });

  it('uses each half of the nonce, and keeps nothing from one text to the next', () => {
    const xaes = new Xaes(Buffer.alloc(32, 1));
    const of = (nonce: Buffer): string =>
      xaes.derive(nonce.subarray(0, 12)).encrypt(nonce.subarray(12), Buffer.alloc(16), Buffer.alloc(0))[0].toString('hex');
    const first = of(NONCE);
    for (let at = 0; at < 24; at++) {
      const other = Buffer.from(NONCE);
      other[at] = 0;
      expect(of(other)).not.toBe(first);
    }
    expect(of(NONCE)).toBe(first);
  });
});

describe('a sealed text', () => {
  it('says its version, and opens to what was sealed, whatever the data', () => {
    const sealer = new Sealer([SECRET]);
    expect(sealer.seal('session', KEPT)).toMatch(/^2\.[\w-]+$/);
    fc.assert(
      fc.property(fc.json(), (data) => {
        const kept = { ...KEPT, data };
        const opener = new Sealer([SECRET]); // another process
        expect(opener.open('session', sealer.seal('session', kept))).toEqual({ ...kept, data: Buffer.from(data).toString() });
      }),
    );
  });

  it('never uses a nonce twice, also when it asks for random bytes once for many', () => {
    const sealer = new Sealer([SECRET]);
    const nonces = Array.from({ length: 200 }, () => sealer.seal('session', KEPT).slice(2, 34)); // 24 bytes
    expect(new Set(nonces).size).toBe(200);
  });

  it('shares the first half of its nonce with few others, and the second with none', () => {
    const sealer = new Sealer([SECRET]);
    const halves = Array.from({ length: 128 }, () => {
      const nonce = sealer.seal('session', KEPT).slice(2, 34); // 24 bytes
      return [nonce.slice(0, 16), nonce.slice(16)] as const;
    });
    expect(new Set(halves.map(([first]) => first)).size).toBe(2);
    expect(new Set(halves.map(([, second]) => second)).size).toBe(128);
  });

  it('is decrypted once, and never where it was made; under another name it does not open', () => {
    const decrypt = vi.spyOn(DerivedKey.prototype, 'decrypt');
    const [here, elsewhere] = [new Sealer([SECRET]), new Sealer(['o'.repeat(32), SECRET])];
    const text = here.seal('session', KEPT);
    expect([here.open('session', text), here.open('session', text), decrypt.mock.calls.length]).toEqual([KEPT, KEPT, 0]);
    expect([elsewhere.open('session', text), elsewhere.open('session', text)]).toEqual([KEPT, KEPT]);
    expect(decrypt).toHaveBeenCalledTimes(2); // with each of its secrets
    for (const sealer of [here, elsewhere]) expect(sealer.open('other', text)).toBeUndefined();
    expect(decrypt).toHaveBeenCalledTimes(5);
    vi.restoreAllMocks();
  });

  it('that was made long ago opens as before', () => {
    const sealer = new Sealer([SECRET]);
    const first = sealer.seal('session', KEPT);
    for (let n = 0; n < 500; n++) sealer.seal('session', { ...KEPT, data: JSON.stringify({ n, of: 'x'.repeat(2500) }) });
    const decrypt = vi.spyOn(DerivedKey.prototype, 'decrypt');
    expect([sealer.open('session', first), decrypt.mock.calls.length]).toEqual([KEPT, 1]);
    vi.restoreAllMocks();
  });

  it('of version 1 still opens: with the secret, the name and all bits that it was made with', () => {
    expect(new Sealer(['o'.repeat(32), SECRET]).open('session', FIRST)).toEqual(KEPT);
    expect(new Sealer(['o'.repeat(32)]).open('session', FIRST)).toBeUndefined();
    expect(new Sealer([SECRET]).open('other', FIRST)).toBeUndefined();
    fc.assert(fc.property(anyBitOf(FIRST), (changed) => new Sealer([SECRET]).open('session', changed) === undefined));
  });

  it('opens as no other version than its own', () => {
    const sealer = new Sealer([SECRET]);
    const sealed = sealer.seal('session', KEPT);
    for (const text of [`2.${FIRST}`, `1.${FIRST}`, `3.${FIRST}`, sealed.slice(2), `2.${sealed}`, sealed.replace('2.', '1.')]) {
      expect(sealer.open('session', text)).toBeUndefined();
    }
  });
});

describe('texts that were opened', () => {
  it('are kept while they have a million characters at most, the last of them for certain', () => {
    const opened = new OpenedTexts();
    const kept = { ...KEPT, data: 'x'.repeat(1000) };
    for (let n = 0; n < 5000; n++) opened.set('session', `text ${n}`, kept);
    const found = Array.from({ length: 5000 }, (_, n) => opened.get('session', `text ${n}`) !== undefined);
    const count = found.filter(Boolean).length;
    expect(count).toBeGreaterThan(400);
    expect(count * 1000).toBeLessThan(1024 * 1024);
    expect(found.slice(-400)).not.toContain(false);
  });
});

describe('a session in a cookie of version 1', () => {
  it('goes on, and is written as version 2 when it changes', () => {
    vi.useFakeTimers({ toFake: ['Date'], now: KEPT.begun * 1000 });
    const sessions = createSessions<{ user: string; count: number }>({ secret: SECRET });
    const session = sessions.open(new Request({ headers: { Cookie: `session=${FIRST}` } }));
    expect(session.data).toEqual({ user: 'ada' });
    session.data.count = 1;
    const response = session.save(Response.text('page'));
    expect(response.header('set-cookie')).toMatch(/^session=2\./);
  });
});

describe('a session that has not changed', () => {
  it('is opened once and not sealed, one that has is sealed once', () => {
    const [open, seal] = [vi.spyOn(Sealer.prototype, 'open'), vi.spyOn(Sealer.prototype, 'seal')];
    const sessions = createSessions<{ user: string }>({ secret: SECRET });
    const first = sessions.open(new Request());
    first.data.user = 'ada';
    const cookie = first.save(Response.text('page')).header('set-cookie')?.split(';')[0] ?? '';
    expect([open.mock.calls.length, seal.mock.calls.length]).toEqual([0, 1]);
    const second = sessions.open(new Request({ headers: { Cookie: cookie } }));
    expect(second.data).toEqual({ user: 'ada' });
    second.save(Response.text('page'));
    expect([open.mock.calls.length, seal.mock.calls.length]).toEqual([1, 1]);
    vi.restoreAllMocks();
  });
});
