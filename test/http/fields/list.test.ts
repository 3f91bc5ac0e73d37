import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitOutsideQuotes, unquote } from '../../../src/http/fields/list.ts';

/** Texts made of the characters that matter, most of them with quotes somewhere. */
const texts = fc.string({ unit: fc.constantFrom('"', '\\', ',', ';', ' ', 'a', '='), maxLength: 30 });
/** A quoted string, of any characters in it (RFC 9110 §5.6.4). */
const quotedStrings = fc
  .array(fc.oneof(fc.constantFrom(',', ';', ' ', 'a', '='), fc.constantFrom('\\"', '\\\\', '\\,', '\\;', '\\a')), { maxLength: 12 })
  .map((pieces) => `"${pieces.join('')}"`);
const plainTexts = fc.string({ unit: fc.constantFrom('a', ' ', '=', '\\'), maxLength: 6 });

describe('splitOutsideQuotes (RFC 9110 §5.6.4)', () => {
  it.each([
    ['', ['']],
    ['a', ['a']],
    ['a,b', ['a', 'b']],
    [',a,,b,', ['', 'a', '', 'b', '']],
    ['a;b, c', ['a;b', ' c']],
    ['a="1,2", b', ['a="1,2"', ' b']],
    ['"a""b,c",d', ['"a""b,c"', 'd']],
  ])('splits %j at commas into %j', (text, parts) => {
    expect(splitOutsideQuotes(text, ',')).toEqual(parts);
  });

  it('splits at semicolons likewise, and then not at commas', () => {
    expect(splitOutsideQuotes('a=1,2;b="3;4";c', ';')).toEqual(['a=1,2', 'b="3;4"', 'c']);
  });

  it('does not take an escaped quote for the end of a quoted string', () => {
    expect(splitOutsideQuotes('"a\\",b",c', ',')).toEqual(['"a\\",b"', 'c']);
  });

  it('takes a quote behind an escaped backslash for the end', () => {
    expect(splitOutsideQuotes('"a\\\\",b', ',')).toEqual(['"a\\\\"', 'b']);
    expect(splitOutsideQuotes('"a\\\\\\",b",c', ',')).toEqual(['"a\\\\\\",b"', 'c']);
  });

  it('lets a backslash outside quotes escape nothing', () => {
    expect(splitOutsideQuotes('a\\,"b,c",d\\"e,f"', ',')).toEqual(['a\\', '"b,c"', 'd\\"e,f"']);
  });

  it.each(['"a,b', '"a,b\\', '"a,b\\"'])('lets %s, which never ends its quotes, reach to the end', (text) => {
    expect(splitOutsideQuotes(`x,${text}`, ',')).toEqual(['x', text]);
  });

  it('loses nothing: joined, the parts are the text again', () => {
    const separators = fc.constantFrom<',' | ';'>(',', ';');
    fc.assert(fc.property(texts, separators, (text, separator) => splitOutsideQuotes(text, separator).join(separator) === text));
  });

  it('never splits inside a quoted string, and always between members', () => {
    const members = fc.array(
      fc.tuple(plainTexts, quotedStrings, plainTexts).map((pieces) => pieces.join('')),
      { minLength: 1, maxLength: 5 },
    );
    fc.assert(
      fc.property(members, (list) => {
        expect(splitOutsideQuotes(list.join(','), ',')).toEqual(list);
        expect(splitOutsideQuotes(list.join(';'), ';')).toEqual(list);
      }),
    );
  });
});

describe('unquote (RFC 9110 §5.6.4)', () => {
  it.each([
    ['""', ''],
    ['"a b"', 'a b'],
    ['"a\\"b\\\\c\\d"', 'a"b\\cd'],
    ['"\\\\"', '\\'],
  ])('reads %s as %j', (text, value) => {
    expect(unquote(text)).toBe(value);
  });

  it.each(['', 'a', 'a\\b', '"', '"a', 'a"', '"a\\"', '"a"b"', ' "a"', '"a"\n'])('leaves %j as it is', (text) => {
    expect(unquote(text)).toBe(text);
  });

  it('reads one of any length', () => {
    expect(unquote(`"${'\\a'.repeat(2 ** 23)}"`).length).toBe(2 ** 23);
  });

  it('undoes what quoting does', () => {
    fc.assert(fc.property(fc.string(), (value) => unquote(`"${value.replace(/["\\]/g, '\\$&')}"`) === value));
  });
});
