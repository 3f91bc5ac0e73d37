/**
 * Cookies whose values only this server can make (RFC 6265 §8.3): signed, not hidden.
 *
 * What is signed is the value and when it ends; the cookie's name is bound in.
 *
 *     value . end, seconds since 1970, or nothing . signature
 *
 * @module
 */
import { checkOptions, checkString } from '../http/errors/bad-option.ts';
import { parseCookie } from '../http/fields/cookie.ts';
import { COOKIE_ATTRIBUTES, type CookieOptions } from '../http/fields/set-cookie.ts';
import type { Request } from '../http/request.ts';
import type { Response } from '../http/response.ts';
import { wallClock } from '../process/wall-clock.ts';
import { checkResponse } from './finishing/finisher.ts';
import { checkedSecrets } from './signing/secrets.ts';
import { Signer } from './signing/signer.ts';

/** What a signed cookie is made with. */
export interface SignedCookieOptions extends CookieOptions {
  /**
   * What signs the cookies: at least 32 bytes that nobody can guess, the same for all workers and machines.
   * Of several, the first signs and all are accepted: put a new one in front, and drop the old one when its cookies have ended.
   */
  secret: string | readonly string[];
}

const PURPOSE = 'filrouge cookie, signed';
const READING = 'Cannot read signed cookies';
const READING_OPTIONS: ReadonlySet<string> = new Set(['secret']);
const SETTING_OPTIONS: ReadonlySet<string> = new Set([...COOKIE_ATTRIBUTES, 'secret']);
/** Signers kept: deriving a key takes longer than signing. A program that makes secrets up as it goes must not fill the memory. */
const MAX_KEPT = 100;
const kept = new Map<string, Signer>();

/**
 * Reads the cookies that `withSignedCookie` has set.
 *
 * Of several with one name the first that is genuine wins, so that a page of a neighbouring host that sets one of that name hides nothing.
 *
 * @param request The request to look at.
 * @param options `secret`: as it was given to `withSignedCookie`.
 * @returns The values by name, in an object without a prototype. What is not signed, was changed, or has ended is not there.
 * @throws TypeError (code `bad-option`) for a secret that could be guessed, or an unknown option.
 * @example
 * const cart = signedCookies(request, { secret })['cart'];
 */
export function signedCookies(
  request: Request,
  options: Pick<SignedCookieOptions, 'secret'>,
): Readonly<Record<string, string | undefined>> {
  checkOptions(READING, options, READING_OPTIONS);
  const signer = signerFor(checkedSecrets(READING, options.secret));
  const values = Object.create(null) as Record<string, string | undefined>;
  for (const line of request.headerAll('cookie')) {
    for (const pair of line.split(';')) {
      for (const [name, signed] of Object.entries(parseCookie(pair))) {
        const value = signed === undefined || name in values ? undefined : unexpired(signer.verify(name, signed));
        if (value !== undefined) values[name] = value;
      }
    }
  }
  return values;
}

/**
 * Adds a cookie that only this server can make. Anybody who has it can read it, and send it until it ends: `maxAge` and `expires` are signed too.
 *
 * @param request The request that is answered: under TLS the cookie is Secure by default.
 * @param response The response to it.
 * @param name As for `withCookie`.
 * @param value As for `withCookie`. Its name and the signature, some 60 bytes, count for the 4096 that browsers take.
 * @param options `secret`, and the attributes of `withCookie`.
 * @throws TypeError for a secret that could be guessed or an unknown option (code `bad-option`), and for a cookie that browsers refuse (`bad-cookie`).
 * @example
 * return withSignedCookie(request, Response.redirect('/cart'), 'cart', '7', { secret, maxAge: 86_400 });
 */
export function withSignedCookie(
  request: Request,
  response: Response,
  name: string,
  value: string,
  options: SignedCookieOptions,
): Response {
  const subject = `Cannot set cookie "${name}"`;
  checkResponse(subject, response);
  checkOptions(subject, options, SETTING_OPTIONS);
  checkString(subject, 'its value', value);
  const { secret, ...attributes } = options;
  const signed = signerFor(checkedSecrets(subject, secret)).sign(name, `${value}.${endOf(attributes)}`);
  return response.withCookie(name, signed, { ...attributes, secure: attributes.secure ?? request.secure });
}

function signerFor(secrets: readonly string[]): Signer {
  const key = JSON.stringify(secrets);
  const known = kept.get(key);
  if (known) return known;
  const signer = new Signer(secrets, PURPOSE);
  if (kept.size === MAX_KEPT) kept.clear();
  kept.set(key, signer);
  return signer;
}

/** When a cookie ends, seconds since 1970, by the clock of the server; empty when the browser decides. Max-Age wins (RFC 6265 §5.3). */
function endOf({ maxAge, expires }: CookieOptions): string {
  if (maxAge !== undefined) return String(Math.ceil(wallClock() / 1000) + maxAge);
  return expires === undefined ? '' : String(Math.ceil(expires.getTime() / 1000));
}

/** The value in a text that has been signed, which stands in front of the last dot; undefined when it has ended. */
function unexpired(text: string | undefined): string | undefined {
  const dot = text?.lastIndexOf('.') ?? -1;
  if (text === undefined || dot === -1) return undefined;
  const end = text.slice(dot + 1);
  return end === '' || wallClock() < Number(end) * 1000 ? text.slice(0, dot) : undefined;
}
