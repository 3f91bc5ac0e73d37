/**
 * The options of sessions, checked, and the cookie that follows from them.
 *
 * @module
 */

import { badOption, checkInteger, checkOptions } from '../../http/errors/bad-option.ts';
import { cookieValuesOf } from '../../http/fields/cookie.ts';
import { type CookieOptions, serializeSetCookie } from '../../http/fields/set-cookie.ts';
import type { Request } from '../../http/request.ts';
import { checkedSecrets } from '../signing/secrets.ts';
import type { SessionLife } from './draft.ts';
import { LossWatch } from './loss-watch.ts';
import type { SessionOptions } from './options.ts';

const DAY = 86_400;
const MAX_LIFETIME = 30 * DAY;
/** Browsers cut longer lives (RFC 6265bis §5.6.2): 400 days. */
const LONGEST = 400 * DAY;
/** Values of one name that are tried: one for each path and domain, and no client makes us open thousands. */
const MAX_VALUES = 8;
const SUBJECT = 'Cannot create sessions';
const KNOWN: ReadonlySet<string> = new Set(['secret', 'name', 'ttl', 'lifetime', 'cookie', 'store']);

/** A cookie as one request sees it. */
export interface SessionCookie {
  readonly name: string;
  readonly options: CookieOptions;
  /** What follows the seconds of Max-Age in its line: the same for all values. */
  readonly attributes: string;
}

/** The options, checked. */
export interface SessionRules extends SessionLife {
  readonly secrets: readonly string[];
  /** The cookie for requests that came over TLS, and for others. */
  readonly secureCookie: SessionCookie;
  readonly plainCookie: SessionCookie;
  readonly losses: LossWatch;
}

/** Checks the options, the store among them: a mistake there would keep sessions where nobody expects them. */
export function sessionRules(options: SessionOptions & { readonly store?: unknown }): SessionRules {
  checkOptions(SUBJECT, options, KNOWN);
  if (options.store !== undefined && !isStore(options.store)) throw badOption(SUBJECT, 'store lacks get, set, update or delete');
  const { ttl = DAY, cookie = {} } = options;
  const { lifetime = Math.max(MAX_LIFETIME, ttl) } = options;
  checkInteger(SUBJECT, 'ttl', ttl, 1, LONGEST, 'seconds');
  checkInteger(SUBJECT, 'lifetime', lifetime, ttl, LONGEST, 'seconds');
  const hasLife = cookie.maxAge !== undefined || cookie.expires !== undefined;
  if (hasLife) throw badOption(SUBJECT, 'cookie.maxAge and cookie.expires follow from ttl: set that');
  return {
    secrets: checkedSecrets(SUBJECT, options.secret),
    ttl,
    lifetime,
    secureCookie: cookieOf(options.name, cookie, true),
    plainCookie: cookieOf(options.name, cookie, false),
    losses: new LossWatch(),
  };
}

/** The cookie for a request. Whether it came over TLS is known from the connection, or from a trusted proxy. */
export function cookieFor(rules: SessionRules, request: Request): SessionCookie {
  return request.secure ? rules.secureCookie : rules.plainCookie;
}

/**
 * What the client sent under the cookie's name, in its order: a browser sends several when an older cookie has another path or domain, and the
 * stale one may come first (RFC 6265 §5.4).
 */
export function cookieValues(cookie: SessionCookie, request: Request): readonly string[] {
  const lines = request.headerAll('cookie');
  const values =
    lines.length === 1 ? cookieValuesOf(lines[0] as string, cookie.name) : lines.flatMap((line) => cookieValuesOf(line, cookie.name));
  return values.length > MAX_VALUES ? values.slice(0, MAX_VALUES) : values;
}

function cookieOf(name: string | undefined, given: CookieOptions, isTls: boolean): SessionCookie {
  const secure = given.secure ?? (isTls || /^__(?:Host|Secure)-/i.test(name ?? ''));
  const isHostOnly = given.domain === undefined && (given.path ?? '/') === '/';
  const ownName = secure ? `${isHostOnly ? '__Host' : '__Secure'}-session` : 'session';
  const cookie = { name: name ?? ownName, options: { ...given, secure } };
  try {
    const line = serializeSetCookie(cookie.name, '', { ...cookie.options, maxAge: 0 });
    return { ...cookie, attributes: line.slice(lineOf(cookie.name, '', 0).length) };
  } catch (cause) {
    throw Object.assign(badOption(SUBJECT, (cause as Error).message), { cause });
  }
}

/** The line of a cookie, up to its attributes. @param value Of characters that stand for themselves. @param maxAge Whole seconds. */
export function lineOf(name: string, value: string, maxAge: number): string {
  return `${name}=${value}; Max-Age=${maxAge}`;
}

function isStore(store: unknown): boolean {
  const methods = ['get', 'set', 'update', 'delete'] as const;
  return (
    typeof store === 'object' && store !== null && methods.every((name) => typeof (store as Record<string, unknown>)[name] === 'function')
  );
}
