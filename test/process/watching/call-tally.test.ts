import { expect, it } from 'vitest';
import { CALL_TALLY_SIZE, CallTally } from '../../../src/process/watching/call-tally.ts';

function shared(): { readonly own: CallTally; readonly seen: CallTally } {
  const buffer = new SharedArrayBuffer(8 + CALL_TALLY_SIZE);
  return { own: new CallTally(buffer, 8), seen: new CallTally(buffer, 8) };
}

it('shows another thread what was called how often', () => {
  const { own, seen } = shared();
  expect(seen.read()).toEqual({});
  own.add('database.person', 0.02);
  own.add('database.person', 3);
  own.add('größe.messen', 0.5);
  expect(seen.read()).toMatchObject({ 'database.person': { count: 2, sum: 3.02 }, 'größe.messen': { count: 1, sum: 0.5 } });
});

it('has a place for each of 60 names, and one for all the others', () => {
  const { own, seen } = shared();
  for (let i = 0; i < 100; i++) own.add(`call-${i}`, 0.1);
  own.add('call-7', 0.1);
  const names = Object.keys(seen.read());
  expect(names.length).toBe(61);
  expect(seen.read()).toMatchObject({ 'call-7': { count: 2 }, other: { count: 40 } });
});

it('cuts long names, between characters, and adds up those that have become the same', () => {
  const { own, seen } = shared();
  own.add(`${'é'.repeat(200)}a`, 1);
  own.add(`${'é'.repeat(200)}b`, 1);
  expect(seen.read()).toMatchObject({ ['é'.repeat(58)]: { count: 2 } });
});
