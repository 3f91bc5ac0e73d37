import { describe, expect, it } from 'vitest';
import { plainText, plainTextOfAll } from '../../src/blocking/plain.ts';

const PLAIN: [string, unknown][] = [
  ['text', 'ü\u0000"\n'],
  ['a lone surrogate', '\ud800'],
  ['zero', 0],
  ['a fraction', -1.5],
  ['a large number', 2 ** 53],
  ['the least number', Number.MIN_VALUE],
  ['a boolean', false],
  ['null', null],
];
const OTHER: [string, unknown][] = [
  ['undefined', undefined],
  ['minus zero', -0],
  ['NaN', Number.NaN],
  ['infinity', Number.POSITIVE_INFINITY],
  ['a bigint', 1n],
  ['a function', () => {}],
  ['a symbol', Symbol.iterator],
  ['an object', {}],
  ['an array', []],
  ['bytes', new Uint8Array(1)],
  ['more than there is room for', 'x'.repeat(1001)],
];

describe('plainText', () => {
  it.each(PLAIN)('brings %s across as structured clone does', (_, value) => {
    expect(JSON.parse(plainText(value, 1000) ?? '')).toBe(structuredClone(value));
  });

  it.each(OTHER)('leaves %s to structured clone', (_, value) => {
    expect(plainText(value, 1000)).toBeUndefined();
  });
});

describe('plainTextOfAll', () => {
  it('brings arguments across that are all plain', () => {
    const args = PLAIN.map(([, value]) => value);
    expect(JSON.parse(plainTextOfAll(args, 1000) ?? '')).toEqual(args);
  });

  it.each(OTHER)('leaves arguments with %s to structured clone', (_, value) => {
    expect(plainTextOfAll([1, value], 1000)).toBeUndefined();
  });

  it('leaves many to it, and long ones together', () => {
    expect(
      plainTextOfAll(
        Array.from({ length: 17 }, () => 1),
        1000,
      ),
    ).toBeUndefined();
    expect(plainTextOfAll(['x'.repeat(600), 'x'.repeat(600)], 1000)).toBeUndefined();
  });
});
