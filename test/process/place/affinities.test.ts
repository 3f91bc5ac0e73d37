import { beforeEach, expect, it, vi } from 'vitest';

import type * as Affinities from '../../../src/process/place/affinities.ts';

let place: typeof Affinities;
beforeEach(async () => {
  vi.resetModules();
  place = await import('../../../src/process/place/affinities.ts');
});

const own = (head: string): string => `own ${head}`;

it('leaves the option as it is where no part leads requests', () => {
  expect(place.keysOf(own, 2)).toBe(own);
  expect(place.keysOf(undefined, 2)).toBeUndefined();
});

it('asks the parts first, in their order, and the option for what is about none of them', () => {
  place.leadRequests('one', (head: string) => (head === 'a' ? 'one' : undefined));
  place.leadRequests('two', (head: string) => (head === 'b' ? 'two' : undefined));
  const keyOf = place.keysOf(own, 2);
  expect(['a', 'b', 'c'].map((head) => keyOf?.(head))).toEqual(['one', 'two', 'own c']);
  expect(place.keysOf<string>(undefined, 2)?.('c')).toBeUndefined();
});

it('refuses a part that comes when several workers serve already, whose requests would go anywhere', () => {
  place.keysOf(own, 0);
  place.leadRequests('one', () => undefined);
  place.keysOf(own, 2);
  expect(() => place.leadRequests('a Socket.IO server', () => undefined)).toThrow(
    expect.objectContaining({ code: 'bad-option', message: expect.stringContaining('create it before startServer') as string }),
  );
});
