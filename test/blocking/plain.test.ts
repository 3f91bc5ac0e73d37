import { describe, expect, it } from 'vitest';
import { plainText } from '../../src/blocking/plain.ts';

describe('plainText', () => {
  it.each<[string, unknown]>([
    ['text', 'ü\u0000"\n'],
    ['a lone surrogate', '\ud800'],
    ['numbers', [0, -1.5, 2 ** 53, Number.MIN_VALUE]],
    ['booleans and null', [true, false, null]],
    [
      'rows of a database',
      [
        { id: 1, name: 'a', tags: ['x'] },
        { id: 2, name: '', tags: [] },
      ],
    ],
    ['an object with the key "__proto__"', JSON.parse('{"__proto__":1}')],
  ])('brings %s across as structured clone does', (_, value) => {
    const text = plainText(value, 1000) ?? '';
    expect(JSON.parse(text)).toStrictEqual(structuredClone(value));
  });

  const twice = {};
  const around: unknown[] = [];
  around.push(around);
  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['undefined in an object', { a: undefined }],
    ['minus zero', -0],
    ['NaN', Number.NaN],
    ['infinity', [Number.POSITIVE_INFINITY]],
    ['a bigint', 1n],
    ['a function', () => {}],
    ['a symbol', [Symbol.iterator]],
    ['a date', new Date(0)],
    ['a map', new Map()],
    ['bytes', new Uint8Array(1)],
    ['an object of a class', new (class A {})()],
    ['an array of a class', new (class A extends Array {})()],
    ['an object without a prototype', Object.create(null)],
    ['an array with holes', new Array<number>(2)],
    ['an array with fields', /a/.exec('a')],
    ['a proxy', new Proxy({}, {})],
    ['an object with toJSON', { toJSON: () => 1 }],
    ['the same object twice', [twice, twice]],
    ['a circle', around],
    ['many objects', Array.from({ length: 100 }, () => ({}))],
    ['more than there is room for', 'x'.repeat(1001)],
    ['a long array', new Array<number>(1000).fill(1)],
  ])('leaves %s to structured clone', (_, value) => {
    expect(plainText(value, 1000)).toBeUndefined();
  });
});
