/**
 * The Set-Cookie field (RFC 6265 §4.1, with the prefixes and SameSite of its successor draft).
 *
 * @module
 */

import { cookiePackage } from '../../process/lazy-packages.ts';
import { adviceFor, checkOptions, kindOf } from '../errors/bad-option.ts';
import { withCode } from '../errors/error-codes.ts';
import { isToken } from '../grammar.ts';

/** The names of the attributes. */
export const COOKIE_ATTRIBUTES: ReadonlySet<string> = new Set([
  'maxAge',
  'expires',
  'domain',
  'path',
  'secure',
  'httpOnly',
  'sameSite',
  'partitioned',
]);

/** Browsers drop a cookie whose name and value have more bytes together (RFC 6265bis §5.6). */
const MAX_PAIR = 4096;

/** Attributes of a cookie. */
export interface CookieOptions {
  /** Seconds; 0 removes the cookie. Default: until the browser is closed. */
  maxAge?: number | undefined;
  expires?: Date | undefined;
  /** Default: this host only. */
  domain?: string | undefined;
  /** Default `/`. */
  path?: string | undefined;
  /** Only over TLS. Default false; `sameSite: 'none'`, `partitioned` and the `__Secure-` and `__Host-` names demand it. */
  secure?: boolean | undefined;
  /** Out of reach of scripts. Default true. */
  httpOnly?: boolean | undefined;
  /** Default `lax`; false leaves it to the browser. */
  sameSite?: 'lax' | 'strict' | 'none' | false | undefined;
  partitioned?: boolean | undefined;
}

/**
 * Makes the value of a Set-Cookie field.
 *
 * @throws TypeError for a name or value that cannot stand in a cookie, and for attributes that browsers refuse together (code `bad-cookie`), or that are
 *   not known (`bad-option`).
 */
export function serializeSetCookie(name: string, value: string, options: CookieOptions = {}): string {
  checkOptions(`Cannot set cookie "${name}"`, options, COOKIE_ATTRIBUTES);
  const { maxAge, expires, domain, path = '/', secure = false, httpOnly = true, sameSite = 'lax', partitioned = false } = options;
  if (typeof value !== 'string') {
    const advice = adviceFor(value, ': write String(…) or JSON.stringify(…)');
    throw badCookie(name, `its value is ${kindOf(value)}, not a string${advice}`);
  }
  const refusal = refusalOf(name, domain, path, secure, sameSite, partitioned);
  if (refusal) throw badCookie(name, refusal);
  let line: string;
  try {
    line = cookiePackage().stringifySetCookie({
      name,
      value,
      path,
      secure,
      httpOnly,
      partitioned,
      ...(maxAge !== undefined && { maxAge }),
      ...(expires !== undefined && { expires }),
      ...(domain !== undefined && { domain }),
      ...(sameSite !== false && { sameSite }),
    });
  } catch (cause) {
    throw badCookie(name, (cause as Error).message, cause);
  }
  const end = line.indexOf(';'); // the value is percent-encoded by now: it holds no `;`, and a character is a byte
  const size = (end === -1 ? line.length : end) - 1; // without `=`
  const hint = 'keep less in it, or what it stands for in a session with a store';
  if (size > MAX_PAIR) throw badCookie(name, `its name and value have ${size} bytes, browsers take ${MAX_PAIR}; ${hint}`);
  return line;
}

function badCookie(name: string, why: string, cause?: unknown): TypeError {
  return withCode(new TypeError(`Cannot set cookie "${name}": ${why}`, cause === undefined ? undefined : { cause }), 'bad-cookie');
}

/** Why browsers would drop such a cookie silently, or read another (RFC 6265bis §4.1.3, §5.6). */
function refusalOf(
  name: string,
  domain: string | undefined,
  path: string,
  secure: boolean,
  sameSite: string | false,
  partitioned: boolean,
): string | undefined {
  if (!isToken(name)) return 'its name is not a token'; // RFC 6265 §4.1.1; the library lets commas and the like through
  if (sameSite === 'none' && !secure) return 'sameSite "none" needs secure: true';
  if (partitioned && !secure) return 'partitioned needs secure';
  if (/^__(?:Secure|Host)-/i.test(name) && !secure) return 'its prefix needs secure';
  if (/^__Host-/i.test(name) && (domain !== undefined || path !== '/')) return '"__Host-" allows no domain and no path but "/"';
  return undefined;
}
