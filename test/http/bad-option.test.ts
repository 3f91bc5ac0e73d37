import { describe, expect, it } from 'vitest';
import { checkInteger, checkNumber, checkOptions, checkSystemString } from '../../src/http/errors/bad-option.ts';

const IT = 'Cannot do it';

describe('a number as an option', () => {
  it.each([
    [undefined, 'TypeError', 'x is undefined, not a number'],
    [null, 'TypeError', 'x is null, not a number'],
    ['5', 'TypeError', 'x is string, not a number: write Number(…)'],
    ['5s', 'TypeError', 'x is string, not a number'],
    ['', 'TypeError', 'x is string, not a number'],
    [Number.NaN, 'RangeError', 'x is NaN, not a whole number of seconds from 1 to 9'],
    [1.5, 'RangeError', 'x is 1.5, not a whole number of seconds from 1 to 9'],
    [0, 'RangeError', 'x is 0, not a whole number of seconds from 1 to 9'],
    [10, 'RangeError', 'x is 10, not a whole number of seconds from 1 to 9'],
    [Number.POSITIVE_INFINITY, 'RangeError', 'x is Infinity, not a whole number of seconds from 1 to 9'],
  ])('is refused when it is %s', (value, name, why) => {
    expect(() => checkInteger(IT, 'x', value, 1, 9, 'seconds')).toThrow(
      expect.objectContaining({ name, code: 'bad-option', message: `${IT}: ${why}` }),
    );
  });

  it('may be either bound, and Infinity where there is no bound', () => {
    expect(() => checkInteger(IT, 'x', 1, 1, 9)).not.toThrow();
    expect(() => checkInteger(IT, 'x', 9, 1, 9)).not.toThrow();
    expect(() => checkInteger(IT, 'x', Number.POSITIVE_INFINITY, 1, Number.POSITIVE_INFINITY)).not.toThrow();
    expect(() => checkInteger(IT, 'x', Number.POSITIVE_INFINITY, 1, Number.MAX_SAFE_INTEGER)).toThrow('not a whole number from 1 on');
  });

  it('may have a fraction where it need not be whole', () => {
    expect(() => checkNumber(IT, 'x', 1.5, 0, 9)).not.toThrow();
    expect(() => checkNumber(IT, 'x', Number.NaN, 0, 9)).toThrow(`${IT}: x is NaN, not a number from 0 to 9`);
  });
});

describe('options', () => {
  it('are refused with an unknown name, also one that is inherited', () => {
    expect(() => checkOptions(IT, Object.create({ b: 1 }), new Set(['a']))).toThrow(`${IT}: unknown option "b"`);
  });

  it.each([
    ['maxage', ': did you mean "maxAge"?'],
    ['prot', ': did you mean "port"?'],
    ['secrets', ': did you mean "secret"?'],
    ['tlt', ': did you mean "tls"?'],
    ['xy', ''],
    ['quality', ''],
  ])('are told which name is near the unknown %s', (name, told) => {
    const known = new Set(['host', 'port', 'path', 'maxAge', 'secret', 'tls']);
    expect(() => checkOptions(IT, { [name]: 1 }, known)).toThrow(
      expect.objectContaining({ message: `${IT}: unknown option "${name}"${told}` }),
    );
  });

  it('may have no prototype', () => {
    expect(() => checkOptions(IT, Object.assign(Object.create(null) as object, { a: 1 }), new Set(['a']))).not.toThrow();
  });
});

describe('a text for the system', () => {
  it.each([
    [5, 'x is number, not a string'],
    ['', 'x is empty'],
    ['a\0b', 'x holds NUL'],
  ])('is refused when it is %j', (value, why) => {
    expect(() => checkSystemString(IT, 'x', value)).toThrow(`${IT}: ${why}`);
  });
});
