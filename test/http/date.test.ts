import { describe, expect, it } from 'vitest';
import { parseDate, serializeDate } from '../../src/http/date.ts';

describe('dates (RFC 9110 §5.6.7)', () => {
  const now = Date.UTC(2026, 6, 1);
  const at = new Date(Date.UTC(1994, 10, 6, 8, 49, 37));
  it('are made as IMF-fixdate', () => {
    expect(serializeDate(at)).toBe('Sun, 06 Nov 1994 08:49:37 GMT');
  });
  it.each(['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])(
    'are read in the form %s',
    (text) => {
      expect(parseDate(text, now)).toEqual(at);
    },
  );
  it.each(['', 'yesterday', 'Sun, 32 Nov 1994 08:49:37 GMT', 'Sun, 06 Nov 1994 25:49:37 GMT', '2024-01-01'])('refuse %j', (text) => {
    expect(parseDate(text, now)).toBeUndefined();
  });
  it('are in the past when a two-digit year would be more than 50 years ahead', () => {
    expect(parseDate('Wednesday, 01-Jan-76 00:00:00 GMT', now)?.getUTCFullYear()).toBe(2076);
    expect(parseDate('Saturday, 01-Jan-77 00:00:00 GMT', now)?.getUTCFullYear()).toBe(1977);
    expect(parseDate('Friday, 01-Jan-77 00:00:00 GMT', Date.UTC(2027, 0))?.getUTCFullYear()).toBe(2077);
  });
});
