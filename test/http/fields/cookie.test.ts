import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { parseCookie } from '../../../src/http/fields/cookie.ts';

/** What the specification of escapes says, with an error for each that is broken. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

it('decodes escapes as decodeURIComponent does, and keeps a value with a broken one', () => {
  const piece = fc.constantFrom(
    'a',
    '%',
    '%41',
    '%c3%A9',
    '%C3',
    '%ff',
    '%ED%A0%80',
    '%EF%BB%BF',
    '%f0%9f%98%80',
    '%zz',
    'é',
    '%C0%80',
    '%25',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      const value = pieces.join('');
      expect(parseCookie(`n=${value}`)['n']).toBe(decoded(value));
    }),
    { numRuns: 2000 },
  );
});

it('throws nothing inside for thousands of broken escapes, which would cost more than the request', () => {
  const decode = vi.spyOn(globalThis, 'decodeURIComponent');
  const field = Array.from({ length: 3000 }, (_, i) => `${i}=%${i % 2 === 0 ? '' : 'FF'}`).join(';');
  expect(Object.keys(parseCookie(field))).toHaveLength(3000);
  expect(decode.mock.results.filter(({ type }) => type === 'throw')).toEqual([]);
  decode.mockRestore();
});
