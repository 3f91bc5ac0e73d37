/**
 * The library that reads and writes cookies, loaded with the first cookie: to load it takes 3 ms, which every process and handler thread would pay
 * at its start.
 *
 * @module
 */
import { createRequire } from 'node:module';
import type { parseCookie, stringifySetCookie } from 'cookie';

interface CookieLibrary {
  readonly parseCookie: typeof parseCookie;
  readonly stringifySetCookie: typeof stringifySetCookie;
}

const load = createRequire(import.meta.url);
let library: CookieLibrary | undefined;

/** The library, now loaded. */
export function cookieLibrary(): CookieLibrary {
  library ??= load('cookie') as CookieLibrary;
  return library;
}
