import { describe, expect, it } from 'vitest';
import { mediaQuality, prefersJson } from '../../../src/http/accept.ts';
import { parseDate, serializeDate } from '../../../src/http/date.ts';

describe('mediaQuality (RFC 9110 §12.5.1)', () => {
  it.each([
    [undefined, 1],
    ['*/*', 1],
    ['text/*;q=0.5, */*;q=0.1', 0.5],
    ['text/*, text/html;q=0', 0],
    ['application/json', 0],
    ['TEXT/HTML;Q=0.3', 0.3],
    ['text/html;level=1;q=0.7', 0.7],
  ])('of text/html under %j is %s', (accept, quality) => {
    expect(mediaQuality(accept, 'text/html')).toBe(quality);
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
  ])('for %j is %s', (accept, answer) => {
    expect(prefersJson(accept)).toBe(answer);
  });
});

describe('dates (RFC 9110 §5.6.7)', () => {
  const at = new Date(Date.UTC(1994, 10, 6, 8, 49, 37));
  it('are made as IMF-fixdate', () => {
    expect(serializeDate(at)).toBe('Sun, 06 Nov 1994 08:49:37 GMT');
  });
  it.each(['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])(
    'are read in the form %s',
    (text) => {
      expect(parseDate(text)).toEqual(at);
    },
  );
  it.each(['', 'yesterday', 'Sun, 32 Nov 1994 08:49:37 GMT', 'Sun, 06 Nov 1994 25:49:37 GMT', '2024-01-01'])('refuse %j', (text) => {
    expect(parseDate(text)).toBeUndefined();
  });
});
