import fc from 'fast-check';
import Negotiator from 'negotiator';
import { describe, expect, it } from 'vitest';
import { mediaTypeQuality, parseWeightedRanges, prefersJson } from '../../../src/http/fields/accept.ts';
import { parseContentType } from '../../../src/http/fields/content-type.ts';

/** How much a client that sends `accept` wants a type; undefined when it does not say. */
function qualityOf(accept: string | undefined, type: string): number | undefined {
  const ranges = parseWeightedRanges(accept);
  const offer = parseContentType(type);
  return ranges && offer && mediaTypeQuality(ranges, offer);
}

describe('mediaTypeQuality (RFC 9110 §12.5.1)', () => {
  it.each([
    [undefined, undefined],
    ['*/*', 1],
    ['text/*;q=0.5, */*;q=0.1', 0.5],
    ['text/*, text/html;q=0', 0],
    ['application/json', 0],
    ['TEXT/HTML;Q=0.3', 0.3],
    ['text/html;level=1;q=0.7', 0],
    ['text/html;level=1;q=0.4, text/html;q=0.7', 0.7],
    ['text/html;q=0.7, text/html;level=1;q=0.4', 0.7],
    ['text/html;q=0.5;level=1', 0.5],
    ['text/html;q=2', 1],
  ])('of text/html under %j is %s', (accept, quality) => {
    expect(qualityOf(accept, 'text/html')).toBe(quality);
  });

  it.each([
    ['text/html;level=1;q=0.4, text/html;q=0.7', 'text/html;level=1', 0.4],
    ['text/html;level="1";q=0.4, text/html;q=0.7', 'text/html;level=1', 0.4],
    ['a/b;x="1,2;q=0.1";q=0.5, */*;q=0.2', 'a/b;x="1,2;q=0.1"', 0.5],
    ['a/b;x="\\",c/d";q=0.5', 'a/b;x="\\",c/d"', 0.5],
    ['a/b;x="\\",c/d";q=0.5', 'c/d', 0],
    ['a/b;x="\\\\",c/d;q=0.3', 'c/d', 0.3],
    ['a/b;x=", c/d', 'c/d', 0],
  ])('under %j, of %j, is %s: quotes are obeyed (§5.6.4)', (accept, type, quality) => {
    expect(qualityOf(accept, type)).toBe(quality);
  });

  it('is not told by a field that is too long to be meant', () => {
    expect(qualityOf(`text/html;q=0.5${' '.repeat(4096)}`, 'text/html')).toBeUndefined();
  });

  /** All weights differ, so the order of two offers is that of their qualities. One parameter at most: negotiator ranks no range by their number. */
  it('orders types as negotiator does, and refuses those it refuses', () => {
    const part = fc.constantFrom('a', 'b', 'x-1', 'vnd.d+e');
    const type = fc.tuple(part, part).map(([major, minor]) => `${major}/${minor}`);
    const parameter = fc.constantFrom('', ';level=1', ';level="1,2"', ';level="1;2"', ';level="a,b/b;q=0"');
    const typed = fc.tuple(type, parameter).map(([name, more]) => name + more);
    const range = fc.oneof(
      fc.constant('*/*'),
      part.map((major) => `${major}/*`),
      typed,
    );
    const weights = fc.shuffledSubarray(['0', '0.1', '0.25', '0.333', '0.5', '0.8', '0.95', '1'], { minLength: 8 });
    fc.assert(
      fc.property(fc.uniqueArray(range, { minLength: 1, maxLength: 8 }), weights, fc.uniqueArray(typed), (list, qualities, offers) => {
        const accept = list.map((one, i) => `${one};q=${qualities[i]}`).join(', ');
        const wanted = offers.filter((offer) => (qualityOf(accept, offer) ?? 1) > 0);
        const theirs = new Negotiator({ headers: { accept } }).mediaTypes(offers);
        expect(new Set(wanted)).toEqual(new Set(theirs));
        const ours = theirs.map((offer) => qualityOf(accept, offer) ?? 1);
        expect(ours).toEqual(ours.toSorted((a, b) => b - a));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('prefersJson', () => {
  it.each([
    [undefined, false],
    ['*/*', false],
    ['application/json', true],
    ['application/json, text/plain;q=0.5', true],
    ['application/json, text/plain, */*', true],
    ['text/html, application/json;q=0.9', false],
    ['application/json;q=0', false],
    ['text/html;level=1;q=0.4, text/html;q=0.7, application/json;q=0.5', false],
    ['application/json;q=0.5, text/html;x="1, text/html"', false],
    ['text/plain;x="json, ", application/json;q=0.5', false],
    ['text/plain;x="json"', false],
    ['*/*;x="json"', false],
    [`application/json${' '.repeat(4096)}`, false],
  ])('for %j is %s', (accept, answer) => {
    expect(prefersJson(accept)).toBe(answer);
  });

  it.each([
    'application/json;charset=utf-8',
    'application/json; odata=verbose, text/plain;q=0.5',
    'application/json;v=2;q=0.9, text/*;q=0.5',
  ])('is true for %j: a client that names only a variant of JSON reads JSON', (accept) => {
    expect(prefersJson(accept)).toBe(true);
  });
});
