import fc from 'fast-check';
import Negotiator from 'negotiator';
import { describe, expect, it } from 'vitest';
import { accepts, acceptsEncodings, acceptsLanguages } from '../../src/helpers/accepts.ts';
import { Request } from '../../src/index.ts';

const sent = (name: string, ...values: string[]): Request => new Request({ headers: values.map((value) => [name, value] as const) });

describe('accepts (RFC 9110 §12.5.1)', () => {
  const choose = (accept: string, types: readonly string[]): string | undefined => accepts(sent('Accept', accept), types);

  it('takes the type of highest quality, and of equals our first', () => {
    expect(choose('text/html;q=0.5, application/json', ['text/html', 'application/json'])).toBe('application/json');
    expect(choose('application/json, text/html', ['text/html', 'application/json'])).toBe('text/html');
    expect(choose('*/*', ['b/b', 'a/a'])).toBe('b/b');
  });

  it.each([
    ['text/html;level=3', 0.7],
    ['text/html', 0.7],
    ['text/plain', 0.3],
    ['image/jpeg', 0.5],
    ['text/html;level=2', 0.4],
    ['text/html;level=1', 1],
  ])('ranks %s as the example of the RFC does', (type, quality) => {
    const ranges = 'text/*;q=0.3, text/html;q=0.7, text/html;level=1, text/html;level=2;q=0.4, */*;q=0.5';
    const rival = `, x/rival;q=${quality}`;
    const above = quality === 1 ? '' : `, x/rival;q=${quality + 0.001}`;
    expect(choose(ranges + rival, [type, 'x/rival'])).toBe(type);
    if (above !== '') expect(choose(ranges + above, [type, 'x/rival'])).toBe('x/rival');
    expect(choose(ranges.concat(`, x/rival;q=${quality - 0.001}`), ['x/rival', type])).toBe(type);
  });

  it('obeys q=0, however wide the other ranges are', () => {
    expect(choose('text/html;q=0, */*', ['text/html'])).toBeUndefined();
    expect(choose('*/*;q=0', ['text/html'])).toBeUndefined();
    expect(choose('text/*;q=0, text/html', ['text/plain', 'text/html'])).toBe('text/html');
  });

  it('takes our first when the client says nothing', () => {
    expect(accepts(new Request(), ['text/html', 'text/plain'])).toBe('text/html');
    expect(choose('', ['text/html'])).toBe('text/html');
    expect(choose(' , ', ['text/html'])).toBe('text/html');
    expect(choose(`text/plain${' '.repeat(5000)},x/y`, ['text/html'])).toBe('text/html');
    expect(accepts(new Request(), [])).toBeUndefined();
  });

  it('is undefined when nothing we have will do', () => {
    expect(choose('image/png', ['text/html'])).toBeUndefined();
    expect(choose('text/html;level=1', ['text/html'])).toBeUndefined();
  });

  it('knows names in any case, quoted parameters with commas, and several lines (§5.3)', () => {
    expect(choose('TEXT/HTML;Q=0.1, Text/Plain', ['text/html', 'text/plain'])).toBe('text/plain');
    expect(choose('a/b;x="1,2;3";q=0.5, c/d;q=0.4', ['c/d', 'a/b; x="1,2;3"'])).toBe('a/b; x="1,2;3"');
    expect(accepts(sent('Accept', 'text/html;q=0.1', 'text/plain'), ['text/html', 'text/plain'])).toBe('text/plain');
  });

  it('holds a range with more parameters for more specific', () => {
    expect(choose('a/b;x=1;q=0.9, a/b;x=1;y=2;q=0.1, c/d;q=0.5', ['a/b;x=1;y=2', 'c/d'])).toBe('c/d');
    expect(choose('a/b;x=1;y=2;q=0.9, a/b;x=1;q=0.1, c/d;q=0.5', ['c/d', 'a/b;x=1;y=2'])).toBe('a/b;x=1;y=2');
  });

  it('passes over what follows the weight', () => {
    expect(choose('text/html;q=0.5;level=1, text/plain;q=0.4', ['text/plain', 'text/html'])).toBe('text/html');
  });

  it('throws a TypeError for an offer that is no type', () => {
    for (const offer of ['html', '*/*', 'text/*', '']) expect(() => choose('*/*', [offer])).toThrow(TypeError);
  });

  it('types its answer', () => {
    const type: 'text/html' | 'text/plain' | undefined = accepts(new Request(), ['text/html', 'text/plain']);
    expect(type).toBe('text/html');
  });
});

describe('acceptsLanguages (RFC 9110 §12.5.4)', () => {
  const choose = (ranges: string, languages: readonly string[]): string | undefined =>
    acceptsLanguages(sent('Accept-Language', ranges), languages);

  it('reads the example of the RFC', () => {
    expect(choose('da, en-gb;q=0.8, en;q=0.7', ['en', 'en-GB', 'da'])).toBe('da');
    expect(choose('da, en-gb;q=0.8, en;q=0.7', ['en', 'en-GB'])).toBe('en-GB');
  });

  it('gives fr-CA to who asks for fr, but not french (basic filtering, RFC 4647 §3.3.1)', () => {
    expect(choose('fr', ['en', 'fr-CA'])).toBe('fr-CA');
    expect(choose('fr', ['fro', 'frr-x'])).toBeUndefined();
    expect(choose('DE-de', ['de-DE-1996'])).toBe('de-DE-1996');
  });

  it('gives en to who asks for en-US (lookup, RFC 4647 §3.4), unless en itself is named', () => {
    expect(choose('en-US', ['fr', 'en'])).toBe('en');
    expect(choose('zh-Hant-TW', ['zh', 'zh-Hant'])).toBe('zh');
    expect(choose('en-US, fr;q=0.9, en;q=0.8', ['en', 'fr'])).toBe('fr');
    expect(choose('en-US, *;q=0.1', ['fr', 'en'])).toBe('en');
  });

  it('obeys q=0, and does not widen it', () => {
    expect(choose('en;q=0, *', ['en', 'en-US', 'fr'])).toBe('fr');
    expect(choose('en-US;q=0, en', ['en-US', 'en'])).toBe('en');
    expect(choose('en-US;q=0, *;q=0.1', ['en'])).toBe('en');
    expect(choose('en-US;q=0', ['en'])).toBeUndefined();
    expect(choose('*;q=0', ['en'])).toBeUndefined();
  });

  it('takes our first when the client says nothing', () => {
    expect(acceptsLanguages(new Request(), ['en', 'fr'])).toBe('en');
    expect(choose('', ['en'])).toBe('en');
  });
});

describe('acceptsEncodings (RFC 9110 §12.5.3)', () => {
  const choose = (codings: string, encodings: readonly string[]): string | undefined =>
    acceptsEncodings(sent('Accept-Encoding', codings), encodings);

  it('takes our first of what is equally welcome', () => {
    expect(choose('gzip, deflate, br', ['br', 'gzip'])).toBe('br');
    expect(choose('gzip;q=1.0, br;q=0.9', ['br', 'gzip'])).toBe('gzip');
  });

  it('obeys q=0', () => {
    expect(choose('br;q=0', ['br'])).toBeUndefined();
    expect(choose('br;q=0, gzip', ['br', 'gzip', 'identity'])).toBe('gzip');
    expect(choose('br;q=0, *', ['br', 'gzip'])).toBe('gzip');
  });

  it('holds identity acceptable, as the last choice, unless it is refused', () => {
    expect(choose('gzip;q=0.001', ['identity', 'gzip'])).toBe('gzip');
    expect(choose('br', ['gzip', 'identity'])).toBe('identity');
    expect(choose('', ['gzip', 'identity'])).toBe('identity');
    expect(choose('identity;q=0', ['identity'])).toBeUndefined();
    expect(choose('*;q=0', ['identity'])).toBeUndefined();
    expect(choose('*;q=0, identity;q=0.5', ['gzip', 'identity'])).toBe('identity');
    expect(choose('gzip;q=0.5, identity', ['gzip', 'identity'])).toBe('identity');
  });

  it('sends no coding to a client that does not name one', () => {
    expect(acceptsEncodings(new Request(), ['br', 'gzip', 'identity'])).toBe('identity');
    expect(acceptsEncodings(new Request(), ['br', 'gzip'])).toBeUndefined();
  });

  it('knows x-gzip for gzip (§8.4.1.3), and names in any case', () => {
    expect(choose('x-gzip', ['gzip'])).toBe('gzip');
    expect(choose('GZip', ['gzip'])).toBe('gzip');
  });
});

/** Where weights differ there are no ties between ranges, and negotiator, which breaks them by the order of the header, must agree. */
describe('what is chosen is what negotiator chooses', () => {
  const weighted = (ranges: fc.Arbitrary<string>, lowest: number): fc.Arbitrary<string> =>
    fc
      .tuple(
        fc.uniqueArray(ranges, { minLength: 1, maxLength: 8 }),
        fc.shuffledSubarray(['0.1', '0.2', '0.3', '0.45', '0.567', '0.8', '0.9', '1'], { minLength: 8 }),
        fc.nat(7),
      )
      .map(([list, qualities, zero]) => list.map((range, i) => `${range};q=${i === zero && lowest === 0 ? 0 : qualities[i]}`).join(', '));
  const part = fc.constantFrom('a', 'b', 'c', 'x-1', 'vnd.d+e');
  const type = fc.tuple(part, part).map(([major, minor]) => `${major}/${minor}`);
  // One parameter at most in a range: negotiator does not hold two for more specific than one.
  const parameters = fc.constantFrom('', ';level=1', ';level="2,3"');

  it('among media types', () => {
    const range = fc.oneof(
      fc.constant('*/*'),
      part.map((major) => `${major}/*`),
      fc.tuple(type, parameters).map(([name, more]) => name + more),
    );
    const offers = fc.uniqueArray(
      fc.tuple(type, fc.oneof(parameters, fc.constant(';level=1;v=2'))).map(([name, more]) => name + more),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(weighted(range, 0), offers, (accept, types) => {
        expect(accepts(sent('Accept', accept), types)).toBe(new Negotiator({ headers: { accept } }).mediaType(types));
      }),
      { numRuns: 2000 },
    );
  });

  it('among languages, as long as no refusal is narrower than an offer', () => {
    const primary = fc.constantFrom('en', 'fr', 'de', 'pt', 'zh');
    const tag = fc.tuple(primary, fc.constantFrom('', '-US', '-CA', '-BR')).map(([language, region]) => language + region);
    const offers = fc.uniqueArray(tag, { minLength: 1, maxLength: 5, selector: (one) => one.slice(0, 2) });
    fc.assert(
      fc.property(weighted(fc.oneof(tag, fc.constant('*')), 0.1), offers, (ranges, languages) => {
        expect(acceptsLanguages(sent('Accept-Language', ranges), languages)).toBe(
          new Negotiator({ headers: { 'accept-language': ranges } }).language(languages),
        );
      }),
      { numRuns: 2000 },
    );
  });

  it('among content codings', () => {
    const coding = fc.constantFrom('gzip', 'br', 'zstd', 'deflate', '*', 'identity');
    const offers = fc.uniqueArray(fc.constantFrom('gzip', 'br', 'zstd', 'identity'), { minLength: 1 });
    fc.assert(
      fc.property(weighted(coding, 0), offers, (codings, encodings) => {
        expect(acceptsEncodings(sent('Accept-Encoding', codings), encodings)).toBe(
          new Negotiator({ headers: { 'accept-encoding': codings } }).encoding(encodings),
        );
      }),
      { numRuns: 2000 },
    );
  });
});
