import { describe, expect, it } from 'vitest';
import { basicAuth } from '../../src/helpers/basic-auth.ts';
import { bearerToken } from '../../src/helpers/bearer-token.ts';
import { parseAuthorization } from '../../src/http/fields/authorization.ts';
import { Request } from '../../src/index.ts';
import { cpuTime } from '../support/cpu-time.ts';

const sent = (...values: string[]): Request => new Request({ headers: values.map((value) => ['Authorization', value] as const) });
const basic = (pair: string | Uint8Array): Request => sent(`Basic ${Buffer.from(pair as string).toString('base64')}`);

describe('basicAuth (RFC 7617)', () => {
  it('reads the user and the password (§2)', () => {
    expect(basicAuth(sent('Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='))).toEqual({ user: 'Aladdin', password: 'open sesame' });
  });

  it('knows the scheme in any case, and several spaces (RFC 9110 §11.4)', () => {
    expect(basicAuth(sent('bASIC   QTpi'))).toEqual({ user: 'A', password: 'b' });
  });

  it('reads UTF-8, colons in the password, and empty parts (§2, §2.1)', () => {
    expect(basicAuth(basic('test:123£'))).toEqual({ user: 'test', password: '123£' });
    expect(basicAuth(basic('a:b:c'))).toEqual({ user: 'a', password: 'b:c' });
    expect(basicAuth(basic(':'))).toEqual({ user: '', password: '' });
  });

  it.each([
    '',
    'Basic',
    'Basic ',
    'Bearer QTpi',
    'Basic QTpi QTpi',
    'Basic realm="a"',
    'BasicQTpi',
    'Basic QTpi=',
    'Basic Q-pi',
    'Basic QTp',
    'Basic QTr=',
  ])('is undefined for %j', (value) => {
    expect(basicAuth(sent(value))).toBeUndefined();
  });

  it('is undefined without a colon, with control characters, and for bytes that are no UTF-8', () => {
    expect(basicAuth(basic('nocolon'))).toBeUndefined();
    expect(basicAuth(basic('a:b\n'))).toBeUndefined();
    expect(basicAuth(basic('a\0:b'))).toBeUndefined();
    expect(basicAuth(basic(Uint8Array.of(0x61, 0x3a, 0xe9)))).toBeUndefined();
  });

  it('is undefined without the field, and when it stands twice', () => {
    expect(basicAuth(new Request())).toBeUndefined();
    expect(basicAuth(sent('Basic QTpi', 'Basic QTpi'))).toBeUndefined();
  });
});

describe('bearerToken (RFC 6750 §2.1)', () => {
  it('reads a b64token', () => {
    expect(bearerToken(sent('Bearer mF_9.B5f-4.1JqM'))).toBe('mF_9.B5f-4.1JqM');
    expect(bearerToken(sent('bearer a+b/c~d=='))).toBe('a+b/c~d==');
  });

  it.each(['', 'Bearer', 'Bearer ', 'Bearer a b', 'Bearer a=b', 'Bearer =', 'Bearer "a"', 'Bearer a,b', 'Basic a', 'Bearera'])(
    'is undefined for %j',
    (value) => {
      expect(bearerToken(sent(value))).toBeUndefined();
    },
  );

  it('is undefined without the field, and when it stands twice', () => {
    expect(bearerToken(new Request())).toBeUndefined();
    expect(bearerToken(sent('Bearer a', 'Bearer b'))).toBeUndefined();
  });
});

describe('parseAuthorization (RFC 9110 §11.6.2)', () => {
  it('knows a scheme with parameters, without taking them for a token', () => {
    expect(parseAuthorization('Digest username="a", realm="b"')).toEqual({ scheme: 'digest', token: undefined });
    expect(parseAuthorization('Negotiate')).toEqual({ scheme: 'negotiate', token: undefined });
  });

  it('reads 64 KiB of nothing useful in a few milliseconds', () => {
    const time = cpuTime(() => {
      for (const value of [`Bearer ${'='.repeat(65_536)}x`, `Bearer ${' '.repeat(65_536)}`, `Bearer ${'a'.repeat(65_536)} `]) {
        parseAuthorization(value);
      }
    });
    expect(time).toBeLessThan(100);
  });
});
