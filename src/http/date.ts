/**
 * Dates of HTTP (RFC 9110 §5.6.7): writes IMF-fixdate, and reads the two obsolete forms as well.
 *
 * @module
 */

const MONTHS: readonly string[] = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const IMF_FIXDATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/;
const RFC_850 = /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\d{2})-([A-Z][a-z]{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) GMT$/;
const ASCTIME = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/;

/** Makes an IMF-fixdate, `Sun, 06 Nov 1994 08:49:37 GMT`. */
export function serializeDate(at: Date): string {
  return at.toUTCString();
}

/**
 * Reads a date in any of the three forms of RFC 9110 §5.6.7.
 *
 * @param now Milliseconds since 1970: the obsolete form with a two-digit year means the century around it.
 * @returns The date, or `undefined` when the text is not one.
 */
export function parseDate(text: string, now: number): Date | undefined {
  let parts = IMF_FIXDATE.exec(text);
  if (parts) return dateOf(Number(parts[3]), parts[2], parts[1], parts[4], parts[5], parts[6]);
  parts = RFC_850.exec(text);
  if (parts) return dateOf(fullYear(Number(parts[3]), now), parts[2], parts[1], parts[4], parts[5], parts[6]);
  parts = ASCTIME.exec(text);
  if (parts) return dateOf(Number(parts[6]), parts[1], parts[2], parts[3], parts[4], parts[5]);
  return undefined;
}

/** RFC 9110 §5.6.7: a two-digit year that seems more than 50 years ahead is in the past. */
function fullYear(short: number, now: number): number {
  const thisYear = new Date(now).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + short;
  return year > thisYear + 50 ? year - 100 : year;
}

function dateOf(year: number, monthName = '', day = '', hour = '', minute = '', second = ''): Date | undefined {
  const month = MONTHS.indexOf(monthName);
  if (month === -1) return undefined;
  const at = new Date(Date.UTC(year, month, Number(day), Number(hour), Number(minute), Number(second)));
  if (at.getUTCDate() !== Number(day) || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined;
  return at;
}
